# SPDX-License-Identifier: MIT
"""What is said to be stored is stored, whole, and once."""

import os
import random
import sqlite3
import threading

import pytest

import expect
import form
from chunks import Upload, completed, content, good, sha
from raw import chunk, head
from survival import works
from tus import V, begin, create, final, hang, offset, partial, patch

DATA = random.Random(9).randbytes(300_000)


# --- a 2xx for a short or damaged file ---------------------------------------


def cut_uploads(name):
    """Requests that end before their file has."""
    path = f"/upload/{name}"
    size = ("Content-Length", len(DATA))
    body = form.body(form.file(DATA, name))
    fields = [("Content-Type", form.content_type())]
    coding = ("Transfer-Encoding", "chunked")
    yield head("PUT", path, size) + DATA[:-1]
    yield head("PUT", path, coding) + chunk(DATA)
    yield head("PUT", path, coding) + chunk(DATA)[:-9]
    yield head("POST", "/upload", *fields, coding) + chunk(body[:-6])
    size = ("Content-Length", len(body))
    yield head("POST", "/upload", *fields, size) + body[:-1]
    yield head("POST", "/upload", *fields, size) + body[:100_000]


@pytest.mark.parametrize("end", ["half", "reset"])
def test_a_2xx_for_a_short_file(server, names, end):
    """Uploads of each kind are cut off, by an end and by a reset."""
    # Fails when a body counts as ended before its last byte (net/http_body.c).
    for i in range(6):
        name = names()
        request = list(cut_uploads(name))[i]
        with server.raw() as raw:
            raw.send(request)
            if end == "reset":
                expect.until(lambda n=name: seen(server, n), within=5)
                raw.reset()
                expect.until(lambda n=name: is_failed(server, n))
            else:
                raw.half_close()
                got = raw.read_to_end()
                assert got[9:10] != b"2", (i, got[:60])
        assert server.lacks(name), i
    assert works(server)


def seen(server, name):
    return server.get(f"/status/{name}").status_code == 200


def is_failed(server, name):
    return server.status(name)["status"] in ("failed", "interrupted")


def test_a_2xx_for_a_damaged_file(server, name):
    """Bytes that do not have the digest that was announced, by each way; and
    a file that was there stays."""
    # Fails without the comparison in engine/upload.c, check_hash(), and in
    # engine/chunk_store.c and append_run.c for their kinds.
    server.put(name, b"before")
    wrong = sha(DATA[:-1] + b"x")
    digest = expect.digest_field(b"other")
    for got in (
        server.put(name, DATA, f"?sha256={wrong}"),
        server.put(name, DATA, headers={"Repr-Digest": digest}),
        server.put(name, DATA, headers={"Content-Digest": digest}),
        server.form(name, DATA, {"sha256": wrong}),
        form.post(
            server, form.file(DATA, name), form.part("sha256", wrong)
        ),
    ):
        assert got.status_code in (400, 422), got.text
        assert server.has(name, b"before")
    up = Upload(server, name, [DATA[:100], DATA[100:]], file_hash=wrong)
    good(up.send(0))
    expect.error(up.send(1, chunk_hash=wrong), 400, "chunk_hash_mismatch")
    got = up.send(1)
    expect.error(got, 422, "hash_mismatch")
    url = begin(server, len(DATA), filename=name)
    sum_of_nothing = "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="
    got = patch(server, url, 0, DATA, Upload_Checksum=sum_of_nothing)
    assert got.status_code == 460, got.text
    assert offset(server, url) == 0
    server.delete(url, headers=V)
    assert server.has(name, b"before")
    assert works(server)


def test_a_2xx_for_a_stored_file_that_is_damaged(start):
    """An object became shorter on the disk: no download of it ends well."""
    # Holds with either of the comparison of sizes in engine/stored.c, and the
    # end of the connection where bytes are missing, alone.
    own = start()
    own.put("a", DATA)
    (path,) = (own.storage / "objects").glob("*/*")
    os.truncate(path, len(DATA) - 1)
    with own.raw() as raw:
        raw.send(head("GET", "/download/a"))
        got = raw.response_head()
        if got.status_code == 200:
            assert int(got.headers["Content-Length"]) == len(DATA)
            assert len(raw.read_to_end()) < len(DATA)
    assert works(own)


