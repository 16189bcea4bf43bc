# SPDX-License-Identifier: MIT
"""Clients that take their time, and as much of everything else as they can
get."""

import os
import resource
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import expect
import form
import images
from chunks import Upload, completed, content, good
from live import WebSocket, were_too_slow
from raw import head
from sftd import Sftd, program
from survival import works
from tus import V, begin, create, metadata, patch

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    settings = {
        "HEADER_TIMEOUT": "1s",
        "IDLE_TIMEOUT": "1s",
        "STALL_TIMEOUT": "1s",
    }
    server = Sftd(tmp_path_factory.mktemp("hurried"), settings).start()
    yield server
    server.end()


def memory(server):
    """KiB that are resident."""
    with open(f"/proc/{server.child}/status") as f:
        found = [line.split()[1] for line in f if line.startswith("VmRSS")]
    return int(found[0])


@pytest.fixture(autouse=True)
def little_is_kept(monkeypatch):
    """A sanitizer keeps what was freed, here not much of it."""
    options = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{options}:quarantine_size_mb=16")


def grown(server, before):
    """KiB since then, without what a sanitizer needs for itself."""
    is_sanitized = b"__asan_init" in Path(program()).read_bytes()
    return memory(server) - before - (is_sanitized and 160 * KIB)


def descriptors(server):
    return len(os.listdir(f"/proc/{server.child}/fd"))


def threads(server):
    return len(os.listdir(f"/proc/{server.child}/task"))


# --- time --------------------------------------------------------------------


def test_slow_heads(hurried):
    """A hundred heads that trickle hold neither threads nor the others, and
    are ended."""
    # Fails without HEADER_TIMEOUT in net/http_loop.c.
    before = threads(hurried)
    crowd = [hurried.raw() for _ in range(100)]
    for raw in crowd:
        raw.send(b"GET /health HTTP/1.1\r\nHost: x\r\nX: ")
    for raw in crowd:
        raw.send(b"y")
    assert works(hurried)
    assert threads(hurried) < before + 20
    for raw in crowd:
        raw.read_to_end()
        raw.close()
    assert works(hurried)


def test_slow_bodies(hurried):
    """Bodies that stall leave no file, no thread, and no bytes in temp/."""
    # Fails without STALL_TIMEOUT in net/http_wait.c.
    crowd = []
    for i in range(20):
        raw = hurried.raw()
        raw.send(head("PUT", f"/upload/slow{i}", ("Content-Length", MIB)))
        raw.send(b"x" * 1000)
        crowd.append(raw)
    assert works(hurried)
    for i, raw in enumerate(crowd):
        got = raw.read_to_end()
        assert b" 20" not in got[:13], got[:100]
        raw.close()
        assert hurried.lacks(f"slow{i}")
    expect.until(lambda: hurried.files_below("temp") == [])
    assert works(hurried)


def test_slow_readers(hurried):
    """Downloads that nobody reads are ended, and hold nobody up."""
    # Fails without STALL_TIMEOUT in net/http_wait.c: TCP_USER_TIMEOUT would end
    # them ten seconds later.
    data = bytes(16 * MIB)
    assert hurried.put("unread", data).ok
    crowd = []
    for _ in range(20):
        raw = hurried.raw(receive_buffer=4 * KIB)
        raw.send(head("GET", "/download/unread"))
        assert raw.response_head().status_code == 200
        crowd.append(raw)
    assert works(hurried)
    def all_ended():
        queue = hurried.get("/status").json()["queue"]
        return not [t for t in queue if t["status"] == "downloading"]

    expect.until(all_ended, within=9)
    for raw in crowd:
        assert len(raw.read_to_end()) < len(data)
        raw.close()
    assert works(hurried)


