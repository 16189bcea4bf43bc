# SPDX-License-Identifier: MIT
"""Names that want to be paths, or something else than names."""

import io
import os
import zipfile

import pytest

import expect
import form
from raw import head
from survival import is_tidy, works
from tus import PARTIAL, V, begin, create, final, metadata, partial

DATA = b"bytes of an attacker"

# As they stand in a URL.
TRAVERSALS = [
    "../x",
    "a/../../x",
    "..",
    "%2e%2e/x",
    "%2e%2e%2fx",
    "..%2f..%2f..%2fx",
    "%2Fetc%2Fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "..%5cx",
    "a%5c..%5c..%5cx",
    "C:%5cx",
    "%5c%5chost%5cshare",
    "./x",
    "a/./x",
    "%c0%ae%c0%ae/x",
    "..%c0%afx",
]
# The same as a person writes them.
PLAIN = ["../x", "..", "a/../../x", "/etc/passwd", "..\\x", "a\\..\\x"]


@pytest.fixture
def guarded(start, tmp_path):
    """A server, and a file beside its directory that nobody may get at."""
    server = start()
    server.put("a", b"of the server")
    (tmp_path / "x").write_bytes(b"outside")
    (server.storage / "x").write_bytes(b"inside")
    yield server
    assert (tmp_path / "x").read_bytes() == b"outside"
    assert (server.storage / "x").read_bytes() == b"inside"
    (tmp_path / "x").unlink()
    (server.storage / "x").unlink()
    assert is_tidy(server)


def test_traversal_in_the_path(guarded):
    """../ plain and encoded, absolute paths and backslashes in URLs, read
    and written."""
    # Fails without the check for '..' in proto/filename.c.
    for path in TRAVERSALS:
        for verb, route in (
            ("GET", "/download/"),
            ("PUT", "/upload/"),
            ("GET", "/thumbnail/"),
            ("GET", "/metadata/"),
            ("GET", "/resume_info/"),
        ):
            body = DATA if verb == "PUT" else None
            with guarded.raw() as raw:
                answer = raw.ask(verb, route + path, body=body)
            assert answer.status_code == 400, (verb, path, answer)
            expect.error(answer, 400)
    assert works(guarded)


def test_traversal_encoded_twice(guarded):
    """%252e%252e%252f is decoded once, and then a name like any other."""
    # Fails without: decoding once (a second url_decode() in api/call.c).
    name = "%2e%2e%2fx"
    with guarded.raw() as raw:
        answer = raw.ask("PUT", "/upload/%252e%252e%252fx", body=DATA)
        assert answer.status_code == 201, answer
        assert answer.json()["filename"] == name
        answer = raw.ask("GET", "/download/%252e%252e%252fx")
        assert answer.content == DATA
        answer = raw.ask("GET", "/download/%25252e%25252e%25252fx")
        assert answer.status_code == 404
    assert works(guarded)


def test_traversal_in_the_multipart_filename(guarded):
    """../ in filename= and filename*=, and in the field of that name."""
    # Fails without the check for '..' in proto/filename.c.
    for name in PLAIN:
        quoted = name.replace("\\", "\\\\")
        encoded = name.replace("\\", "%5C").replace("/", "%2F")
        starred = f"form-data; name=\"file\"; filename*=UTF-8''{encoded}"
        for parts in (
            [form.file(DATA, quoted)],
            [form.part("file", DATA, disposition=starred)],
            [form.part("filename", name), form.file(DATA, "good")],
        ):
            answer = form.post(guarded, *parts)
            if answer.status_code == 200:
                # reduced to its last segment, as browsers' names are
                assert answer.json()["filename"] in ("x", "passwd"), name
            else:
                expect.error(answer, 400, "invalid_filename")
    answer = guarded.post(
        "/upload_chunk",
        data={"filename": "../x", "chunk_number": "0", "total_chunks": "1"},
        files={"chunk": ("blob", DATA)},
    )
    expect.error(answer, 400, "invalid_filename")
    assert works(guarded)


