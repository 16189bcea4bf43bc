# SPDX-License-Identifier: MIT
"""What the client tries again, how often, and what it does not."""

import signal
import socket
import time

import pytest
from fake_server import answered, error, reset


def failing(times, behave, then):
    left = [times]

    def behaviour(handler):
        left[0] -= 1
        (behave if left[0] >= 0 else then)(handler)

    return behaviour


def upload(handler):
    handler.upload("a", {})


def tries(fake):
    return sum(1 for method, _, _ in fake.requests if method == "PUT")


PASSING = [
    reset,
    answered(408, error("request_timeout", "too slow")),
    answered(429, error("too_many_requests", "too many")),
    answered(500, error("internal", "broken")),
    answered(502, b"<html>a proxy's</html>"),
    answered(503, error("server_busy", "busy")),
    answered(504, b"<html>a proxy's</html>"),
]


@pytest.mark.parametrize("behave", PASSING)
def test_what_may_pass_is_tried_again(sft, fake, behave):
    fake.on("PUT", "/upload/a", failing(2, behave, upload))
    result = sft("upload", sft.file("a", b"x" * 200_000))
    assert result.status == 0, result
    assert fake.files["a"] == b"x" * 200_000
    assert tries(fake) == 3
    assert result.err == ""


@pytest.mark.parametrize(
    "status,code",
    [
        (400, "invalid_parameter"),
        (409, "cancelled"),
        (409, "file_exists"),
        (413, "file_too_large"),
        (422, "hash_mismatch"),
        (500, "decryption_failed"),
        (501, "not_implemented"),
        (507, "storage_full"),
    ],
)
def test_what_would_fail_again_is_not(sft, fake, status, code):
    fake.on("PUT", "/upload/a", answered(status, error(code, "no")))
    result = sft("upload", sft.file("a"), "--retry", "9")
    assert result.status == 1
    assert tries(fake) == 1


@pytest.mark.parametrize("retry", [0, 1, 2])
def test_so_often(sft, fake, retry):
    fake.on("PUT", "/upload/a", PASSING[3])
    result = sft("upload", sft.file("a"), "--retry", str(retry))
    assert result.status == 1
    assert "sft: a: broken" in result.err
    assert tries(fake) == 1 + retry


def test_five_times_without_a_word(sft, fake):
    """Waits are random parts of 0.5, 1, 2, 4 and 8 s."""
    fake.on("PUT", "/upload/a", PASSING[3])
    result = sft("upload", "-v", sft.file("a"))
    assert tries(fake) == 6
    waits = [x for x in result.err.splitlines() if "trying again" in x]
    assert len(waits) == 5
    assert waits[0].startswith("sft: broken; trying again in 0.")
    assert waits[4].endswith("(5 of 5)")


def test_waits_as_long_as_the_server_asks(sft, fake):
    busy = answered(503, error("server_busy", "busy"), Retry_After=2)
    fake.on("PUT", "/upload/a", failing(1, busy, upload))
    begin = time.monotonic()
    assert sft("upload", sft.file("a")).status == 0
    assert time.monotonic() - begin >= 2


def test_but_not_for_ever(sft, fake):
    busy = answered(503, error("server_busy", "busy"), Retry_After=301)
    fake.on("PUT", "/upload/a", busy)
    result = sft("upload", sft.file("a"))
    assert result.status == 1
    assert "busy (try again in 301 s)" in result.err
    assert tries(fake) == 1


def test_a_stream_cannot_begin_anew(sft, fake):
    def behave(handler):
        handler.rfile.read(1000)
        reset(handler)

    fake.on("PUT", "/upload/a", behave)
    result = sft("upload", "-", "--filename", "a", stdin=b"x" * 500_000)
    assert result.status == 1
    assert tries(fake) == 1


@pytest.mark.parametrize("command", [("upload", "a"), ("download", "x")])
def test_a_server_that_is_not_there_is_reported_at_once(sft, command):
    sft.file("a")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    result = sft("-v", "--server", url, *command)
    assert result.status == 3
    assert "trying again" not in result.err
    result = sft("-v", "--server", url, *command, "--retry", "1")
    assert result.status == 3
    assert "(1 of 1)" in result.err


def test_interrupted_while_it_waits(sft, fake):
    busy = answered(503, error("server_busy", "busy"), Retry_After=120)
    fake.on("PUT", "/upload/a", busy)
    process = sft.begin("upload", "-v", sft.file("a"))
    while b"trying again in 120" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.communicate()