def test_idle_connections(hurried):
    """Connections that say nothing are closed, TLS or not."""
    # Fails without IDLE_TIMEOUT in net/http_loop.c.
    before = descriptors(hurried)
    crowd = [hurried.raw() for _ in range(100)]
    for raw in crowd[:50]:
        assert raw.ask("GET", "/health").status_code == 200
    expect.until(lambda: descriptors(hurried) >= before + 50)
    # half a ClientHello, which is no request
    crowd[50].send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    for raw in crowd:
        raw.read_to_end()
    expect.until(lambda: descriptors(hurried) < before + 20)
    for raw in crowd:
        raw.close()
    assert works(hurried)


# --- sessions ----------------------------------------------------------------

SESSIONS_OF_ONE = 1000


def create_many(server, n, host="127.0.0.1"):
    """The statuses of so many creations of tus uploads by one address."""
    seen = []
    request = head(
        "POST",
        "/tus/",
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Length", "5"),
        ("Upload-Metadata", metadata(filename="empty")),
        ("Content-Length", "0"),
    )
    with server.raw() as raw:
        for _ in range(n):
            raw.send(request)
            seen.append(raw.response("POST").status_code)
    return seen


def test_millions_of_empty_sessions(start):
    """One client begins uploads without end and sends no byte of them."""
    # Fails without session_count_in() in engine/session_life.c.
    own = start(DURABILITY="relaxed")
    share = SESSIONS_OF_ONE // 4
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(create_many, own, share + 10) for _ in range(4)]
        seen = [status for job in jobs for status in job.result()]
    assert seen.count(201) == SESSIONS_OF_ONE
    assert seen.count(429) == len(seen) - SESSIONS_OF_ONE
    assert len(own.files_below("temp")) <= SESSIONS_OF_ONE
    # other names, and other ways to begin one, change nothing
    fields = {**V, "Upload-Length": "5", "X-Client-Id": "somebody"}
    got = own.post("/tus/", headers=fields)
    expect.error(got, 429, "too_many_requests")
    assert int(got.headers["Retry-After"]) >= 1
    up = Upload(own, "chunked", [b"a", b"b"])
    expect.error(up.send(0), 429, "too_many_requests")
    # whole files still come, and after an end there is room
    assert works(own)
    own.restart()
    assert create_many(own, 1) == [429]
    own.post("/cancel/empty", headers=own.as_admin)
    url = begin(own, 5, filename="again")
    assert patch(own, url, 0, b"again").status_code == 204
    assert own.has("again", b"again")
    assert works(own)


def test_empty_sessions_are_cleaned(start):
    """The same, and nobody cancels them: they expire."""
    # Fails without is_expired() in engine/session_tick.c.
    own = start(UPLOAD_EXPIRY="1s", DURABILITY="relaxed")
    assert create_many(own, 100) == [201] * 100
    good(Upload(own, "chunked", [b"a", b"b"]).send(1))
    expect.until(lambda: own.files_below("temp") == [])
    assert works(own)


def test_huge_total_chunks(start):
    """Uploads of a million chunks take no memory for it beyond a bound, and
    more chunks than that are refused."""
    # Fails without the limit of total_chunks in api/chunk_params.c, and
    # without LIMIT_SESSION_CHUNKS_OF_CLIENT in engine/session_count.c.
    own = start(DURABILITY="relaxed")
    for bad in ("1000001", str(2**31), str(2**40), str(2**63), str(2**64)):
        up = Upload(own, "bad", [b"x"])
        got = up.send(0, total_chunks=bad)
        assert got.status_code in (400, 413), (bad, got.text)
    before = memory(own)
    statuses = []
    for i in range(300):
        up = Upload(own, f"huge{i}", [b"x"])
        statuses.append(up.send(0, total_chunks=1_000_000).status_code)
    assert statuses.count(200) == (1 << 28) // 1_000_000
    assert set(statuses[-10:]) == {429}
    assert grown(own, before) < 256 * KIB
    up = Upload(own, "huge0", [b"x"])
    assert up.resume_info()["can_resume"] is True
    for i in range(3):
        own.post(f"/cancel/huge{i}", headers=own.as_admin)
    up = Upload(own, "fits", [b"a", b"b"])
    good(up.send(1))
    completed(up.send(0), up)
    assert works(own)


