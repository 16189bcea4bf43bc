# SPDX-License-Identifier: MIT
"""tus 1.0.0 at /tus/, to the letter of the protocol."""

import hashlib
import re
from email.utils import parsedate_to_datetime

import pytest

import expect
from chunks import content
from tus import (
    BYTES,
    PARTIAL,
    V,
    appended,
    b64,
    begin,
    create,
    final,
    hang,
    head,
    metadata,
    offset,
    partial,
    patch,
)

BOTH = pytest.mark.parametrize("encryption", ["false", "true"])


# --- the protocol -----------------------------------------------------------


@pytest.mark.parametrize("path", ["/tus/", "/tus", "/tus/abc"])
def test_options(server, path):
    response = server.options(path)
    assert response.status_code in (200, 204)
    assert response.headers["Tus-Version"] == "1.0.0"
    assert response.headers["Tus-Resumable"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    }
    assert response.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(response.headers["Tus-Max-Size"]) > 0


def test_a_preflight(server):
    response = server.options(
        "/tus/",
        headers={
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "tus-resumable,upload-length",
        },
    )
    fields = response.headers
    assert fields["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "POST" in fields["Access-Control-Allow-Methods"]
    assert "upload-length" in fields["Access-Control-Allow-Headers"]
    response = server.options(
        "/tus/abc",
        headers={
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "PATCH",
        },
    )
    methods = response.headers["Access-Control-Allow-Methods"]
    assert {"PATCH", "HEAD", "DELETE"} <= set(methods.split(", "))


def test_what_scripts_may_read(server, name):
    response = create(
        server, 3, {"Origin": "http://localhost"}, filename=name
    )
    exposed = response.headers["Access-Control-Expose-Headers"]
    assert {
        "Location",
        "Upload-Offset",
        "Upload-Length",
        "Upload-Metadata",
        "Upload-Expires",
        "Upload-Concat",
        "Upload-Defer-Length",
        "Tus-Version",
        "Tus-Resumable",
        "Tus-Max-Size",
        "Tus-Extension",
        "Tus-Checksum-Algorithm",
    } <= set(exposed.split(", "))


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", "2.0.0"])
def test_other_versions(server, name, version):
    url = begin(server, 3, filename=name)
    fields = {} if version is None else {"Tus-Resumable": version}
    for response in (
        server.post("/tus/", headers={**fields, "Upload-Length": "3"}),
        server.ask(
            "PATCH",
            url,
            data=b"abc",
            headers={**fields, **BYTES, "Upload-Offset": "0"},
        ),
        server.head(url, headers=fields),
        server.delete(url, headers=fields),
    ):
        assert response.status_code == 412
        assert response.headers["Tus-Version"] == "1.0.0"
        assert response.headers["Tus-Resumable"] == "1.0.0"
    assert offset(server, url) == 0


@BOTH
def test_an_upload(server, name, encryption):
    data = content(200_000)
    url = begin(
        server, len(data), filename=name, encryption=encryption, priority="3"
    )
    assert offset(server, url) == 0
    at = 0
    for n in (1, 65535, 65536, 70_000, len(data)):
        piece = data[at : at + n]
        appended(patch(server, url, at, piece), at + len(piece))
        at += len(piece)
        assert offset(server, url) == at
        if at < len(data):
            server.lacks(name)
    assert server.has(name, data)
    status = server.status(name)
    assert status["status"] == "completed"
    assert status["encryption"] is (encryption == "true")
    fields = head(server, url)
    assert fields["Upload-Length"] == fields["Upload-Offset"]


def test_metadata_is_given_back(server, name):
    text = metadata(filename=name, filetype="text/plain") + ",empty"
    response = server.post(
        "/tus/", headers={**V, "Upload-Length": "3", "Upload-Metadata": text}
    )
    assert response.status_code == 201
    fields = head(server, response.headers["Location"])
    assert fields["Upload-Metadata"] == text


def test_without_a_name_it_is_called_by_its_id(server):
    url = begin(server, 5)
    appended(patch(server, url, 0, b"hello"), 5)
    assert server.has(url.rpartition("/")[2], b"hello")


def test_nothing_is_a_file_at_once(server, name):
    url = begin(server, 0, filename=name)
    assert offset(server, url) == 0
    assert server.has(name, b"")


def test_an_empty_patch(server, name):
    url = begin(server, 5, filename=name)
    appended(patch(server, url, 0, b""), 0)
    appended(patch(server, url, 0, b"hello"), 5)
    appended(patch(server, url, 5, b""), 5)


def test_expires(server, name):
    response = create(server, 5, filename=name)
    when = parsedate_to_datetime(response.headers["Upload-Expires"])
    url = response.headers["Location"]
    response = patch(server, url, 0, b"he")
    assert parsedate_to_datetime(response.headers["Upload-Expires"]) >= when
    assert "Upload-Expires" in head(server, url)


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "HEAD"])
def test_method_override(server, name, method):
    url = begin(server, 5, filename=name)
    response = server.post(
        url,
        data=b"he" if method == "PATCH" else None,
        headers={
            **V,
            **BYTES,
            "Upload-Offset": "0",
            "X-HTTP-Method-Override": method,
        },
    )
    assert response.status_code == (200 if method == "HEAD" else 204)
    response = server.post(url, headers=V)
    assert response.status_code == 405


