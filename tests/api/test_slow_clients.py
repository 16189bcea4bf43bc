# SPDX-License-Identifier: MIT
"""Who stalls or is slow gives its place up."""

import time

import expect
from movers import Mover
from queueing import BODY, KIB, MIB, one_place, put, queue, queued, state
from raw import head

def test_one_that_stalls_gives_its_place_up(start):
    server = one_place(start)
    with Mover(server, "stalls") as stalls, put(server, "next") as raw:
        queued(server, "next")
        stalls.stop()
        began = time.monotonic()
        assert raw.response("PUT").status_code == 201
        assert time.monotonic() - began < 10
        # It goes on beside the others.
        assert state(server, "stalls") == "uploading"
        with Mover(server, "other"):
            assert stalls.finish().status_code == 201


def test_a_slow_one_gives_its_place_up(start):
    server = one_place(start)
    with Mover(server, "slow", size=4 * MIB, rate=32 * KIB) as slow:
        with put(server, "next") as raw:
            queued(server, "next")
            assert raw.response("PUT").status_code == 201
        assert state(server, "slow") == "uploading"
        assert slow.moved() < MIB
        assert slow.finish().status_code == 201


def test_a_slow_reader_gives_its_place_up(start):
    server = one_place(start)
    server.put("file", bytes(64 * MIB))
    with server.raw(receive_buffer=16 * KIB) as reader:
        reader.send(head("GET", "/download/file"))
        reader.read(1000)
        with put(server, "next") as raw:
            assert raw.response("PUT").status_code == 201
    assert state(server, "file") == "completed"


def test_many_slow_ones_keep_no_fast_one_waiting_for_long(start):
    server = start(MAX_ACTIVE_TRANSFERS=2)
    slow = [
        Mover(server, f"slow{i}", size=4 * MIB, rate=16 * KIB)
        for i in range(4)
    ]
    try:
        expect.until(lambda: len(queue(server)) == 2)
        began = time.monotonic()
        assert server.put("fast", BODY).status_code == 201
        # Two rounds of five seconds, and the machine's own time.
        assert time.monotonic() - began < 2 * 5 + 10
        # They have left their places, so now nobody waits at all.
        expect.until(lambda: queue(server) == {}, within=30)
        began = time.monotonic()
        assert server.put("faster", BODY).status_code == 201
        assert time.monotonic() - began < 4
    finally:
        for one in slow:
            one.stop()
            one.raw.close()


def test_one_that_is_fast_again_queues_again(start):
    server = one_place(start)
    with Mover(server, "again", size=64 * MIB, rate=8 * KIB) as again:
        with put(server, "next") as raw:
            queued(server, "next")
            assert raw.response("PUT").status_code == 201
        with Mover(server, "holds") as holds:
            again.step = 64 * KIB
            queued(server, "again")
            moved = again.moved()
            assert queue(server) == {"again": 1}
            expect.until(lambda: holds.moved() > 2 * MIB)
            assert again.moved() == moved
            holds.finish()
            expect.until(lambda: state(server, "again") == "uploading")
            expect.until(lambda: again.moved() > moved)
