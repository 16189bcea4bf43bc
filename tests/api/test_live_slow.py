# SPDX-License-Identifier: MIT
"""Subscribers that are slow, silent, or mean harm."""

import os
import random
import threading

import pytest

import expect
from live import (
    PATH,
    Polling,
    Stream,
    WebSocket,
    handshake,
    is_completed,
    were_too_slow,
)
from sftd import ROOT


def memory(server):
    """Kilobytes of the server that are its own."""
    with open(f"/proc/{server.child}/status", encoding="ascii") as f:
        line = next(s for s in f if s.startswith("RssAnon:"))
    return int(line.split()[1])


def put_many(server, numbers, workers=4):
    def put(some):
        with server.raw() as raw:
            for i in some:
                answer = raw.ask("PUT", f"/upload/m{i}", body=b"x")
                assert answer.status_code in (200, 201)

    threads = [
        threading.Thread(target=put, args=(numbers[w::workers],))
        for w in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def relaxed(start):
    return start(DURABILITY="relaxed", MAX_CONNECTIONS_PER_CLIENT="0")


@pytest.mark.tsan
def test_a_stalled_one_loses_progress_and_no_end(start):
    server = start(BANDWIDTH_LIMIT="2M")
    with Stream(server, receive_buffer=2048) as stream:
        # More than the sockets hold: it falls behind.
        for i in range(100):
            server.put(f"{i:03}-" + "n" * 240, b"x")
        server.put("last", b"x" * 6000000)
        ends = []
        for _, _, data in stream.until(is_completed("last")):
            if data["status"] == "completed":
                ends.append(data["filename"][:3])
    assert ends == [f"{i:03}" for i in range(100)] + ["las"]


@pytest.mark.tsan
def test_one_that_falls_too_far_behind_is_told_to_go(relaxed):
    server = relaxed
    with WebSocket(server, receive_buffer=2048) as ws, Stream(
        server, receive_buffer=2048
    ) as stream, WebSocket(server) as good:
        for one in (ws, good):
            one.connect()
            one.emit("subscribe_all", ack=1)
            one.text()
        got = []

        def follow():
            while "last" not in got:
                data = good.event("transfer_update")
                if data["status"] == "completed":
                    got.append(data["filename"])

        follower = threading.Thread(target=follow)
        follower.start()
        # A mebibyte may wait, and two states of an upload are some 800 bytes.
        # Not one more than it takes: the server gives those that it closes
        # five seconds to hear why.
        n = 0
        while were_too_slow(server) < 2:
            assert n < 20000
            put_many(server, range(n, n + 200))
            n += 200
        code, reason = ws.closed()
        assert code == 1013 and "fast enough" in reason
        with pytest.raises(EOFError):
            while True:
                last = stream.event()
        assert last[1:] != () and last[2]["code"] == "too_slow"
        server.put("last", b"x")
        follower.join(60)
        assert sorted(got) == sorted(["last", *(f"m{i}" for i in range(n))])
        # It comes back, and all is well.
        with WebSocket(server) as again:
            again.connect()
            again.emit("subscribe_status", {"filename": "m7"})
            assert again.event("status_update")["status"] == "completed"


def test_stalled_ones_cost_little_memory(start, monkeypatch):
    # A sanitizer keeps what is freed.
    plain = ROOT / "build" / "sftd"
    if not plain.exists():
        pytest.skip("needs the program without sanitizers")
    monkeypatch.setenv("SFTD", str(plain))
    server = start(DURABILITY="relaxed", MAX_CONNECTIONS_PER_CLIENT="0")
    stalled = []
    put_many(server, range(200))
    before = memory(server)
    for _ in range(200):
        ws = WebSocket(server, receive_buffer=2048)
        ws.connect()
        ws.subscribe("subscribe_all")
        stalled.append(ws)
    put_many(server, range(2500))
    # Each of them would fill its queue; what waits in them is shared.
    assert memory(server) - before < 60 * 1024
    server.check()
    for ws in stalled:
        ws.close()


@pytest.mark.in_time
def test_acknowledgements_that_nobody_reads(server):
    with WebSocket(server, receive_buffer=2048) as ws:
        ws.connect()
        for i in range(20000):
            ws.emit("subscribe_all", ack=i)
        assert ws.closed()[0] == 1013


def test_polls_that_nobody_makes(server, names):
    session = Polling(server)
    session.connect()
    answer = None
    for i in range(3000):
        answer = session.post(f'42{i}["subscribe_all"]')
        if answer.status_code != 200:
            break
    assert answer.status_code == 400
    assert session.is_gone()


def test_sessions_are_limited(start):
    server = start(MAX_CONNECTIONS_PER_CLIENT=20)
    for _ in range(20):
        handshake(server)
    answer = server.get(PATH + "polling")
    assert answer.status_code == 503
    assert answer.json()["code"] == "server_busy"
    assert answer.headers["Retry-After"]


def test_a_session_that_ended_makes_room(start):
    server = start(MAX_CONNECTIONS_PER_CLIENT=20)
    sessions = [Polling(server) for _ in range(20)]
    assert server.get(PATH + "polling").status_code == 503
    sessions[0].send("1")
    assert server.get(PATH + "polling").status_code == 200


def test_garbage_never_harms(server):
    """Frames, packets and payloads at random, of the shapes that matter."""
    rng = random.Random(7)
    pieces = [b"4", b"2", b"0", b"5", b"[", b"]", b'"', b"{", b"}", b",", b"/",
              b"-", b"1", b"99999999999999999999", b"\x1e", b"b", b"probe",
              b'"subscribe_all"', b'{"filename":', b"null", b"\x00", b"\xff",
              b"_placeholder", b"40", b"42", b"451-"]  # fmt: skip
    for i in range(150):
        data = b"".join(rng.choices(pieces, k=rng.randrange(1, 12)))
        with WebSocket(server) as ws:
            ws.send("40")
            ws.frame(rng.choice([1, 1, 1, 2, 9]), data[:120])
            ws.raw.send(os.urandom(rng.randrange(0, 20)))
        if i % 5 == 0:
            session = Polling(server)
            assert session.post(data.decode("latin-1")).status_code in (
                200,
                400,
            )
    with WebSocket(server) as ws:
        assert ws.connect().startswith('40{"sid":"')


def test_connections_that_vanish_leave_nothing(start):
    server = start()

    def descriptors():
        return len(os.listdir(f"/proc/{server.child}/fd"))

    server.put("a", b"x")
    before = descriptors()
    for _ in range(3):
        crowd = []
        for i in range(100):
            ws = WebSocket(server)
            ws.connect()
            ws.emit("subscribe_all")
            crowd.append(ws)
        for ws in crowd:
            ws.raw.reset()
    expect.until(lambda: descriptors() < before + 20)
    server.put("a", b"x")
    server.check()