# --- what is refused ----------------------------------------------------------


def test_a_wrong_offset(server, name):
    url = begin(server, 5, filename=name)
    for at in (1, 5, 6):
        expect.error(patch(server, url, at, b"x"), 409, "offset_mismatch")
    appended(patch(server, url, 0, b"he"), 2)
    expect.error(patch(server, url, 0, b"he"), 409, "offset_mismatch")
    appended(patch(server, url, 2, b"llo"), 5)
    expect.error(patch(server, url, 0, b"he"), 409, "offset_mismatch")


def test_a_wrong_content_type(server, name):
    url = begin(server, 5, filename=name)
    for kind in ("text/plain", "application/octet-stream"):
        response = patch(server, url, 0, b"he", Content_Type=kind)
        expect.error(response, 415, "unsupported_media_type")
    assert offset(server, url) == 0


@pytest.mark.parametrize("bad", [None, "-1", "x", "1.0", "9" * 30])
def test_bad_offsets(server, name, bad):
    url = begin(server, 5, filename=name)
    fields = {**V, **BYTES}
    if bad is not None:
        fields["Upload-Offset"] = bad
    response = server.ask("PATCH", url, data=b"he", headers=fields)
    expect.error(response, 400, "invalid_parameter")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Upload-Length": "-1"},
        {"Upload-Length": "x"},
        {"Upload-Defer-Length": "2"},
        {"Upload-Defer-Length": "1", "Upload-Length": "3"},
        {"Upload-Length": "3", "Upload-Metadata": "filename !!"},
        {"Upload-Length": "3", "Upload-Metadata": "a YQ==,a YQ=="},
        {"Upload-Length": "3", "Upload-Metadata": f"priority {b64('11')}"},
        {"Upload-Length": "3", "Upload-Metadata": f"encryption {b64('x')}"},
        {"Upload-Length": "3", "Upload-Concat": "whole"},
        {"Upload-Length": "3", "Upload-Checksum": "sha1"},
    ],
    ids=str,
)
def test_bad_creations(server, fields):
    response = server.post("/tus/", headers={**V, **fields})
    expect.error(response, 400, "invalid_parameter")
    assert "Location" not in response.headers


def test_bad_names(server):
    for bad in ("../x", "", "a\\b", "a/"):
        response = create(server, 3, filename=bad)
        expect.error(response, 400, "invalid_filename")


def test_too_large(start):
    server = start(MAX_FILE_SIZE="1000")
    assert server.options("/tus/").headers["Tus-Max-Size"] == "1000"
    expect.error(create(server, 1001), 413, "file_too_large")
    url = begin(server, None, {"Upload-Defer-Length": "1"}, filename="a")
    response = patch(server, url, 0, iter([b"x" * 600, b"y" * 401]))
    expect.error(response, 413, "file_too_large")
    assert offset(server, url) == 0
    response = patch(server, url, 0, b"x", Upload_Length="1001")
    expect.error(response, 413, "file_too_large")