def test_sparse_files(start):
    """Chunks far away, and lengths far beyond what comes, make no file that
    is longer than allowed, nor one with holes in it."""
    # Fails when a chunk is written at its number times its size whatever lies
    # before (engine/chunk_store.c, its look at max_file_size).
    own = start(MAX_FILE_SIZE="1000000")
    up = Upload(own, "holes", [b"x" * 10_000] * 1_000)
    for number in (0, 999, 500):
        got = up.send(number)
        assert got.status_code in (200, 413), got.text
    temp = list((own.storage / "temp").iterdir())
    assert max(p.stat().st_size for p in temp) <= 1_000_000
    assert own.lacks("holes")
    got = create(own, 2_000_000, filename="long")
    expect.error(got, 413, "file_too_large")
    url = begin(own, 1_000_000, filename="long")
    assert patch(own, url, 0, b"x").status_code == 204
    assert patch(own, url, 999_999, b"x").status_code == 409
    assert own.lacks("long")
    assert works(own)


# --- much at once ------------------------------------------------------------


def test_lists_of_names_that_do_not_end(start):
    """Twenty-four clients with a key send 16 MiB of names each, but for the end."""
    # Fails without LIMIT_BATCH_BODIES in api/archive_params.c.
    own = start()
    fields = (*own.as_admin.items(), ("Content-Length", 16 * MIB))
    names = b'{"filenames":["' + b"a" * (16 * MIB - 100)
    before = memory(own)
    crowd = [own.raw() for _ in range(24)]

    def send(raw):
        raw.send(head("POST", "/download_batch", *fields))
        raw.send(names)

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, raw) for raw in crowd]
    refused = [raw for raw in crowd if raw.is_readable(1)]
    assert grown(own, before) < 300 * KIB
    assert all(isinstance(j.exception(), OSError | None) for j in sent)
    expect.error(refused[0].response("POST"), 503, "server_busy")
    assert 5 <= len(refused) < 20
    for raw in crowd:
        raw.close()
    expect.until(lambda: grown(own, before) < 100 * KIB)
    assert works(own)


def test_hundreds_of_archives_at_once(start):
    """Three hundred archives are asked for and not read: no memory is taken
    for their bytes, the server answers, and all of it goes again."""
    # Not seen to fail by taking one thing away: that bytes are made as they are
    # read (engine/archive_source.c) is how archives are built.
    own = start(MAX_CONNECTIONS_PER_CLIENT="0", MAX_ACTIVE_TRANSFERS="4")
    own.put("large", content(4 * MIB))
    before, were = memory(own), threads(own)
    crowd = []
    for _ in range(300):
        raw = own.raw(receive_buffer=4 * KIB)
        key = ("X-API-Key", own.admin_key)
        raw.send(head("GET", "/download_batch?file=large&compress=1", key))
        crowd.append(raw)
    assert own.get("/health").status_code == 200
    waiting = own.get("/status", headers=own.as_admin)
    assert waiting.status_code == 200
    assert grown(own, before) < 200 * KIB
    assert threads(own) - were <= 300 + 20  # one for each at most
    for raw in crowd:
        raw.reset()
    expect.until(lambda: works(own), within=30)


def test_subscribing_again_and_again(start):
    """One client asks for the present state in two hundred thousand
    messages."""
    # Fails without the look for a wish that waits in engine/feed.c.
    own = start()
    text = b'42["subscribe_status",{"filename":"x"}]'
    frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
    before = memory(own)
    with WebSocket(own) as ws:
        ws.connect()
        for _ in range(100):
            ws.raw.send(frame * 2000)
        ws.emit("unsubscribe_status", {"filename": "x"}, ack=1)
        ws.until(lambda text: text.startswith("431"))
        assert grown(own, before) < 16 * KIB
    assert works(own)


