# SPDX-License-Identifier: MIT
"""POST and GET /download_batch: many files as one ZIP archive."""

import contextlib
import io
import os
import random
import shutil
import sqlite3
import subprocess
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

import expect
from movers import Mover
from queueing import one_place, queue
from sftd import Sftd

MIB = 1 << 20
# What foreign programs make of an archive: the tool, how it tests it, how it
# unpacks it into the current folder.
TOOLS = {
    "unzip": (["unzip", "-tqq"], ["unzip", "-qq"]),
    "bsdtar": (["bsdtar", "-tf"], ["bsdtar", "-xf"]),
    "7z": (["7z", "t", "-bd"], ["7z", "x", "-bd"]),
}


def batch(server, names, **options):
    options.setdefault("headers", server.as_admin)
    body = {"filenames": list(names), **options.pop("json", {})}
    return server.post("/download_batch", json=body, **options)


def link(server, names, query="", headers=None, **options):
    asked = "&".join(f"file={quote(n, safe='')}" for n in names)
    return server.get(
        f"/download_batch?{asked}{query}",
        headers={**server.as_admin, **(headers or {})},
        **options,
    )


def archive(response, files, method=zipfile.ZIP_STORED):
    """The answer is an archive of just these files, in their order."""
    assert response.status_code == 200, response.text[:300]
    assert response.headers["Content-Type"] == "application/zip"
    z = zipfile.ZipFile(io.BytesIO(response.content))
    assert z.testzip() is None
    assert z.namelist() == list(files)
    for name, data in files.items():
        assert z.read(name) == data, name
        assert z.getinfo(name).compress_type == method
    return z


def fill(server, files):
    for i, (name, data) in enumerate(files.items()):
        query = "?encryption=true" if i % 2 else "?encryption=false"
        assert server.put(name, data, query).ok, name
    return files


@pytest.fixture(scope="module")
def some():
    """Files of many sizes, every other one encrypted."""
    rest = random.Random(7)
    return {
        "a.txt": b"some text\n",
        "empty": b"",
        "empty and encrypted": b"",
        "folder/b.bin": rest.randbytes(65536),
        "folder/deeper/c": rest.randbytes(3 * 65536 + 17),
        "é/写真 🎉.jpg": rest.randbytes(1000),
        "zeros": bytes(5 * MIB),
        "large": rest.randbytes(3 * MIB + 1),
        "a,b": b"comma",
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory, some):
    server = Sftd(tmp_path_factory.mktemp("archives")).start()
    fill(server, some)
    yield server
    server.end()


# --- what it is --------------------------------------------------------------


def test_an_archive(filled, some):
    response = batch(filled, some)
    archive(response, some)
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "download.zip" in response.headers["Content-Disposition"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    tag = response.headers["ETag"]
    assert tag[0] == tag[-1] == '"' and len(tag) > 20
    again = link(filled, some)
    assert again.content == response.content
    assert again.headers["ETag"] == tag
    assert again.headers["Accept-Ranges"] == "bytes"


def test_times_and_attributes(filled):
    (f,) = filled.get("/files?prefix=a.txt").json()["files"]
    z = archive(batch(filled, ["a.txt"]), {"a.txt": b"some text\n"})
    info = z.getinfo("a.txt")
    when = time.strptime(f["modified"][:19], "%Y-%m-%dT%H:%M:%S")
    assert info.date_time[:5] == when[:5]
    assert info.date_time[5] == when.tm_sec // 2 * 2
    # the extended timestamp, to the second
    extra = info.extra
    assert extra[:5] == b"UT\x05\x00\x01"
    stamp = int.from_bytes(extra[5:9], "little")
    assert time.gmtime(stamp)[:6] == when[:6]
    assert info.external_attr >> 16 == 0o100644
    assert info.flag_bits == 0x800


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("compress", [False, True])
def test_foreign_readers(filled, some, tmp_path, tool, compress):
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool}")
    check, unpack = TOOLS[tool]
    path = tmp_path / "x.zip"
    response = batch(filled, some, json={"compress": compress})
    path.write_bytes(response.content)
    there = tmp_path / "there"
    there.mkdir()
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    for command in (check, unpack):
        done = subprocess.run(
            [*command, path], cwd=there, env=env, capture_output=True
        )
        assert done.returncode == 0, done
    found = {
        str(p.relative_to(there)): p.read_bytes()
        for p in there.rglob("*")
        if p.is_file()
    }
    assert found == some