@pytest.mark.parametrize("chunked", [False, True])
@BOTH
def test_more_than_announced(server, name, chunked, encryption):
    data = content(70_000)
    url = begin(
        server, len(data), filename=name, encryption=encryption
    )
    appended(patch(server, url, 0, data[:66_000]), 66_000)
    more = data[66_000:] + b"!"
    response = patch(
        server, url, 66_000, iter([more]) if chunked else more
    )
    expect.error(response, 413, "file_too_large")
    assert offset(server, url) == 66_000
    appended(patch(server, url, 66_000, data[66_000:]), len(data))
    assert server.has(name, data)


def test_what_is_not_there(server):
    for response in (
        server.head("/tus/nothing", headers=V),
        patch(server, "/tus/nothing", 0, b"x"),
        server.delete("/tus/nothing", headers=V),
    ):
        assert response.status_code == 404
        assert response.headers["Tus-Resumable"] == "1.0.0"


# --- extensions ---------------------------------------------------------------


@BOTH
def test_creation_with_upload(server, name, encryption):
    data = content(100_000)
    response = create(
        server,
        len(data),
        BYTES,
        data[:70_000],
        filename=name,
        encryption=encryption,
    )
    assert response.status_code == 201
    assert response.headers["Upload-Offset"] == "70000"
    url = response.headers["Location"]
    appended(patch(server, url, 70_000, data[70_000:]), len(data))
    assert server.has(name, data)
    response = create(server, 5, BYTES, b"hello", filename=name)
    assert response.headers["Upload-Offset"] == "5"
    assert server.has(name, b"hello")


def test_a_body_of_another_type(server, name):
    response = create(
        server, 5, {"Content-Type": "text/plain"}, b"hello", filename=name
    )
    expect.error(response, 415, "unsupported_media_type")


