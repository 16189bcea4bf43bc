# SPDX-License-Identifier: MIT
"""BANDWIDTH_LIMIT: one rate for the whole server, shared by priority + 1."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import expect
from chunks import Upload, content, cut, good
from movers import Mover
from raw import head

KIB = 1024
MIB = 1024 * KIB
LIMIT = 4 * MIB
# The contract's: of the limit and of the shares, over two seconds.
WITHIN = 0.05
OVER_S = 2
FILE_SIZE = 64 * MIB


class Stream:
    """A transfer that takes all it can get, and knows when."""

    def __init__(self, server, name, priority=0):
        self.server = server
        self.priority = priority
        self.name = name
        self.over = threading.Event()
        self.raw = server.raw()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.raw.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.raw.close()

    def _run(self):
        try:
            self.move()
        except (OSError, EOFError):
            assert self.over.is_set()


class Up(Stream):
    def moved(self):
        return self.server.status(self.name)["transferred_bytes"]

    def move(self):
        self.raw.send(
            head(
                "PUT",
                f"/upload/{self.name}?priority={self.priority}",
                ("Content-Length", 1 << 30),
            )
        )
        while not self.over.is_set():
            self.raw.send(bytes(64 * KIB))


class Down(Stream):
    """Its bytes are those that came: nothing stays on the way for long."""

    count = 0

    def moved(self):
        return self.count

    def move(self):
        self.raw.send(head("GET", f"/download/{self.name}"))
        while not self.over.is_set():
            self.count += len(self.raw.read(16 * KIB))


def shares(*streams):
    """Bytes a second of each, over two seconds."""
    begin = time.monotonic()
    before = [s.moved() for s in streams]
    expect.until(lambda: time.monotonic() >= begin + OVER_S)
    now = [s.moved() for s in streams]
    took = time.monotonic() - begin
    return [(b - a) / took for a, b in zip(before, now)]


def assert_shares(streams, wanted):
    """Of the limit, and each of it.  A machine that stood still for a while
    gets another try."""
    for s in streams:
        expect.until(lambda s=s: s.moved() > MIB // 4)
    got = []
    for _ in range(4):
        got.append([share / LIMIT for share in shares(*streams)])
        if abs(sum(got[-1]) - sum(wanted)) < WITHIN and all(
            abs(a - b) < WITHIN * b for a, b in zip(got[-1], wanted)
        ):
            return
    raise AssertionError(f"{got} of the limit, wanted {wanted}")


@pytest.fixture(name="server")
def limited(start):
    """It has a file, which came before there was a limit."""
    server = start(MAX_FILE_SIZE="1G")
    data = bytes(FILE_SIZE)
    assert server.put("plain", data).status_code == 201
    assert server.put("sealed", data, "?encryption=true").status_code == 201
    server.stop()
    server.settings["BANDWIDTH_LIMIT"] = str(LIMIT)
    server.start()
    return server


def test_one_upload_gets_it_all(server):
    with Up(server, "one") as one:
        assert_shares([one], [1])


@pytest.mark.parametrize("name", ["plain", "sealed"])
def test_one_download_gets_it_all(server, name):
    with Down(server, name) as one:
        assert_shares([one], [1])


def test_shares_are_by_priority(server):
    with Up(server, "a", 0) as a, Up(server, "b", 2) as b:
        assert_shares([a, b], [1 / 4, 3 / 4])
        answer = server.ask(
            "PATCH",
            "/status/a",
            json={"priority": 8},
            headers=server.as_admin,
        )
        assert answer.status_code == 200
        assert_shares([a, b], [3 / 4, 1 / 4])


def test_both_ways_share_it(server):
    with Up(server, "up", 1) as up, Down(server, "plain") as plain:
        with Down(server, "sealed") as sealed:
            assert_shares([up, plain, sealed], [2 / 4, 1 / 4, 1 / 4])
        # What one leaves, the others have.
        assert_shares([up, plain], [2 / 3, 1 / 3])


def test_who_does_not_use_its_share_leaves_it(server):
    with Mover(server, "little", rate=LIMIT // 8, query="?priority=10") as little:
        with Up(server, "much") as much:
            assert_shares([much], [7 / 8])
            assert little.moved() > 0


def test_chunks_of_one_file_have_one_share(server):
    up = Upload(server, "chunks", cut(content(32 * MIB), MIB))
    good(up.send(0))
    with Up(server, "other") as other, ThreadPoolExecutor(1) as pool:
        answers = pool.submit(up.send_all, at_once=4)
        assert_shares([other], [1 / 2])
        assert not answers.done()
        server.post("/cancel/chunks", headers=server.as_admin)


def test_a_limited_transfer_is_not_slow(server):
    """No place is lost, and nothing times out, for the server's own limit."""
    server.stop()
    server.settings |= {
        "BANDWIDTH_LIMIT": str(32 * KIB),
        "STALL_TIMEOUT": "1s",
        "MAX_ACTIVE_TRANSFERS": "1",
    }
    server.start()
    data = content(256 * KIB)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.put, "first", data)
        expect.until(lambda: server.get("/status/first").ok)
        second = pool.submit(server.put, "second", data)
        expect.until(lambda: server.get("/status/second").ok)
        assert first.result().status_code == 201
        assert server.status("second")["transferred_bytes"] < len(data) // 2
        assert second.result().status_code == 201