def test_bsdtar_reads_it_as_a_stream(filled, some):
    if shutil.which("bsdtar") is None:
        pytest.skip("no bsdtar")
    for compress in (False, True):
        response = batch(filled, some, json={"compress": compress})
        done = subprocess.run(
            ["bsdtar", "-xOf", "-", "large"],
            input=response.content,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == some["large"]


def test_compressed(filled, some):
    response = batch(filled, some, json={"compress": True})
    archive(response, some, zipfile.ZIP_DEFLATED)
    assert "Content-Length" not in response.headers
    assert "ETag" not in response.headers
    assert "Accept-Ranges" not in response.headers
    plain = batch(filled, some)
    assert len(response.content) < len(plain.content) - 4 * MIB
    again = link(filled, some, "&compress=true", {"Range": "bytes=0-9"})
    assert again.content == response.content


def test_without_chunks_it_ends_with_the_connection(filled):
    with filled.raw() as raw:
        raw.send(
            b"GET /download_batch?file=a.txt&compress=true HTTP/1.0\r\n"
            b"X-API-Key: " + filled.admin_key.encode() + b"\r\n\r\n"
        )
        answer = raw.read_to_end()
    body = answer.partition(b"\r\n\r\n")[2]
    z = zipfile.ZipFile(io.BytesIO(body))
    assert z.read("a.txt") == b"some text\n"


def put_all(server, files):
    """Over one connection."""
    with server.raw() as raw:
        for name, data in files.items():
            answer = raw.ask("PUT", f"/upload/{quote(name)}", body=data)
            assert answer.status_code == 201


@pytest.mark.in_time
def test_ten_thousand(start, tmp_path):
    server = start(DURABILITY="relaxed")
    files = {
        f"many/{i % 97}/{i:05}.txt": f"number {i}".encode()
        for i in range(10000)
    }
    put_all(server, files)
    response = batch(server, files)
    archive(response, files)
    assert int(response.headers["Content-Length"]) == len(response.content)
    path = tmp_path / "x.zip"
    path.write_bytes(response.content)
    for tool, (check, _) in TOOLS.items():
        if shutil.which(tool) is not None:
            done = subprocess.run([*check, path], capture_output=True)
            assert done.returncode == 0, done


class Ranged(io.RawIOBase):
    """The bytes at a link, fetched as they are asked for."""

    def __init__(self, server, names):
        self.server = server
        self.names = names
        head = server.head(
            "/download_batch",
            params=[("file", n) for n in names],
            headers=server.as_admin,
        )
        self.size = int(head.headers["Content-Length"])
        self.at = 0

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=os.SEEK_SET):
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.size}
        self.at = base[whence] + offset
        return self.at

    def read(self, n=-1):
        end = self.size if n < 0 else min(self.at + n, self.size)
        if end <= self.at:
            return b""
        asked = {"Range": f"bytes={self.at}-{end - 1}"}
        response = link(self.server, self.names, headers=asked)
        assert response.status_code == 206
        assert len(response.content) == end - self.at
        self.at = end
        return response.content


# The CRC-32 of as many zeros.
LARGE = (4 << 30) + 12345
LARGE_CRC = 0x1E83137D


@pytest.fixture
def with_large(start):
    """A file of more than 4 GiB, which takes no room."""
    server = start()
    server.put("large", b"x")
    (path,) = server.files_below("objects")
    server.stop()
    os.truncate(server.storage / path, 0)
    os.truncate(server.storage / path, LARGE)
    db = sqlite3.connect(server.storage / "records.db")
    with db:
        db.execute("UPDATE files SET size = ?, crc32 = ?", (LARGE, LARGE_CRC))
    db.close()
    server.start()
    server.put("after", b"what comes after it")
    server.put("before", b"what comes before it")
    return server


def test_beyond_4_gib(with_large):
    names = ["before", "large", "after"]
    ranged = Ranged(with_large, names)
    z = zipfile.ZipFile(ranged)
    assert z.namelist() == names
    assert z.getinfo("large").file_size == LARGE
    assert z.getinfo("large").CRC == LARGE_CRC
    assert z.getinfo("after").header_offset > 4 << 30
    assert z.read("before") == b"what comes before it"
    assert z.read("after") == b"what comes after it"
    assert z.start_dir > 4 << 30
    with z.open("large") as f:
        assert f.read(1000) == bytes(1000)


# --- what is asked for -------------------------------------------------------