# --- two writers -------------------------------------------------------------


def test_two_writers_of_one_tus_upload(server, name):
    """A second PATCH at the same offset, while the first hangs: the newest
    goes on, the older ends, and the file is one of them, not a mixture."""
    # Fails without the interruption in append_take_over(), engine/append.c: the
    # newer waits for the older.
    mine, other = b"m" * 200_000, b"o" * 200_000
    url = begin(server, 200_000, filename=name)
    with hang(server, url, 0, 200_000, other[:50_000]) as old:
        expect.until(
            lambda: server.status(name)["transferred_bytes"] >= 50_000
        )
        at = offset(server, url)
        got = patch(server, url, at, mine[at:])
        assert got.status_code in (204, 409), got.text
        ended = old.response("PATCH")
        assert ended.status_code in (409, 423), ended
    at = offset(server, url)
    if at < 200_000:
        assert patch(server, url, at, mine[at:]).status_code == 204
    stored = server.download(name).content
    n = len(stored.rstrip(b"m"))
    assert len(stored) == 200_000 and stored[:n] == other[:n]
    assert works(server)


def test_two_writers_of_one_chunk(server, name):
    """The same chunk with other bytes, at once and many times: what the hash
    says counts, and nothing of the rest is in the file."""
    # Fails without the comparison with the chunk's hash in
    # engine/chunk_store.c.
    pieces = [content(70_000, i) for i in range(3)]
    up = Upload(server, name, pieces)
    bad = [
        threading.Thread(target=up.send, args=(1, content(70_000, f"x{i}")))
        for i in range(4)
    ]
    for thread in bad:
        thread.start()
    up.send_all([1, 0, 1], at_once=3)
    for thread in bad:
        thread.join()
    got = up.send(1)
    assert got.status_code == 200, got.text
    completed(up.send(2), up)
    assert works(server)


def test_two_writers_of_one_name(server, name):
    """Whole files of one name, eight at once: one of them is there, whole."""
    # Holds as each writes a blob of its own, which its commit makes the file.
    files = [bytes([65 + i]) * (100_000 + i) for i in range(8)]
    crowd = [
        threading.Thread(target=server.put, args=(name, data))
        for data in files
    ]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert server.download(name).content in files
    assert works(server)


# --- what a crash leaves -----------------------------------------------------


def test_a_stale_lock_after_a_crash(start):
    """Killed while an upload is locked by a request: after the start it can
    be gone on with at once, and the directory is not locked either."""
    # Fails with O_EXCL, a lock that is a file's existence, in storage/home.c;
    # here they are of the process: flock() and mutexes.
    own = start()
    url = begin(own, len(DATA), filename="tus")
    raw = hang(own, url, 0, len(DATA), DATA[:100_000])
    up = Upload(own, "chunks", [DATA[:10], DATA[10:]])
    good(up.send(1))
    expect.until(
        lambda: own.status("tus")["transferred_bytes"] >= 100_000
    )
    own.kill()
    raw.close()
    assert (own.storage / "lock").exists()
    own.start()
    at = offset(own, url)
    assert patch(own, url, at, DATA[at:]).status_code == 204
    assert own.has("tus", DATA)
    up.server = own
    completed(up.send(0), up)
    assert works(own)


def hashed(server):
    """How far the hash of the only upload has got, as it is on record."""
    uri = f"file:{server.storage}/records.db?mode=ro"
    db = sqlite3.connect(uri, uri=True)
    ((n,),) = db.execute("SELECT hash_offset FROM sessions")
    db.close()
    return n