def test_subscribers_that_do_not_read(start):
    """Fifty clients subscribe to everything and read nothing."""
    # Fails without LIMIT_SUBSCRIBER_QUEUE in engine/bus_queue.c.
    own = start(DURABILITY="relaxed", MAX_CONNECTIONS_PER_CLIENT="0")
    crowd = []
    for _ in range(50):
        ws = WebSocket(own, receive_buffer=2048)
        ws.connect()
        ws.subscribe("subscribe_all")
        crowd.append(ws)
    request = head("PUT", "/upload/" + "n" * 200, ("Content-Length", 1))

    all_told = threading.Event()

    def put(n):
        with own.raw() as raw:
            for _ in range(n):
                if all_told.is_set():
                    break
                raw.send(request + b"x")
                assert raw.response("PUT").status_code in (200, 201)

    before = memory(own)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(put, 400) for _ in range(4)]
        # Each is told to go, which it has five seconds to hear.
        expect.until(lambda: were_too_slow(own) == len(crowd), within=60)
        all_told.set()
        for job in jobs:
            job.result()
    code, reason = crowd[0].closed()
    assert code == 1013 and "fast enough" in reason
    assert grown(own, before) < 150 * KIB
    for ws in crowd:
        ws.raw.reset()
    assert works(own)


# --- images ------------------------------------------------------------------

BOMBS = {
    "65 bytes that want 1 GB": lambda: images.png_that_claims(16384, 16384),
    "2^31 by 2^31": lambda: images.png_that_claims(2**31 - 1, 2**31 - 1),
    "one colour": lambda: images.png_of_one_colour(12_000, 12_000),
    "a comment of 100 MB": images.text_bomb,
    "gif": lambda: images.gif_that_claims(65535, 65535),
    "jpeg": lambda: images.jpeg_that_claims(65500, 65500),
    "webp": lambda: images.webp_that_claims(16384, 16384),
    "tiff": lambda: images.tiff_that_claims(2**31 - 1, 2**31 - 1),
    # CVE-2023-4863: Huffman tables of a lossless WebP beyond their room
    "webp tables": lambda: b"RIFF\x40\0\0\0WEBPVP8L\x34\0\0\0\x2f"
    + b"\0\0\0\x10\x88\x88\x08" * 7,
    "cut short": lambda: images.jpeg()[:500],
}


@pytest.mark.parametrize("case", BOMBS)
def test_decompression_bombs_and_decoder_bugs(server, names, case):
    """Small images that want gigabytes, and ones that decoders fell over."""
    # Fails without the limit of pixels in preview/decode_vips.c; one that
    # wants memory holds with either of that and preview/jail.c alone.
    name = names(".png")
    data = BOMBS[case]()
    assert len(data) < MIB
    before = memory(server)
    assert server.put(name, data).status_code == 201
    got = server.get(f"/thumbnail/{name}")
    if got.status_code != 200:
        expect.error(got, (404, 415, 422, 503))
    else:
        assert case == "a comment of 100 MB"
        assert max(images.opened(got.content).size) <= 256
    assert grown(server, before) < 100 * KIB
    good_one = names(".jpg")
    server.put(good_one, images.jpeg())
    got = server.get(f"/thumbnail/{good_one}")
    assert images.shows_quarters(images.opened(got.content))
    assert server.has(name, data)
    assert works(server)


# --- nothing left ------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    """disk(options) mounts a small file system in memory."""
    path = tmp_path / "disk"
    path.mkdir()

    def mount(options):
        words = ["mount", "-t", "tmpfs", "-o", options, "none", str(path)]
        if subprocess.run(words, capture_output=True).returncode != 0:
            pytest.skip("may not mount here")
        return path

    yield mount
    # lazily: the server of the test ends after this fixture
    subprocess.run(["umount", "-l", str(path)], capture_output=True)


def uploads(server, name, data):
    """The answers to each way of uploading it."""
    yield server.put(name, data)
    yield server.form(name, data)
    yield Upload(server, name, [data[:10], data[10:]]).send(1)
    yield create(server, len(data), {"Content-Type": BYTES}, data)


BYTES = "application/offset+octet-stream"