def test_traversal_in_upload_ids(guarded):
    """Paths in place of the id of a tus upload."""
    # Holds with either of the one segment that a route takes (api/routes.c) and
    # the look-up in memory (engine/append.c) alone.
    begin(guarded, 5, filename="real")
    for bad in ("../x", "..%2fx", "..", "%2fetc%2fpasswd", "..%5cx", "%00"):
        for verb in ("HEAD", "PATCH", "DELETE"):
            fields = [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0")]
            kind = "application/offset+octet-stream"
            fields.append(("Content-Type", kind))
            body = b"x" if verb == "PATCH" else None
            with guarded.raw() as raw:
                answer = raw.ask(verb, "/tus/" + bad, *fields, body=body)
            assert answer.status_code in (400, 404, 405), (bad, answer)
            assert "Upload-Offset" not in answer.headers
    assert works(guarded)


def test_traversal_in_concat_ids(guarded):
    """Paths among the uploads that are to be put together."""
    # There is nothing to take away: what is named is looked up in memory
    # (engine/append_join.c), and no path.
    good = partial(guarded, b"good")
    for bad in (
        "/tus/../x",
        "/tus/..%2fx",
        "../x",
        "/etc/passwd",
        "file:///etc/passwd",
        guarded.url + "/tus/../../x",
        "/download/a",
    ):
        answer = final(guarded, good, bad, filename="joined")
        expect.error(answer, 400)
    assert guarded.lacks("joined")
    assert final(guarded, good, filename="joined").status_code == 201
    assert guarded.has("joined", b"good")
    assert works(guarded)


def test_traversal_in_metadata(guarded):
    """Paths as the file's name in Upload-Metadata."""
    # Fails without the check for '..' in proto/filename.c.
    for name in PLAIN + ["a\0b", "a\r\nb"]:
        for key in ("filename", "name"):
            answer = create(guarded, 1, data=None, **{key: name})
            if key == "filename" or answer.status_code != 201:
                expect.error(answer, 400, "invalid_filename")
                continue
            # a key that means nothing: called by its id
            assert name not in answer.headers["Location"]
    for text in ("filename", "filename !!", "filename Li4v,filename YQ=="):
        fields = {**V, "Upload-Length": "1", "Upload-Metadata": text}
        answer = guarded.post("/tus/", headers=fields)
        assert answer.status_code in (201, 400), answer.text
    answer = create(guarded, 4, PARTIAL, filename="../x")
    expect.error(answer, 400, "invalid_filename")
    assert metadata(filename="../x").encode() not in answer.content
    assert works(guarded)


CHARACTERS = {
    "NUL": "\0",
    "CR LF": "\r\n",
    "LF": "\n",
    "ESC": "\x1b[31m",
    "DEL": "\x7f",
    "NEL": "\x85",
    "line separator": "\u2028",
    "override": "\u202egnp.exe",
    "isolate": "\u2066",
}


@pytest.mark.parametrize("case", CHARACTERS)
def test_nul_line_ends_control_and_bidi_characters(server, case):
    """Characters that end, split, or reorder a name for whoever reads it."""
    # Fails without the table of forbidden characters in proto/filename.c.
    name = f"a{CHARACTERS[case]}b.txt"
    expect.error(server.put(name, DATA), 400, "invalid_filename")
    parts = [form.part("filename", name), form.file(DATA, "good")]
    expect.error(form.post(server, *parts), 400, "invalid_filename")
    expect.error(form.post(server, form.file(DATA, name)), 400)
    expect.error(create(server, 1, filename=name), 400, "invalid_filename")
    with server.raw() as raw:  # as they are, not encoded
        target = b"/upload/a" + CHARACTERS[case].encode() + b"b"
        line = b"PUT " + target + b" HTTP/1.1\r\n"
        rest = head("PUT", "/", ("Content-Length", 0))
        raw.send(line + rest.partition(b"\r\n")[2])
        assert raw.response("PUT").status_code == 400
    assert works(server)


def test_symlinks_under_the_upload_directory(start, tmp_path):
    """An object, a preview's folder and temp/ replaced by links to elsewhere."""
    # Fails without O_NOFOLLOW and AT_SYMLINK_NOFOLLOW in
    # storage/storage_local.c; holds with either of them alone.
    own = start()
    secret = tmp_path / "secret"
    secret.write_bytes(b"not to be served")
    # of one size, or that would be noticed first
    own.put("victim", b"that is replaced")
    (victim,) = (own.storage / "objects").glob("*/*")
    victim.unlink()
    victim.symlink_to(secret)
    answer = own.download("victim")
    assert b"not to be served" not in answer.content
    assert answer.status_code >= 400, answer
    archive = own.get("/download_batch?file=victim", headers=own.as_admin)
    assert b"not to be served" not in archive.content
    # Removing it removes the link, not what it shows.
    assert own.delete("/files/victim", headers=own.as_admin).ok
    assert own.put("victim", b"new").status_code == 201
    assert secret.read_bytes() == b"not to be served"
    assert works(own)


def test_zip_slip_and_duplicate_names_in_archives(start, tmp_path):
    """An archive of hostile names, and of one name asked for twice, is
    unpacked."""
    # Fails without the check for '..' in proto/filename.c (zip-slip), and
    # without that for a name that was seen before in api/archive_params.c.
    own = start()
    stored = []
    for name in ("../../evil", "/evil", "a/../../evil", "..\\evil", "C:evil"):
        parts = [form.part("filename", name), form.file(DATA, "x")]
        if form.post(own, *parts).ok:
            stored.append(name)
    own.put("good", b"good")
    own.put("d/good", b"good too")
    body = {"filenames": ["good", "good", "d/good", *stored, "good"]}
    answer = own.post("/download_batch", json=body, headers=own.as_admin)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        expect.error(answer, 400)
        body = {"filenames": ["good", "d/good", *stored]}
        answer = own.post("/download_batch", json=body, headers=own.as_admin)
    members = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert len(members) == len(set(members)), members
    for member in members:
        path = os.path.normpath(tmp_path / "out" / member)
        assert path.startswith(str(tmp_path / "out") + "/"), member
        assert ".." not in member and not member.startswith("/"), member
        assert "\\" not in member, member
    body = {"filenames": ["../../evil"]}
    answer = own.post("/download_batch", json=body, headers=own.as_admin)
    expect.error(answer, (400, 404))
    assert works(own)