@pytest.mark.parametrize("encryption", ["false", "true"])
def test_a_restart_within_an_upload_of_odd_chunks(start, encryption):
    """Chunks whose size is no multiple of anything, and the server ends while
    they come: it starts again, and the file is whole."""
    # Fails without is_ahead() in engine/session_note.c: what was hashed is
    # sought in a tail that is not there, and the server dies at each start.
    own = start()
    pieces = [content(7_000_001, seed) for seed in range(2)] * 6
    up = Upload(own, "odd", pieces, encryption=encryption)
    for i in range(10):
        good(up.send(i))
    if encryption == "false":
        assert expect.until(lambda: hashed(own)) % 64 != 0
    own.restart()
    assert up.resume_info()["chunks_received"] == 10
    good(up.send(10))
    completed(up.send(11), up)
    assert works(own)


def test_unfinished_uploads_are_cleaned(start):
    """Uploads of each kind are left alone, also over a restart: their bytes
    go, and whoever comes back is told."""
    # Fails without is_expired() in engine/session_tick.c.
    own = start(UPLOAD_EXPIRY="1s")
    url = begin(own, 9, filename="tus")
    assert patch(own, url, 0, b"half").status_code == 204
    piece = partial(own, b"partial", filename="part")
    good(Upload(own, "chunks", [b"one", b"two"]).send(1))
    with own.raw() as raw:
        raw.send(head("PUT", "/upload/put", ("Content-Length", 99)) + b"x")
        raw.half_close()
        raw.read_to_end()
    own.restart()
    expect.until(lambda: own.files_below("temp") == [])
    assert own.head(url, headers=V).status_code in (404, 410)
    got = patch(own, url, 4, b"other")
    assert got.status_code in (404, 410), got.text
    expect.error(final(own, piece, filename="joined"), (400, 404, 410))
    for name in ("tus", "chunks", "put", "joined"):
        assert own.lacks(name)
    assert own.files_below("objects") == []
    assert works(own)


# --- old and new -------------------------------------------------------------


def test_old_and_new_content_mixed_on_resume(server, name):
    """A download is broken off, the file replaced by one of equal size within
    the same second, and the download gone on with."""
    # Fails without If-Range in api/validators.c.
    old, new = b"o" * 200_000, b"n" * 200_000
    for encryption in ("false", "true"):
        server.put(name, old, f"?encryption={encryption}")
        got = server.download(name, headers={"Range": "bytes=0-99999"})
        assert got.status_code == 206 and got.content == old[:100_000]
        tag = got.headers["ETag"]
        server.put(name, new, f"?encryption={encryption}")
        fields = {"Range": "bytes=100000-", "If-Range": tag}
        got = server.download(name, headers=fields)
        assert got.status_code == 200 and got.content == new
        # the date is no proof within its second
        fields["If-Range"] = got.headers["Last-Modified"]
        got = server.download(name, headers=fields)
        assert got.content in (new, new[100_000:])
        got = server.download(name, headers={**fields, "If-Match": tag})
        assert got.status_code in (200, 412)
        if got.status_code == 200:
            assert got.content == new
        # the old content again has the old tag again
        server.put(name, old, f"?encryption={encryption}")
        fields = {"Range": "bytes=100000-", "If-Range": tag}
        got = server.download(name, headers=fields)
        assert got.status_code == 206 and got.content == old[100_000:]
    assert works(server)


def test_old_and_new_content_mixed_in_an_upload(server, name):
    """Somebody goes on with an upload from another file: with a hash it is
    refused, and what was announced is what counts."""
    # Fails without the comparison of file_hash in engine/chunk_find.c.
    old, new = content(200_000, "old"), content(200_000, "new")
    up = Upload(server, name, [old[:100_000], old[100_000:]])
    up.fields["file_hash"] = sha(old)
    good(up.send(0))
    other = Upload(server, name, [new[:100_000], new[100_000:]])
    other.fields["file_hash"] = sha(new)
    got = other.send(1)
    assert got.status_code in (200, 409, 422), got.text
    if got.status_code == 200:  # it has begun anew
        completed(other.send(0), other)
    else:
        completed(up.send(1), up)
    assert server.download(name).content in (old, new)
    got = create(server, 1, filename=name)
    assert got.status_code == 201
    server.delete(got.headers["Location"], headers=V)
    assert works(server)
