# SPDX-License-Identifier: MIT
"""Limits of a request head: 414 and 431, one past each, none at it."""

import pytest

import expect

LINE = 8 * 1024
HEAD = 32 * 1024
FIELDS = 100


def line_of(size):
    """A request line of that many bytes, its CR LF not counted."""
    start, end = b"GET /health?", b" HTTP/1.1"
    return start + b"x" * (size - len(start) - len(end)) + end


def ask(server, data):
    with server.raw() as raw:
        raw.send(data)
        return raw.response()


def test_a_request_line_of_8_kib(server):
    data = line_of(LINE) + b"\r\nHost: x\r\n\r\n"
    assert ask(server, data).status_code == 200


def test_a_longer_one(server):
    data = line_of(LINE + 1) + b"\r\nHost: x\r\n\r\n"
    expect.error(ask(server, data), 414)


@pytest.mark.parametrize("size", [9 * 1024, 31 * 1024])
def test_a_longer_line_that_has_no_end_yet(server, size):
    expect.error(ask(server, line_of(size)), 414)


def head_of(size):
    """A whole head of that many bytes, in fields of less than 8 KiB."""
    data = b"GET /health HTTP/1.1\r\nHost: x\r\n"
    left = size - len(data) - 2
    i = 0
    while left > 0:
        n = left if left <= 4000 else min(left - 100, 4000)
        name = b"X-%d: " % i
        data += name + b"v" * (n - len(name) - 2) + b"\r\n"
        left -= n
        i += 1
    data += b"\r\n"
    assert len(data) == size
    return data


def test_a_head_of_32_kib(server):
    assert ask(server, head_of(HEAD)).status_code == 200


def test_a_larger_one(server):
    expect.error(ask(server, head_of(HEAD + 1)), 431)


def test_a_larger_one_that_has_no_end_yet(server):
    expect.error(ask(server, head_of(HEAD + 500)[: HEAD + 400]), 431)


def with_fields(n):
    fields = b"".join(b"X-%d: v\r\n" % i for i in range(n - 1))
    return b"GET /health HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n"


def test_100_fields(server):
    assert ask(server, with_fields(FIELDS)).status_code == 200


def test_101_fields(server):
    expect.error(ask(server, with_fields(FIELDS + 1)), 431)


def test_a_single_field_that_fills_the_head(server):
    data = b"GET /health HTTP/1.1\r\nHost: x\r\nX: "
    data += b"v" * (HEAD - len(data) - 4) + b"\r\n\r\n"
    assert ask(server, data).status_code == 200


@pytest.mark.parametrize("size", [LINE + 100, HEAD + 100, 1 << 20])
def test_the_connection_ends_after_the_refusal(server, size):
    with server.raw() as raw:
        try:
            raw.send(line_of(size))
        except ConnectionError:
            pass  # it did not want to read all of it
        response = raw.response()
        expect.error(response, 414)
        assert response.headers["Connection"] == "close"
        raw.half_close()
        assert raw.is_closed()


def test_a_name_of_1024_bytes_fits_in_a_line(server, names):
    name = names("") + "/" + "/".join(["é" * 120] * 4)
    assert server.put(name, b"x").status_code == 201
    assert server.has(name, b"x")
