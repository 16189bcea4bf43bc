# SPDX-License-Identifier: MIT
"""POST /upload_batch: many files in one request."""

import random

import pytest

import batches
import expect
import form
from raw import chunked, head

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080200000090"
    "7753de0000000c4944415408d763f8cfc0000003010100c9fe92ef000000"
    "0049454e44ae426082"
)
LIMIT = 10_000


def data_of(size):
    return random.Random(size).randbytes(size)


@pytest.fixture
def some(names):
    """Files of sizes around what is held, sealed and read at once."""
    sizes = [0, 1, 4096, 65536, 65537, 1 << 20, (1 << 20) + 1, 3_000_000]
    return {names(): data_of(size) for size in sizes}


@pytest.mark.parametrize("query", ["", "?encryption=false", "?encryption=yes"])
def test_all_of_them_are_there(server, admin, some, query):
    response = batches.post(server, *batches.files(some), query=query)
    body = batches.stored(server, response, some)
    assert [r["filename"] for r in body["results"]] == list(some)
    for r in body["results"]:
        assert r["metadata"]["encryption"] is ("yes" in query)
        status = server.status(r["filename"])
        assert status["status"] == "completed"
        assert status["checksum"] == r["hash"]
        assert status["transferred_bytes"] == r["size"]


def test_what_is_said_of_a_file(server, admin, name):
    name = name[:-4] + ".JPG"
    response = batches.post(server, form.part("files", PNG, name))
    (result,) = batches.stored(server, response, {name: PNG})["results"]
    m = result["metadata"]
    assert expect.is_time(m.pop("created")) and expect.is_time(
        m.pop("modified")
    )
    assert m == {
        "filename": name,
        "size": len(PNG),
        "mime_type": "image/png",
        "extension": ".jpg",
        "thumbnail": name + ".thumb.jpg",
        "width": 1,
        "height": 1,
        "hash": expect.sha256(PNG),
        "encryption": False,
    }


def test_a_name_keeps_its_first_date(server, admin, name):
    def dates(data):
        response = batches.post(server, form.part("files", data, name))
        m = batches.answer(response)["results"][0]["metadata"]
        return m["created"], m["modified"]

    first = dates(b"old")
    second = dates(b"new")
    assert second[0] == first[0]
    listed = server.get(f"/files?prefix={name}").json()["files"][0]
    assert (listed["created"], listed["modified"]) == second


def test_a_part_may_be_called_as_that_of_one_upload(server, admin, names):
    files = {names(): b"one", names(): b"two"}
    parts = [form.file(data, name) for name, data in files.items()]
    batches.stored(server, batches.post(server, *parts), files)


def test_the_chunked_coding(server, admin, some):
    body = form.body(*batches.files(some))
    with server.raw() as raw:
        raw.send(
            head(
                "POST",
                "/upload_batch",
                ("Transfer-Encoding", "chunked"),
                ("Content-Type", form.content_type()),
                *admin.items(),
            )
            + chunked(body, 70_001)
        )
        batches.stored(server, raw.response(), some)


# --- options ------------------------------------------------------------------

PLACES = ["before", "between", "after", "query"]


def place(files, where, field, value):
    """The parts of files, with an option somewhere; and the query."""
    parts = batches.files(files)
    at = {"before": 0, "between": 1, "after": len(parts)}.get(where)
    if at is None:
        return parts, f"?{field}={value}"
    parts.insert(at, form.part(field, value))
    return parts, ""


@pytest.mark.parametrize("where", PLACES)
def test_options_hold_for_all(server, admin, some, where):
    options = {"encryption": "true", "priority": "7", "client_id": "me"}
    parts, query = batches.files(some), ""
    for field, value in options.items():
        at = {"before": 0, "between": 3, "after": len(parts)}.get(where)
        if at is None:
            query += f"{'&' if query else '?'}{field}={value}"
        else:
            parts.insert(at, form.part(field, value))
    response = batches.post(server, *parts, query=query)
    body = batches.stored(server, response, some)
    for r in body["results"]:
        assert r["metadata"]["encryption"] is True
        status = server.status(r["filename"])
        assert status["encryption"] is True
        assert status["priority"] == 7
        assert status["client_id"] == "me"


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(
    "field,value",
    [
        ("priority", "11"),
        ("priority", "high"),
        ("encryption", "maybe"),
        ("if_exists", "ask"),
        ("client_id", "x" * 129),
    ],
)
def test_a_bad_option_keeps_nothing(server, admin, names, where, field, value):
    files = {names(): b"one", names(): data_of(200_000)}
    old = names()
    server.put(old, b"old")
    parts, query = place({**files, old: b"new"}, where, field, value)
    response = batches.post(server, *parts, query=query)
    assert field in expect.error(response, 400, "invalid_parameter")["error"]
    for name in files:
        assert server.lacks(name)
    assert server.has(old, b"old")