def test_ways_to_name_them(filled, some):
    whole = batch(filled, ["a.txt", "large"]).content
    get = lambda query: filled.get(
        f"/download_batch?{query}", headers=filled.as_admin
    )
    for query in (
        "file=a.txt&file=large",
        "files=a.txt,large",
        "files=a.txt%2Clarge",
        "files=a.txt&file=large",
        "files=a.txt,large,a.txt&file=large",
        "files=&file=a.txt&file=large&other=x",
    ):
        assert get(query).content == whole, query
    archive(get("file=a,b"), {"a,b": b"comma"})
    archive(get("file=a%2Cb"), {"a,b": b"comma"})
    # composed, as they are stored
    name = "é/写真 🎉.jpg"
    response = get("file=" + quote("e\u0301/写真 🎉.jpg"))
    archive(response, {name: some[name]})
    # a name given twice is sent once
    response = batch(filled, ["a.txt", "empty", "a.txt"])
    archive(response, {"a.txt": some["a.txt"], "empty": b""})


def test_missing(filled):
    for response in (
        batch(filled, ["none", "a.txt", "nor/this"]),
        link(filled, ["none", "a.txt", "nor/this"]),
    ):
        body = expect.error(response, 404, "file_not_found")
        assert body["missing"] == ["none", "nor/this"]


@pytest.mark.parametrize(
    "body, code",
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'["a.txt"]', "invalid_json"),
        (b"{}", "invalid_parameter"),
        (b'{"filenames": []}', "invalid_parameter"),
        (b'{"filenames": "a.txt"}', "invalid_parameter"),
        (b'{"filenames": [1]}', "invalid_parameter"),
        (b'{"filenames": ["a.txt", null]}', "invalid_parameter"),
        (b'{"filenames": ["a.txt"], "compress": 1}', "invalid_parameter"),
        (b'{"filenames": ["../x"]}', "invalid_filename"),
        (b'{"filenames": ["a.txt", ""]}', "invalid_filename"),
        (b'{"filenames": ["a\\u0000b"]}', "invalid_json"),
        (b'{"filenames": ["\xff"]}', "invalid_json"),
        (b'{"filenames": [' + b"0," * 200000 + b"0]}", "invalid_parameter"),
    ],
)
def test_bad_bodies(filled, body, code):
    response = filled.post(
        "/download_batch", data=body, headers=filled.as_admin
    )
    expect.error(response, 400, code)


@pytest.mark.parametrize(
    "query, code",
    [
        ("", "invalid_parameter"),
        ("?files=", "invalid_parameter"),
        ("?file=", "invalid_filename"),
        ("?files=a.txt,,large", "invalid_filename"),
        ("?file=..", "invalid_filename"),
        ("?file=a%00", "invalid_filename"),
        ("?file=a.txt&compress=perhaps", "invalid_parameter"),
    ],
)
def test_bad_links(filled, query, code):
    response = filled.get(f"/download_batch{query}", headers=filled.as_admin)
    expect.error(response, 400, code)


def test_limits(filled):
    response = batch(filled, ["a.txt"] * 10000)
    archive(response, {"a.txt": b"some text\n"})
    response = batch(filled, ["a.txt"] * 10001)
    expect.error(response, 400, "invalid_parameter")
    response = batch(filled, [f"n{i}" for i in range(10000)])
    assert len(expect.error(response, 404)["missing"]) == 10000
    response = batch(filled, [f"n{i}" for i in range(10001)])
    expect.error(response, 400, "invalid_parameter")
    # the longest names that there can be
    names = [f"{i:05}/" + ("x" * 200 + "/") * 5 + "y" * 13 for i in range(9999)]
    assert len(names[0]) == 1024
    response = batch(filled, names)
    assert len(expect.error(response, 404)["missing"]) == 9999
    response = filled.post(
        "/download_batch",
        data=b" " * (16 * MIB + 1),
        headers=filled.as_admin,
    )
    told = expect.error(response, 413, "body_too_large")
    assert told["max_body_size"] == 16 * MIB
    assert told["max_file_size"] > 0
    response = filled.post(
        "/download_batch",
        data=iter([b" " * MIB] * 17),
        headers=filled.as_admin,
    )
    told = expect.error(response, 413, "body_too_large")
    assert told["max_body_size"] == 16 * MIB
    assert told["max_file_size"] > 0