def test_a_length_that_is_said_later(server, name):
    url = begin(server, None, {"Upload-Defer-Length": "1"}, filename=name)
    fields = head(server, url)
    assert fields["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in fields
    appended(patch(server, url, 0, b"he"), 2)
    response = patch(server, url, 2, b"x", Upload_Length="1")
    expect.error(response, 400, "invalid_parameter")
    appended(patch(server, url, 2, b"l", Upload_Length="5"), 3)
    fields = head(server, url)
    assert fields["Upload-Length"] == "5"
    assert "Upload-Defer-Length" not in fields
    response = patch(server, url, 3, b"l", Upload_Length="6")
    expect.error(response, 400, "invalid_parameter")
    appended(patch(server, url, 3, b"lo", Upload_Length="5"), 5)
    assert server.has(name, b"hello")


def test_a_length_that_is_said_last(server, name):
    url = begin(server, None, {"Upload-Defer-Length": "1"}, filename=name)
    appended(patch(server, url, 0, b"hello"), 5)
    appended(patch(server, url, 5, b"", Upload_Length="5"), 5)
    assert server.has(name, b"hello")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@BOTH
def test_checksums(server, name, algorithm, encryption):
    data = content(150_000)
    url = begin(server, len(data), filename=name, encryption=encryption)

    def checksum(piece):
        return f"{algorithm} {b64(hashlib.new(algorithm, piece).digest())}"

    half = data[:80_000]
    response = patch(
        server, url, 0, half, Upload_Checksum=checksum(b"other")
    )
    expect.error(response, 460, "checksum_mismatch")
    assert offset(server, url) == 0
    appended(
        patch(server, url, 0, half, Upload_Checksum=checksum(half)), 80_000
    )
    rest = data[80_000:]
    response = patch(
        server, url, 80_000, rest, Upload_Checksum=checksum(half)
    )
    assert response.status_code == 460
    appended(
        patch(server, url, 80_000, rest, Upload_Checksum=checksum(rest)),
        len(data),
    )
    assert server.has(name, data)


@pytest.mark.parametrize(
    "bad", ["md5 " + b64("x" * 16), "sha1 " + b64("x"), "sha1 !", "sha1"]
)
def test_bad_checksums(server, name, bad):
    url = begin(server, 5, filename=name)
    response = patch(server, url, 0, b"he", Upload_Checksum=bad)
    expect.error(response, 400, "invalid_parameter")
    assert offset(server, url) == 0


def test_termination(server, name):
    url = begin(server, 5, filename=name)
    appended(patch(server, url, 0, b"he"), 2)
    response = server.delete(url, headers=V)
    assert response.status_code == 204
    assert server.head(url, headers=V).status_code in (404, 410)
    assert patch(server, url, 2, b"llo").status_code in (404, 410)
    assert server.status(name)["status"] == "cancelled"


def test_termination_of_what_is_complete_leaves_the_file(server, name):
    url = begin(server, 5, filename=name)
    appended(patch(server, url, 0, b"hello"), 5)
    assert server.delete(url, headers=V).status_code == 204
    assert server.head(url, headers=V).status_code in (404, 410)
    assert server.has(name, b"hello")


# --- concatenation --------------------------------------------------------------

@pytest.mark.parametrize("said", [None, "false", "true"])
@BOTH
def test_concatenation(server, name, encryption, said):
    pieces = [content(n, n) for n in (70_000, 0, 65_536, 10)]
    pairs = {} if said is None else {"encryption": said}
    urls = [partial(server, p, **pairs) for p in pieces]
    assert head(server, urls[0])["Upload-Concat"] == "partial"
    response = final(
        server, *urls, filename=name, encryption=encryption
    )
    assert response.status_code == 201, response.text
    whole = b"".join(pieces)
    assert server.has(name, whole)
    fields = head(server, response.headers["Location"])
    assert fields["Upload-Concat"] == "final;" + " ".join(urls)
    assert fields["Upload-Length"] == str(len(whole))
    assert fields["Upload-Offset"] == str(len(whole))
    assert server.status(name)["encryption"] is (encryption == "true")
    # A partial serves one final.
    again = final(server, urls[0], filename=name + "2")
    expect.error(again, 400, "invalid_parameter")


def test_absolute_urls(server, name):
    url = partial(server, b"hello")
    response = final(server, server.url + url, filename=name)
    assert response.status_code == 201
    assert server.has(name, b"hello")


def test_bad_concatenations(server, name):
    done = partial(server, b"he")
    undone = begin(server, 5, PARTIAL)
    whole = begin(server, 5, filename=name)
    for bad in (undone, whole, "/tus/nothing", f"{done} {done}"):
        response = final(server, bad, filename=name)
        expect.error(response, 400, "invalid_parameter")
    response = create(
        server, 2, {"Upload-Concat": f"final;{done}"}, filename=name
    )
    expect.error(response, 400, "invalid_parameter")
    assert final(server, done, filename=name).status_code == 201


def test_nothing_is_appended_to_a_final_one(server, name):
    made = final(server, partial(server, b"he"), filename=name)
    url = made.headers["Location"]
    for at, data in ((2, b"x"), (2, b""), (0, b"he")):
        expect.error(patch(server, url, at, data), 403, "forbidden")
    assert server.has(name, b"he")


def test_undecided_partials_are_kept_sealed(start):
    server = start()
    data = content(200_000)
    begin_url = begin(server, 400_000, PARTIAL)
    appended(patch(server, begin_url, 0, data), len(data))
    for path in server.files_below("temp"):
        stored = (server.storage / path).read_bytes()
        assert data[1000:1064] not in stored
    raw = (server.storage / "records.db").read_bytes()
    raw += (server.storage / "records.db-wal").read_bytes()
    assert data[-64:] not in raw


# --- broken connections ---------------------------------------------------------


def moved(server, name, n):
    expect.until(lambda: server.status(name)["transferred_bytes"] == n)


@BOTH
@pytest.mark.parametrize("n", [1, 65_535, 65_536, 65_537, 150_000])
def test_what_arrived_is_kept(server, name, n, encryption):
    data = content(200_000)
    url = begin(server, len(data), filename=name, encryption=encryption)
    raw = hang(server, url, 0, len(data), data[:n])
    moved(server, name, n)
    raw.close()
    expect.until(lambda: offset(server, url) == n)
    appended(patch(server, url, n, data[n:]), len(data))
    assert server.has(name, data)


@pytest.mark.tsan
@BOTH
def test_a_hanging_request_gives_way(server, name, encryption):
    data = content(200_000)
    url = begin(server, len(data), filename=name, encryption=encryption)
    with hang(server, url, 0, len(data), data[:100_000]) as raw:
        moved(server, name, 100_000)
        assert offset(server, url) == 100_000
        assert raw.response().status_code == 409
    with hang(server, url, 100_000, 100_000, data[100_000:150_000]) as raw:
        moved(server, name, 150_000)
        response = patch(server, url, 150_000, data[150_000:])
        appended(response, len(data))
        assert raw.response().status_code == 409
    assert server.has(name, data)


def test_with_a_checksum_a_broken_one_is_dropped(server, name):
    data = content(1000)
    url = begin(server, len(data), filename=name)
    raw = server.raw()
    digest = b64(hashlib.sha1(data).digest())
    raw.send(
        f"PATCH {url} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\n"
        f"Upload-Checksum: sha1 {digest}\r\n"
        f"Upload-Offset: 0\r\nContent-Length: 1000\r\n\r\n".encode()
        + data[:500]
    )
    moved(server, name, 500)
    raw.close()
    moved(server, name, 0)
    assert offset(server, url) == 0
    appended(patch(server, url, 0, data), len(data))


@BOTH
def test_a_restart_in_between(start, encryption):
    server = start()
    data = content(300_000)
    url = begin(server, len(data), filename="a", encryption=encryption)
    appended(patch(server, url, 0, data[:100_001]), 100_001)
    server.kill()
    server.start()
    assert offset(server, url) == 100_001
    assert server.status("a")["status"] == "interrupted"
    appended(patch(server, url, 100_001, data[100_001:200_000]), 200_000)
    assert server.status("a")["status"] == "uploading"
    assert server.status("a")["retry_count"] == 1
    server.restart()
    appended(patch(server, url, 200_000, data[200_000:]), len(data))
    assert server.has("a", data)
    server.restart()
    assert offset(server, url) == len(data)


def test_expiry(start):
    server = start(UPLOAD_EXPIRY="1s")
    url = begin(server, 5, filename="a")
    appended(patch(server, url, 0, b"he"), 2)
    expect.until(
        lambda: server.head(url, headers=V).status_code in (404, 410)
    )
    expect.until(lambda: server.files_below("temp") == [])
    assert server.status("a")["status"] == "failed"


# --- cancelling -----------------------------------------------------------------


def test_cancelled(server, name, admin):
    data = content(100_000)
    url = begin(server, len(data), filename=name)
    with hang(server, url, 0, len(data), data[:50_000]) as raw:
        moved(server, name, 50_000)
        response = server.post(f"/cancel/{name}", headers=admin)
        assert response.status_code == 200, response.text
        expect.error(raw.response(), 409, "cancelled")
    response = server.head(url, headers=V)
    assert response.status_code == 410
    expect.error(patch(server, url, 50_000, b"x"), 410)
    assert server.status(name)["status"] == "cancelled"


def test_a_url_cannot_be_guessed_from_the_status(server, name):
    url = begin(server, 5, filename=name)
    text = server.get(f"/status/{name}").text
    assert url.rpartition("/")[2] not in text
    assert re.fullmatch(r"/tus/[0-9a-f]{32}", url)


def test_a_key_sees_only_its_uploads(server, admin):
    made = server.post(
        "/generate_key", json={"prefix": "team-a/"}, headers=admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    response = create(server, 5, key, filename="team-b/x")
    expect.error(response, 403, "forbidden")
    url = begin(server, 5, filename="team-b/y")
    assert server.head(url, headers={**V, **key}).status_code == 404
    mine = begin(server, 5, key, filename="team-a/y")
    assert server.head(mine, headers={**V, **key}).status_code == 200
    for one in (url, mine):
        server.delete(one, headers=V)


def test_all_that_had_arrived_counts_for_who_takes_over(server, names):
    """Often, since what is sent is not read at once."""
    for i in range(40):
        url = begin(server, 100, filename=names())
        with hang(server, url, 0, 100, b"x" * 10):
            expect.until(lambda: offset(server, url) == 10, every=0)


def test_nothing_hangs_when_the_client_shuts_its_side(server, name):
    url = begin(server, 100, filename=name)
    raw = hang(server, url, 0, 100, b"x" * 10)
    raw.half_close()
    expect.until(lambda: offset(server, url) == 10)
    raw.close()
