# SPDX-License-Identifier: MIT
"""Requests that two readers would cut at different places: refused, the
connection ended, and what follows never taken for a request."""

import random

import pytest

import expect
from raw import head

BAD_LENGTHS = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: 0\r\nContent-Length: 50\r\n",
    b"Content-Length: 5, 6\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: -5\r\n",
    b"Content-Length: 0x5\r\n",
    b"Content-Length: 5 5\r\n",
    b"Content-Length: 5.0\r\n",
    b"Content-Length: five\r\n",
    b"Content-Length: \r\n",
    b"Content-Length: 5;\r\n",
    b"Content-Length: '5'\r\n",
    b"Content-Length: \xef\xbc\x95\r\n",
    b"Content-Length: 9223372036854775808\r\n",
    b"Content-Length: 18446744073709551615\r\n",
    b"Content-Length: 18446744073709551621\r\n",
    b"Content-Length: 99999999999999999999999999\r\n",
    b"Content-Length : 5\r\n",
    b"Content-Length\t: 5\r\n",
    b" Content-Length: 5\r\n",
    b"Content-Length:\x0b5\r\n",
    b"Content-Length: 5\x00\r\n",
    b"Content-Length: 5\r\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunkedx\r\n",
    b"Transfer-Encoding: chunk\r\n",
    b"Transfer-Encoding: \r\n",
    b"Transfer-Encoding: \x0bchunked\r\n",
    b"Transfer-Encoding: chunked\x00\r\n",
    b'Transfer-Encoding: "chunked"\r\n',
    b"Transfer-Encoding: chunked;q=1\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding\r\n: chunked\r\n",
    b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n",
    b"X: y\r\n Transfer-Encoding: chunked\r\n",
    b"X: y\r\n\tz\r\n",
    b"X: y\rContent-Length: 5\r\n",
    b"X: a\x00b\r\n",
    b"X\x00: a\r\n",
    b"X Y: a\r\n",
    b"X(: a\r\n",
    b"\xc3\xa9: a\r\n",
    b"X: a\x01b\r\n",
    b"X: a\x7fb\r\n",
]


def smuggled(name):
    """What must never be read as a request: it would leave a file."""
    return head("PUT", f"/upload/{name}", ("Content-Length", 1)) + b"x"


def only_one_answer(raw, status=400):
    """The refusal, and then the end."""
    response = raw.response("PUT")
    expect.error(response, status)
    assert "close" in response.headers["Connection"].lower()
    raw.half_close()
    assert raw.is_closed()


@pytest.mark.parametrize("fields", BAD_LENGTHS)
def test_lengths_that_can_be_read_in_two_ways(server, names, fields):
    first, second = names(), names()
    with server.raw() as raw:
        raw.send(
            f"PUT /upload/{first} HTTP/1.1\r\nHost: x\r\n".encode()
            + fields
            + b"\r\n0\r\n\r\n"
            + smuggled(second)
        )
        # 413 for lengths that are only too large, 501 for other codings
        only_one_answer(raw, (400, 413, 501))
    assert server.lacks(first)
    assert server.lacks(second)


def test_chunked_in_http_1_0(server, names):
    first, second = names(), names()
    with server.raw() as raw:
        coding = ("Transfer-Encoding", "chunked")
        raw.send(
            head("PUT", f"/upload/{first}", coding, version="HTTP/1.0")
            + b"1\r\nx\r\n0\r\n\r\n"
            + smuggled(second)
        )
        only_one_answer(raw)
    assert server.lacks(first) and server.lacks(second)


