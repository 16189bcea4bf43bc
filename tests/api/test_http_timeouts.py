# SPDX-License-Identifier: MIT
"""Clients that take their time: heads, pauses, bodies, readers."""

import random
import time

import pytest

import expect
import form
from raw import head
from sftd import Sftd

MIB = 1 << 20


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    settings = {
        "HEADER_TIMEOUT": "1s",
        "IDLE_TIMEOUT": "2s",
        "STALL_TIMEOUT": "1s",
        "MAX_FILE_SIZE": "1G",
    }
    server = Sftd(tmp_path_factory.mktemp("hurried"), settings).start()
    yield server
    server.end()


@pytest.fixture
def own(hurried):
    yield hurried
    hurried.check()


def send_paced(raw, data, step, pause, limit=20):
    """step bytes, then a pause, as long as there is no answer; True when
    all is sent."""
    start = time.monotonic()
    for i in range(0, len(data), step):
        try:
            raw.send(data[i : i + step])
        except ConnectionError:
            return False
        if raw.is_readable(pause):
            return i + step >= len(data)
        assert time.monotonic() - start < limit, "no end to it"
    return True


def seconds(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def test_a_slow_head_is_cut_off(own):
    """However steadily it trickles: the clock is that of the whole head."""
    with own.raw() as raw:
        data = head("GET", "/health", ("X", "y" * 2000))
        start = time.monotonic()
        assert not send_paced(raw, data, 10, 0.1)
        took = time.monotonic() - start
        expect.error(raw.response(), 408, "request_timeout")
        assert raw.is_closed()
        assert 0.8 < took < 6


def test_half_a_head_and_silence(own):
    with own.raw() as raw:
        raw.send(b"GET /health HTTP/1.1\r\nHost:")
        expect.error(raw.response(), 408, "request_timeout")
        assert raw.is_closed()


def test_a_connection_that_never_speaks(own):
    with own.raw() as raw:
        took = seconds(raw.read_to_end)
        assert 0.8 < took < 10


def test_an_idle_connection(own):
    with own.raw() as raw:
        assert raw.ask("GET", "/health").status_code == 200
        start = time.monotonic()
        assert raw.is_closed()  # without a word
        assert 1.5 < time.monotonic() - start < 10


def test_a_connection_that_is_used_stays(own):
    with own.raw() as raw:
        start = time.monotonic()
        while time.monotonic() - start < 4:
            assert raw.ask("GET", "/health").status_code == 200
            assert not raw.is_readable(0.5)


@pytest.mark.parametrize("size", [1000, 3 * MIB])
def test_a_body_that_stalls(own, name, size):
    with own.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", ("Content-Length", size)))
        raw.send(bytes(size // 2))
        start = time.monotonic()
        expect.error(raw.response("PUT"), 408)
        assert 0.8 < time.monotonic() - start < 10
    assert own.lacks(name)
    if size > MIB:
        expect.until(
            lambda: own.status(name)["status"] in ("interrupted", "failed")
        )
        assert own.status(name)["error"]
        expect.until(lambda: own.files_below("temp") == [])


def test_a_form_that_stalls(own, name):
    body = form.body(form.file(bytes(2 * MIB), name))
    with own.raw() as raw:
        kind = ("Content-Type", form.content_type())
        length = ("Content-Length", len(body))
        raw.send(head("POST", "/upload", kind, length) + body[:MIB])
        expect.error(raw.response("POST"), 408)
    assert own.lacks(name)


def test_a_body_that_never_begins(own, name):
    with own.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", ("Content-Length", 3 * MIB)))
        expect.error(raw.response("PUT"), 408)
    assert own.lacks(name)


@pytest.mark.parametrize("size", [200, 100_000])
def test_a_slow_body_that_moves_is_waited_for(own, name, size):
    """Longer than the time for a head, and than a stall, in all."""
    data = random.Random(size).randbytes(size)
    with own.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", ("Content-Length", size)))
        start = time.monotonic()
        assert send_paced(raw, data, size // 10, 0.3)
        assert time.monotonic() - start > 2
        expect.uploaded(raw.response("PUT"), name, data, status=201)


def test_a_reader_that_stalls(own, name):
    data = bytes(64 * MIB)
    own.put(name, data)
    with own.raw(receive_buffer=65536) as raw:
        raw.request("GET", f"/download/{name}")
        assert raw.response_head().status_code == 200

        def ended():
            queue = own.get("/status").json()["queue"]
            found = [e["status"] for e in queue if e["filename"] == name]
            return "interrupted" in found

        expect.until(ended)
        rest = raw.read_to_end()
        assert len(rest) < len(data)


def test_a_slow_reader_that_moves_is_served(own, name):
    data = random.Random(70).randbytes(24 * MIB)
    own.put(name, data)
    with own.raw(receive_buffer=65536) as raw:
        raw.request("GET", f"/download/{name}")
        assert raw.response_head().status_code == 200
        got = b""
        start = time.monotonic()
        while time.monotonic() - start < 3:
            got += raw.read(200_000)
            time.sleep(0.3)  # the client's slowness is what is tested
        got += raw.read(len(data) - len(got))
        assert got == data


def test_the_clock_starts_anew_with_each_request(own):
    with own.raw() as raw:
        for _ in range(4):
            assert not raw.is_readable(0.6)
            raw.send(b"GET /health HTTP/1.1\r\n")
            assert not raw.is_readable(0.6)
            raw.send(b"Host: x\r\n\r\n")
            assert raw.response().status_code == 200


def test_many_slow_heads_leave_room_for_others(own):
    raws = [own.raw() for _ in range(200)]
    for raw in raws:
        raw.send(b"GET /health HTTP/1.1\r\nX-")
    took = seconds(lambda: own.get("/health"))
    assert took < 3
    for raw in raws:
        assert raw.is_readable(15)
        raw.close()
