# SPDX-License-Identifier: MIT
"""Clients that have others wait: for a chunk, for each other, or for what TLS
never brings."""

import os
import select
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import expect
import form
import tls
from chunks import Upload, completed, content
from raw import head
from sftd import Sftd
from survival import works
from tus import PARTIAL, V, begin, final, partial


def drip(raw, data, stop):
    """A little of it, again and again, as long as somebody listens."""
    for i in range(0, len(data) - 20, 20):
        if stop.wait(0.2):
            return
        try:
            raw.send(data[i : i + 20])
        except OSError:
            return


def test_requests_that_wait_for_one_chunk(start):
    """A chunk that comes so slowly that it is never stuck, and the same one
    in small requests, more than the server has threads for: those who want
    something else are served."""
    # Fails without session_wait_a_bit()'s false in engine/session.c: each waits
    # for ten seconds, on a thread that all small requests share.
    own = start()
    up = Upload(own, "one", [b"first", b"second"], encryption="false")
    fields = [form.part(k, v) for k, v in up.fields_of(0).items()]
    body = form.body(*fields, form.part("chunk", content(200_000), "blob"))
    begun = len(form.body(*fields)) + 200
    kind = ("Content-Type", form.content_type())
    stop = threading.Event()
    crowd = 8 * (os.cpu_count() or 1) + 16
    with own.raw() as raw, ThreadPoolExecutor(crowd + 1) as pool:
        size = ("Content-Length", len(body))
        raw.send(head("POST", "/upload_chunk", kind, size) + body[:begun])
        expect.until(lambda: up.resume_info()["can_resume"])
        slow = pool.submit(drip, raw, body[begun:], stop)
        waiting = [pool.submit(up.send, 0) for _ in range(crowd)]
        try:
            for path in ("/status", "/files", "/resume_info/other"):
                got = own.get(path, headers=own.as_admin, timeout=5)
                assert got.status_code == 200, got.text
            for one in waiting:
                assert one.result().status_code in (200, 503)
        finally:
            stop.set()
        slow.result()
    completed(up.send(1), up)
    assert works(own)


def test_joins_that_wait_for_each_other(start):
    """The same parts are joined in one order and in the other, again and
    again, with one at the end that is not there yet: each join is answered."""
    # Fails with append_find() in engine/append_join.c: two that hold what the
    # other wants wait for ever, and so does the end of the server.
    own = start()
    parts = [partial(own, b"part") for _ in range(100)]
    unfinished = begin(own, 9, PARTIAL)

    def join(urls):
        concat = "final;" + " ".join([*urls, unfinished])
        with own.session() as session:
            for _ in range(100):
                got = session.post(
                    own.url + "/tus/",
                    headers={**V, "Upload-Concat": concat},
                    timeout=30,
                )
                expect.error(got, 400, "invalid_parameter")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join, [parts, parts[::-1]] * 4))
    assert final(own, *parts, filename="joined").status_code == 201
    assert own.has("joined", b"part" * 100)
    assert works(own)


# --- TLS ---------------------------------------------------------------------


class Records:
    """A TLS connection whose records can be sent in parts."""

    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port))
        self.socket.settimeout(20)
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.context(server.ca).wrap_bio(
            self.come, self.go, server_hostname="localhost"
        )
        while not self._has_shaken_hands():
            self.come.write(self.socket.recv(65536))
        self.socket.sendall(self.go.read())

    def _has_shaken_hands(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.socket.sendall(self.go.read())
            return False
        return True

    def record(self, data):
        self.tls.write(data)
        return self.go.read()

    def has_ended(self):
        """Has the server closed, whatever it said before?"""
        try:
            while select.select([self.socket], [], [], 0)[0]:
                if not self.socket.recv(65536):
                    return True
        except OSError:
            return True
        return False

    def drip(self, data, within):
        """A byte of it, again and again, until the server has enough."""
        end = time.monotonic() + within
        for i in range(len(data)):
            if time.monotonic() > end or self.has_ended():
                break
            try:
                self.socket.sendall(data[i : i + 1])
            except OSError:
                return True
            select.select([self.socket], [], [], 0.2)
        return self.has_ended()


def nothing(server):
    return Records(server), b""


def half_a_record(server):
    one = Records(server)
    request = one.record(head("GET", "/health"))
    one.socket.sendall(request[: len(request) // 2])
    return one, b""


def a_record_in_drops(server):
    one = Records(server)
    return one, one.record(head("GET", "/health", ("X-Long", "x" * 8000)))


def a_head_in_drops(server):
    one = Records(server)
    one.socket.sendall(one.record(b"GET /health HTTP/1.1\r\nX-Long: "))
    return one, one.record(b"x" * 8000)


def a_body_in_drops(server):
    one = Records(server)
    length = ("Content-Length", 100_000)
    one.socket.sendall(one.record(head("PUT", "/upload/drops", length)))
    return one, one.record(b"x" * 8000)


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    times = ("HEADER_TIMEOUT", "IDLE_TIMEOUT", "STALL_TIMEOUT")
    settings = dict.fromkeys(times, "1s")
    place = tmp_path_factory.mktemp("hurried")
    server = Sftd(place, {**tls.shared().settings, **settings}).start()
    yield server
    server.end()


@pytest.mark.parametrize(
    "case",
    [
        nothing,
        half_a_record,
        a_record_in_drops,
        a_head_in_drops,
        a_body_in_drops,
    ],
)
def test_idle_tls_after_the_handshake(hurried, case):
    """The handshake is done, and then comes nothing, half a record, or bytes
    that are no record for a long time."""
    # Fails when connections do not run out (expire_state() of
    # net/http_loop.c), and for the body when a reader that waits is not judged
    # (judge_stall() of net/http_wait.c).  What is no plaintext winds up neither
    # clock.
    one, rest = case(hurried)
    with one.socket:
        if rest:
            assert one.drip(rest, within=15)
        expect.until(one.has_ended, within=9)
    assert works(hurried)


@pytest.mark.parametrize(
    "record",
    [
        b"\x14\x03\x03\x00\x01\x01",  # ChangeCipherSpec, which is ignored
        b"\x15\x03\x03\x00\x02\x01\x00",  # a warning
        b"\x17\x03\x03\x00\x00",  # no data at all
        b"\x16\x03\x03\x00\x01\x00",  # a piece of a handshake
    ],
)
def test_floods_of_records_that_say_nothing(hurried, record):
    """Records that TLS lets pass, or should not, without an end."""
    # Fails in libssl only; its limits are held to here.
    one = Records(hurried)
    with one.socket:
        with pytest.raises(OSError):
            for _ in range(10_000):
                one.socket.sendall(record * 1000)
        assert works(hurried)