def test_rights(filled, some):
    expect.error(batch(filled, ["a.txt"], headers={}), 401)
    response = filled.get("/download_batch?file=a.txt")
    expect.error(response, 401)
    made = filled.post(
        "/generate_key", json={"scopes": ["write"]}, headers=filled.as_admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    expect.error(batch(filled, ["a.txt"], headers=key), 403)
    made = filled.post(
        "/generate_key", json={"prefix": "folder/"}, headers=filled.as_admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    names = ["folder/b.bin", "folder/deeper/c"]
    files = {n: some[n] for n in names}
    archive(batch(filled, names, headers=key), files)
    body = expect.error(batch(filled, ["a.txt", *names], headers=key), 404)
    assert body["missing"] == ["a.txt"]
    # they see what they moved themselves
    def seen():
        answer = filled.get("/history?direction=download", headers=key).json()
        return {e["filename"] for e in answer["entries"]}

    expect.until(lambda: seen() == {"folder/download.zip"})


# --- ranges and conditions ---------------------------------------------------


@contextlib.contextmanager
def ranges_of(server, names):
    """Asks for ranges over one connection."""
    with server.session() as session:
        session.headers.update(server.as_admin)

        def get(byte_range):
            return session.get(
                server.url + "/download_batch",
                params=[("file", n) for n in names],
                headers={"Range": byte_range},
                timeout=60,
            )

        yield get


def test_ranges_anywhere(filled, some):
    whole = batch(filled, some).content
    n = len(whole)
    rest = random.Random(11)
    spots = [(rest.randrange(n), rest.choice((1, 50, 5000, 10**6)))
             for _ in range(300)]
    # all over the headers, where it is most intricate
    tail = n - zipfile.ZipFile(io.BytesIO(whole)).start_dir
    spots += [(n - tail + i, 40) for i in range(0, tail, 7)]
    spots += [(i, 30) for i in range(0, 120)]
    with ranges_of(filled, some) as get:
        tag = None
        for first, length in spots:
            last = min(first + length, n) - 1
            response = get(f"bytes={first}-{last}")
            assert response.status_code == 206, (first, last)
            assert response.content == whole[first : last + 1], (first, last)
            assert (
                response.headers["Content-Range"] == f"bytes {first}-{last}/{n}"
            )
            tag = tag or response.headers["ETag"]
            assert response.headers["ETag"] == tag
        assert get("bytes=-22").content == whole[-22:]
        assert get(f"bytes={n - 5}-").content == whole[-5:]
        response = get(f"bytes={n}-")
        assert response.status_code == 416
        assert response.headers["Content-Range"] == f"bytes */{n}"


def test_conditions(filled):
    response = link(filled, ["a.txt", "empty"])
    tag = response.headers["ETag"]
    got = link(filled, ["a.txt", "empty"], headers={"If-None-Match": tag})
    assert got.status_code == 304 and got.content == b""
    assert got.headers["ETag"] == tag
    got = link(filled, ["empty", "a.txt"], headers={"If-None-Match": tag})
    assert got.status_code == 200
    assert got.headers["ETag"] != tag
    got = link(filled, ["a.txt", "empty"], headers={"If-Match": '"x"'})
    expect.error(got, 412, "precondition_failed")
    part = {"Range": "bytes=5-9", "If-Range": tag}
    got = link(filled, ["a.txt", "empty"], headers=part)
    assert got.status_code == 206
    assert got.content == response.content[5:10]
    got = link(
        filled, ["a.txt", "empty"], headers={**part, "If-Range": '"x"'}
    )
    assert got.status_code == 200 and got.content == response.content
    # of a POST it is always the whole
    got = batch(
        filled,
        ["a.txt", "empty"],
        headers={**filled.as_admin, "Range": "bytes=0-1"},
    )
    assert got.status_code == 200 and got.content == response.content


def test_head(filled, some):
    whole = link(filled, some)
    head = filled.head(
        "/download_batch",
        params=[("file", n) for n in some],
        headers=filled.as_admin,
    )
    assert head.status_code == 200 and head.content == b""
    for field in ("Content-Length", "ETag", "Content-Type", "Accept-Ranges"):
        assert head.headers[field] == whole.headers[field]


def test_the_tag_is_of_the_bytes(start):
    server = start()
    fill(server, {"a": b"one", "b": b"two"})
    tag = link(server, ["a", "b"]).headers["ETag"]
    server.put("c", b"three")
    assert link(server, ["a", "b"]).headers["ETag"] == tag
    server.restart()
    assert link(server, ["a", "b"]).headers["ETag"] == tag
    server.put("b", b"2wo")
    assert link(server, ["a", "b"]).headers["ETag"] != tag


# --- while others change things ----------------------------------------------


def test_a_snapshot(start):
    """What was planned is sent, whatever happens to the names."""
    server = start()
    files = {f"f{i}": os.urandom(4 * MIB) for i in range(6)}
    fill(server, files)
    response = batch(server, files, stream=True)
    first = response.raw.read(1000)
    for name in files:
        server.put(name, b"another")
    assert server.delete("/files/f3", headers=server.as_admin).ok
    data = first + response.raw.read()
    z = zipfile.ZipFile(io.BytesIO(data))
    for name, content in files.items():
        assert z.read(name) == content
    response.close()
    expect.until(lambda: len(server.files_below("objects")) == 5)


def damage(server, size):
    """Changes a byte near the end of the one object that is so long."""
    (path,) = [
        server.storage / p
        for p in server.files_below("objects")
        if (server.storage / p).stat().st_size >= size
    ]
    with open(path, "r+b") as f:
        f.seek(-40, os.SEEK_END)
        old = f.read(1)
        f.seek(-40, os.SEEK_END)
        f.write(bytes([old[0] ^ 1]))
    return path


def test_a_damaged_member_ends_it_short(start):
    server = start()
    data = os.urandom(3 * MIB)
    server.put("a", b"first")
    server.put("b", data, "?encryption=true")
    server.put("c", b"last")
    damage(server, len(data))
    response = batch(server, ["a", "b", "c"], stream=True)
    assert response.status_code == 200
    length = int(response.headers["Content-Length"])
    got = b""
    with pytest.raises(Exception):
        while True:
            piece = response.raw.read(65536)
            if not piece:
                assert len(got) == length
                break
            got += piece
    assert len(got) < length
    assert b"last" not in got
    # nothing that was not proved
    at = got.index(b"b", got.index(b"first") + 5)
    assert data.startswith(got[got.index(data[:50]) :][: len(data)])
    assert at
    # compressed it does not end as if it were whole
    response = batch(server, ["a", "b", "c"], stream=True,
                     json={"compress": True})
    with pytest.raises(Exception):
        if len(response.raw.read()) and response.raw.read() == b"":
            assert False, "it ended well"
    log = expect.until(lambda: server.log.events("archive cut short"))
    assert log


def test_a_lost_member(start):
    server = start()
    server.put("a", b"x" * 100000)
    server.put("b", b"y")
    for path in server.files_below("objects"):
        path = server.storage / path
        if path.stat().st_size == 100000:
            path.unlink()
    expect.error(batch(server, ["b", "a"]), 500, "file_damaged")
    archive(batch(server, ["b"]), {"b": b"y"})


# --- as a transfer -----------------------------------------------------------


def test_it_is_seen(start):
    server = start()
    files = {"x/a": os.urandom(200000), "x/b": os.urandom(200000)}
    fill(server, files)
    response = batch(server, files)
    archive(response, files)

    def completed(count):
        found = server.get("/history?direction=download").json()["entries"]
        assert len(found) == count
        return found[0]["status"] == "completed" and found[0]

    # A download is completed only when its client has everything.
    one = expect.until(lambda: completed(1))
    expect.transfer(one)
    assert one["filename"] == "x/download.zip"
    assert one["total_bytes"] == len(response.content)
    assert one["transferred_bytes"] == len(response.content)
    assert one["encryption"] is True
    batch(server, files, json={"compress": True})
    assert expect.until(lambda: completed(2))


def waiting(server, files):
    """A request for an archive that waits for its turn."""
    pool = ThreadPoolExecutor(1)
    answer = pool.submit(batch, server, files)
    pool.shutdown(wait=False)
    expect.until(lambda: queue(server) == {"x/download.zip": 1})
    return answer


def test_it_waits_for_its_turn(start):
    server = one_place(start)
    files = fill(server, {"x/a": os.urandom(200000), "x/b": b"second"})
    with Mover(server, "first") as first:
        answer = waiting(server, files)
        # what is there when its turn comes is what is sent
        files["x/b"] = b"changed"
        server.put("x/b", b"changed")
        first.finish()
        archive(answer.result(), files)
    expect.until(lambda: queue(server) == {})


def test_it_may_find_less_when_its_turn_comes(start):
    server = one_place(start)
    files = fill(server, {"x/a": os.urandom(200000), "x/b": b"second"})
    with Mover(server, "first") as first:
        answer = waiting(server, files)
        server.delete("/files/x/b", headers=server.as_admin)
        first.finish()
        body = expect.error(answer.result(), 404, "file_not_found")
        assert body["missing"] == ["x/b"]


def test_it_is_cancelled_while_it_waits(start):
    server = one_place(start)
    files = fill(server, {"x/a": os.urandom(200000), "x/b": b"second"})
    with Mover(server, "first"):
        answer = waiting(server, files)
        response = server.post(
            "/cancel/x/download.zip", headers=server.as_admin
        )
        assert response.status_code == 200
        expect.error(answer.result(), 409, "cancelled")