def test_disk_full(start, disk):
    """The disk is full: 507 by each way, nothing broken, and on it goes."""
    # Fails without the code of ENOSPC in base/err.c: 500 instead.
    place = disk("size=24m")
    own = start(UPLOAD_DIR=place / "storage")
    own.storage = place / "storage"
    own.put("kept", b"kept")
    filler = place / "filler"
    with pytest.raises(OSError), open(filler, "wb", buffering=0) as f:
        while f.write(bytes(64 * KIB)):
            pass
    for got in uploads(own, "x", content(2 * MIB)):
        expect.error(got, 507, "storage_full")
    assert own.lacks("x") and own.has("kept", b"kept")
    assert own.get("/status").status_code == 200
    filler.unlink()
    expect.until(lambda: works(own))
    own.restart()
    assert own.has("kept", b"kept")


def test_inodes_gone(start, disk):
    """There are bytes, and no inodes: the same."""
    # Fails without the code of ENOSPC in base/err.c: 500 instead.
    place = disk("size=64m,nr_inodes=400")
    own = start(UPLOAD_DIR=place / "storage")
    own.storage = place / "storage"
    own.put("kept", b"kept")
    filler = place / "filler"
    filler.mkdir()
    with pytest.raises(OSError):
        for i in range(1000):
            (filler / str(i)).touch()
    for got in uploads(own, "x", content(200_000)):
        expect.error(got, 507, "storage_full")
    assert own.lacks("x") and own.has("kept", b"kept")
    for path in filler.iterdir():
        path.unlink()
    expect.until(lambda: works(own))


def test_descriptors_gone(start):
    """All descriptors are taken by connections: those that are there are
    answered, refusals say so, and it goes on afterwards."""
    # Fails where EMFILE ends the server (net/http_accept.c); drop_one() there
    # tells those who cannot be served at once, and is not needed for the rest.
    own = start(MAX_CONNECTIONS_PER_CLIENT="0")
    own.put("kept", b"kept")
    soft = descriptors(own) + 20
    hard = resource.prlimit(own.child, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(own.child, resource.RLIMIT_NOFILE, (soft, hard))
    crowd = []
    for _ in range(60):
        one = socket.create_connection((own.host, own.port), 20)
        crowd.append(one)
    first = crowd[0]
    for i in range(3):
        data = b"x" * (1 + 100_000 * i)
        lines = head("PUT", f"/upload/x{i}", ("Content-Length", len(data)))
        first.sendall(lines + data)
        got = first.recv(65536)
        assert got[9:12] in (b"201", b"503", b"507", b"500"), got
        if got[9:12] != b"201":
            assert b'"success":false' in got
            break
    for one in crowd:
        one.close()
    expect.until(lambda: works(own))
    assert own.has("kept", b"kept")
    resource.prlimit(own.child, resource.RLIMIT_NOFILE, (hard, hard))
    assert works(own)


def test_answers_stay_correct_while_the_disk_fills(start, disk):
    """Four clients upload until nothing fits: what was answered with a 2xx is
    there, and nothing else."""
    # Fails when a write that failed is passed over in storage/local_blob.c; see
    # also tests/fault/test_disk_full.py.
    place = disk("size=40m")
    own = start(UPLOAD_DIR=place / "storage")
    own.storage = place / "storage"
    filler = place / "filler"
    filler.write_bytes(bytes(20 * MIB))
    kept, lost = {}, []

    def put(who):
        for i in range(12):
            name, data = f"{who}-{i}", content(700_000, f"{who}{i}")
            got = own.put(name, data)
            if got.status_code == 201:
                kept[name] = data
            else:
                expect.error(got, 507, "storage_full")
                lost.append(name)

    crowd = [threading.Thread(target=put, args=(w,)) for w in "abcd"]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert kept and lost
    for name, data in kept.items():
        assert own.has(name, data)
    for name in lost:
        assert own.lacks(name)
    filler.unlink()
    expect.until(lambda: works(own))
    assert form.post(own, form.file(b"x", "form")).status_code == 200