def test_yes_and_no_in_one_form(server, admin, name):
    response = batches.post(
        server,
        form.part("encryption", "no"),
        form.part("files", b"x", name),
        form.part("encryption", "yes"),
    )
    expect.error(response, 400, "invalid_parameter")
    assert server.lacks(name)


def test_what_is_one_files_alone_is_not_taken(server, admin, names):
    """A name or a hash cannot hold for all."""
    files = {names(): b"one", names(): b"two"}
    response = batches.post(
        server,
        form.part("filename", "other"),
        *batches.files(files),
        form.part("sha256", "0" * 64),
        query="?filename=other&sha256=" + "0" * 64,
    )
    batches.stored(server, response, files)


@pytest.mark.parametrize("where", PLACES)
def test_only_new_ones(server, admin, names, where):
    old, new = names(), names()
    server.put(old, b"old")
    parts, query = place(
        {new: b"1", old: b"2"}, where, "if_exists", "error"
    )
    body = batches.answer(batches.post(server, *parts, query=query))
    good, bad = body["results"]
    assert (good["status"], bad["status"]) == ("success", "failed")
    assert bad["code"] == "file_exists" and old in bad["error"]
    assert server.has(old, b"old") and server.has(new, b"1")


# --- names --------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?if_exists=error"])
@pytest.mark.parametrize("asked", ["", "encryption=false"])
def test_the_last_of_a_name_wins(server, admin, names, query, asked):
    name, other = names(), names()
    pairs = [(name, b"first"), (other, b"x"), (name, b"second")]
    query = "?" + "&".join(q for q in (query[1:], asked) if q)
    response = batches.post(server, *batches.files(pairs), query=query)
    body = batches.answer(response)
    assert body["success"] is True and body["total_files"] == 3
    assert server.has(name, b"second") and server.has(other, b"x")


def test_a_good_one_stays_when_its_successor_fails(start):
    own = start(MAX_FILE_SIZE=1000)
    pairs = [("a", b"first"), ("a", bytes(1001))]
    body = batches.answer(batches.post(own, *batches.files(pairs)))
    assert [r["status"] for r in body["results"]] == ["success", "failed"]
    assert own.has("a", b"first")


@pytest.mark.parametrize(
    "sent", ["dir/{}", "/abs/{}", "..\\{}", "C:\\\\x\\\\{}"]
)
def test_only_the_last_segment_counts(server, admin, name, sent):
    response = batches.post(server, form.part("files", b"x", sent.format(name)))
    batches.stored(server, response, {name: b"x"})


def test_paths_can_be_kept(server, admin, name):
    files = {f"{name}/a/one": b"1", f"{name}/b/one": b"2"}
    response = batches.post(
        server, *batches.files(files), query="?paths=keep"
    )
    batches.stored(server, response, files)


def test_kept_paths_are_names_like_any(server, admin, name):
    pairs = [
        (f"/{name}", b"x"),
        (f"../{name}", b"x"),
        (f"a/../{name}", b"x"),
        (f"a//{name}", b"x"),
        (name, b"good"),
    ]
    response = batches.post(
        server, *batches.files(pairs), query="?paths=keep"
    )
    results = batches.answer(response)["results"]
    assert [r.get("code") for r in results[:4]] == ["invalid_filename"] * 4
    assert [r["filename"] for r in results[:4]] == [p[0] for p in pairs[:4]]
    assert results[4]["status"] == "success" and server.has(name, b"good")


@pytest.mark.parametrize("value", ["all", "KEEP", "1", "%ff"])
def test_no_such_way_to_treat_paths(server, admin, name, value):
    response = batches.post(
        server, form.part("files", b"x", name), query=f"?paths={value}"
    )
    expect.error(response, 400, "invalid_parameter")
    assert server.lacks(name)


BAD_NAMES = {
    "nothing": form.part("files", b"x"),
    "empty": form.part("files", b"x", ""),
    "dots": form.part("files", b"x", ".."),
    "no text": form.part(
        "files",
        b"x",
        disposition='form-data; name="files"; filename="a',
    )[:0]
    + b'Content-Disposition: form-data; name="files"; filename="a\xff"'
    b"\r\n\r\nx",
    "too long": form.part("files", b"x", "n" * 256),
    "control character": form.part("files", b"x", "a\x01b"),
    "NUL": form.part("files", b"x", "a\0b"),
    "DEL": form.part("files", b"x", "a\x7fb"),
}