@pytest.mark.parametrize(
    "lines",
    [
        b"PUT /upload/N HTTP/1.1\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N HTTP/1.1\r\nHost: x\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N HTTP/1.1\r\nHost: x\r\nContent-Length: 0\n\r\n",
        b"PUT /upload/N HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\n",
        b"PUT /upload/N HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
        b"PUT /upload/N HTTP/1.1\r\rHost: x\r\rContent-Length: 0\r\r\r\r",
        b"PUT /upload/N HTTP/1.1\r\n Host: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N HTTP/1.1\r\n\tX: y\r\nHost: x\r\n\r\n",
        b"PUT\t/upload/N\tHTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N  HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b" PUT /upload/N HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N HTTP/1.1x\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N HTTP/01.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N HTTP/1.10\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT /upload/N http/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_lines_that_others_read_differently(server, name, lines):
    with server.raw() as raw:
        raw.send(lines.replace(b"/N", f"/{name}".encode()))
        raw.half_close()
        response = raw.response("PUT")
        expect.error(response, (400, 505))
        assert raw.is_closed()
    assert server.lacks(name)


BAD_CHUNKS = [
    b"0x5\r\nabcde\r\n0\r\n\r\n",
    b"+5\r\nabcde\r\n0\r\n\r\n",
    b"-5\r\nabcde\r\n0\r\n\r\n",
    b" 5\r\nabcde\r\n0\r\n\r\n",
    b"5 5\r\nabcde\r\n0\r\n\r\n",
    b"5,\r\nabcde\r\n0\r\n\r\n",
    b"g\r\nabcde\r\n0\r\n\r\n",
    b"\r\nabcde\r\n0\r\n\r\n",
    b";x\r\nabcde\r\n0\r\n\r\n",
    b"5\nabcde\r\n0\r\n\r\n",
    b"5\rabcde\r\n0\r\n\r\n",
    b"5\r\r\nabcde\r\n0\r\n\r\n",
    b"5;a\nb\r\nabcde\r\n0\r\n\r\n",
    b"5;a\x00b\r\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcde0\r\n\r\n",
    b"5\r\nabcdef\r\n0\r\n\r\n",
    b"5\r\nabcde\n0\r\n\r\n",
    b"5\r\nabcdeXX0\r\n\r\n",
    b"5\r\nabcde\r\n0\n\r\n",
    b"5\r\nabcde\r\n0\r\nX\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nX : y\r\n\r\n",
    b"5\r\nabcde\r\n0\r\n X: y\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nX: y\n\r\n",
    b"10000000000000000\r\nabcde\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\nabcde\r\n0\r\n\r\n",
    b"8000000000000000\r\nabcde\r\n0\r\n\r\n",
    b"00000000000000000000000000000000005\r\nabcde\r\n0\r\n\r\n" + b"0" * 99,
    b"5;" + b"x" * 20_000 + b"\r\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcde\r\n0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
]


@pytest.mark.parametrize("body", BAD_CHUNKS, ids=lambda b: repr(b[:24]))
def test_chunks_that_are_none(server, names, body):
    first, second = names(), names()
    with server.raw() as raw:
        raw.send(
            head("PUT", f"/upload/{first}", ("Transfer-Encoding", "chunked"))
        )
        raw.send(body + smuggled(second))
        only_one_answer(raw, (400, 413, 431))
    assert server.lacks(first)
    assert server.lacks(second)


@pytest.mark.parametrize("body", BAD_CHUNKS[:12], ids=lambda b: repr(b[:24]))
def test_bad_chunks_of_a_form(server, names, body):
    second = names()
    with server.raw() as raw:
        raw.send(
            head(
                "POST",
                "/upload",
                ("Transfer-Encoding", "chunked"),
                ("Content-Type", "multipart/form-data; boundary=x"),
            )
        )
        raw.send(body + smuggled(second))
        only_one_answer(raw, (400, 413))
    assert server.lacks(second)


def test_a_body_longer_than_announced_is_another_request(server, names):
    name = names()
    with server.raw() as raw:
        length = ("Content-Length", 5)
        raw.send(head("PUT", f"/upload/{name}", length) + b"abcdeMORE\r\n\r\n")
        expect.uploaded(raw.response("PUT"), name, b"abcde", status=201)
        expect.error(raw.response(), 400)
        raw.half_close()
        assert raw.is_closed()
    assert server.has(name, b"abcde")


def test_content_length_with_equal_values_is_refused_or_one(server, names):
    name = names()
    with server.raw() as raw:
        raw.send(
            f"PUT /upload/{name} HTTP/1.1\r\nHost: x\r\n"
            "Content-Length: 5, 5\r\n\r\nabcde".encode()
        )
        response = raw.response("PUT")
        if response.status_code == 201:
            expect.uploaded(response, name, b"abcde", status=201)
        else:
            expect.error(response, 400)
            assert server.lacks(name)


def test_a_get_with_both_lengths(server):
    with server.raw() as raw:
        raw.send(
            b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        only_one_answer(raw)


def test_names_of_headers_in_any_case(server, names):
    name = names()
    with server.raw() as raw:
        raw.send(
            f"PUT /upload/{name} HTTP/1.1\r\nhOST:x\r\n"
            "tRANSFER-eNCODING:\t CHUNKED \r\n\r\n1\r\nx\r\n0\r\n\r\n".encode()
        )
        expect.uploaded(raw.response("PUT"), name, b"x", status=201)


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_do_no_harm(server, seed):
    r = random.Random(seed)
    for _ in range(20):
        with server.raw() as raw:
            try:
                raw.send(r.randbytes(r.randrange(1, 3000)))
                raw.half_close()
            except ConnectionError:
                pass
            raw.read_to_end()
    assert server.get("/health").status_code == 200