@pytest.mark.parametrize("kind", BAD_NAMES)
@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_bad_name_stops_no_other(server, admin, names, kind, where):
    files = {names(): data_of(100_000), names(): b"two"}
    parts = batches.files(files)
    parts.insert(where, BAD_NAMES[kind])
    body = batches.answer(batches.post(server, *parts))
    assert (body["successful"], body["failed"]) == (2, 1)
    assert body["results"][where]["code"] == "invalid_filename"
    for name, data in files.items():
        assert server.has(name, data)


def test_a_key_keeps_to_its_prefix(server, admin, name):
    made = server.post(
        "/generate_key",
        json={"prefix": f"{name}/", "scopes": ["write"]},
        headers=admin,
    ).json()
    pairs = [(f"{name}/in", b"1"), (f"{name}-out", b"2")]
    response = batches.post(
        server,
        *batches.files(pairs),
        query="?paths=keep",
        headers={"X-API-Key": made["api_key"]},
    )
    body = batches.answer(response)
    assert [r.get("code") for r in body["results"]] == [None, "forbidden"]
    assert server.has(f"{name}/in", b"1")
    assert server.lacks(f"{name}-out")


# --- sizes --------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?encryption=false", "?encryption=yes"])
def test_the_largest_size_is_that_of_one(start, query):
    own = start(MAX_FILE_SIZE=100_000)
    files = {f"f{i}": data_of(100_000 - i) for i in range(5)}
    large = [("large", data_of(100_001)), ("huge", data_of(2_000_000))]
    parts = batches.files(files)
    parts[2:2] = batches.files(large)
    body = batches.answer(batches.post(own, *parts, query=query))
    assert (body["successful"], body["failed"]) == (5, 2)
    for r in body["results"][2:4]:
        assert r["code"] == "file_too_large" and "100000" in r["error"]
        assert own.lacks(r["filename"])
        assert own.status(r["filename"])["status"] == "failed"
    for name, data in files.items():
        assert own.has(name, data)
    assert own.files_below("temp") == []


def test_so_many_files_and_not_one_more(start):
    own = start()
    name = "n/{}".format
    pairs = [(name(i), b"") for i in range(LIMIT + 1)]
    parts = batches.files(pairs)
    query = "?paths=keep&encryption=false"
    response = batches.post(own, *parts, query=query)
    error = expect.error(response, 400, "invalid_parameter")["error"]
    assert str(LIMIT) in error and "nothing was kept" in error
    assert own.lacks(name(0)) and own.files_below("objects") == []
    body = batches.answer(batches.post(own, *parts[:LIMIT], query=query))
    assert body["successful"] == LIMIT
    assert own.has(name(LIMIT - 1), b"")


# --- what is no batch ---------------------------------------------------------


def test_no_files(server, admin):
    response = batches.post(server, form.part("priority", "3"))
    expect.error(response, 400, "missing_file")
    expect.error(batches.post(server), 400, ("missing_file",
                                             "malformed_request"))


def test_no_form(server, admin):
    for kind in ("application/json", "text/plain"):
        response = server.post(
            "/upload_batch",
            data=b"{}",
            headers={**admin, "Content-Type": kind},
        )
        expect.error(response, 400, "missing_file")


@pytest.mark.parametrize("query", ["", "?encryption=false"])
def test_a_form_without_its_end(server, admin, names, query):
    files = {names(): b"one", names(): data_of(100_000)}
    body = form.body(*batches.files(files))[:-4]
    response = server.post(
        "/upload_batch" + query,
        data=body,
        headers={**admin, "Content-Type": form.content_type()},
    )
    expect.error(response, 400, "malformed_request")
    for name in files:
        assert server.lacks(name)


def test_it_needs_a_key_that_may_write(server, admin, name):
    part = form.part("files", b"x", name)
    expect.error(batches.post(server, part, headers={}), 401, "unauthorized")
    made = server.post(
        "/generate_key", json={"scopes": ["read"]}, headers=admin
    ).json()
    reader = {"X-API-Key": made["api_key"]}
    expect.error(batches.post(server, part, headers=reader), 403, "forbidden")
    assert server.lacks(name)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(server, admin, method):
    response = server.ask(method, "/upload_batch", headers=admin)
    expect.error(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST, OPTIONS"
