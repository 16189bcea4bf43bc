# SPDX-License-Identifier: MIT
"""One connection, many requests: keep-alive, pipelining, chunked bodies,
100 (Continue)."""

import random
import time

import pytest

import expect
import form
from raw import chunk, chunked, head

DATA = random.Random(60).randbytes(300_000)
CHUNKED = ("Transfer-Encoding", "chunked")
EXPECT = ("Expect", "100-continue")


def closes(response):
    return "close" in response.headers.get("Connection", "").lower()


def test_keep_alive(server):
    with server.raw() as raw:
        for _ in range(50):
            response = raw.ask("GET", "/health")
            assert response.status_code == 200 and not closes(response)


def test_close_when_asked(server):
    with server.raw() as raw:
        response = raw.ask("GET", "/health", ("Connection", "close"))
        assert response.status_code == 200 and closes(response)
        assert raw.is_closed()


@pytest.mark.parametrize(
    "value",
    ["Close", "CLOSE", "foo, close", "close , foo", "keep-alive,close"],
)
def test_ways_to_ask_for_a_close(server, value):
    with server.raw() as raw:
        assert closes(raw.ask("GET", "/health", ("Connection", value)))
        assert raw.is_closed()


def test_http_1_0_closes(server):
    with server.raw() as raw:
        response = raw.ask("GET", "/health", version="HTTP/1.0", host=None)
        assert response.status_code == 200
        assert raw.is_closed()


def test_http_1_0_never_gets_chunks(server, name):
    server.put(name, DATA)
    for path in ("/status", f"/download/{name}", "/health"):
        with server.raw() as raw:
            response = raw.ask("GET", path, version="HTTP/1.0")
            assert response.status_code == 200
            assert "Transfer-Encoding" not in response.headers


def test_http_1_0_may_upload(server, name):
    with server.raw() as raw:
        response = raw.ask(
            "PUT", f"/upload/{name}", body=DATA, version="HTTP/1.0"
        )
        expect.uploaded(response, name, DATA, status=201)


def test_errors_keep_a_connection_where_the_framing_is_sound(server, name):
    with server.raw() as raw:
        for _ in range(5):
            expect.error(raw.ask("GET", f"/download/{name}"), 404)
            expect.error(raw.ask("DELETE", "/health"), 405)
        assert raw.ask("GET", "/health").status_code == 200


@pytest.mark.tsan
def test_pipelined_requests_are_answered_in_order(server, name):
    server.put(name, DATA)
    asked = []
    out = b""
    for i in range(60):
        method, path, status = [
            ("GET", "/health", 200),
            ("GET", f"/download/{name}", 200),
            ("HEAD", f"/download/{name}", 200),
            ("GET", f"/status/{name}", 200),
            ("GET", "/nothing", 404),
        ][i % 5]
        asked.append((method, path, status))
        out += head(method, path)
    with server.raw() as raw:
        raw.send(out)
        for method, path, status in asked:
            response = raw.response(method)
            assert response.status_code == status
            if method == "GET" and "download" in path:
                assert response.content == DATA
            elif path == "/health":
                assert response.json()["status"] == "ok"


def test_pipelined_uploads_of_all_sizes(server, names):
    files = {
        names(): random.Random(size).randbytes(size)
        for size in (0, 1, 100, 65536, 65537, 200_000, 3)
    }
    out = b""
    for i, (name, data) in enumerate(files.items()):
        if i % 2:
            out += head("PUT", f"/upload/{name}", CHUNKED)
            out += chunked(data, 5000)
        else:
            length = ("Content-Length", len(data))
            out += head("PUT", f"/upload/{name}", length) + data
        out += head("GET", f"/download/{name}")
    with server.raw() as raw:
        raw.send(out)
        for name, data in files.items():
            expect.uploaded(raw.response("PUT"), name, data, status=201)
            assert raw.response().content == data


def test_a_request_right_behind_a_form(server, name):
    body = form.body(form.file(DATA, name), epilogue=b"epilogue")
    with server.raw() as raw:
        kind = ("Content-Type", form.content_type())
        length = ("Content-Length", len(body))
        raw.send(head("POST", "/upload", kind, length) + body)
        raw.send(head("GET", "/health"))
        expect.uploaded(raw.response("POST"), name, DATA)
        assert raw.response().json()["status"] == "ok"


def test_thousands_of_pipelined_requests(server):
    n = 3000
    with server.raw() as raw:
        raw.send(head("GET", "/health") * n)
        for _ in range(n):
            assert raw.response().status_code == 200


def test_a_head_a_byte_at_a_time(server):
    with server.raw() as raw:
        for byte in head("GET", "/health", ("X-Field", "value")):
            raw.send(bytes([byte]))
        assert raw.response().status_code == 200


def test_empty_lines_before_a_request(server):
    with server.raw() as raw:
        raw.send(b"\r\n\r\n" + head("GET", "/health"))
        assert raw.response().status_code == 200


def test_the_absolute_form(server):
    with server.raw() as raw:
        response = raw.ask("GET", f"{server.url}/health?x=1")
        assert response.status_code == 200


def test_options_of_the_whole_server(server):
    with server.raw() as raw:
        assert raw.ask("OPTIONS", "*").status_code in (200, 204)


def test_the_authority_form_is_refused(server):
    with server.raw() as raw:
        expect.error(raw.ask("CONNECT", "example.org:443"), (400, 405, 501))


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Host: a\r\nHost: b\r\n",
        b"Host: a\r\nHost: a\r\n",
        b"Host: a b\r\n",
        b"Host: a/b\r\n",
        b"Host: a@b\r\n",
    ],
)
def test_bad_hosts(server, fields):
    with server.raw() as raw:
        raw.send(b"GET /health HTTP/1.1\r\n" + fields + b"\r\n")
        expect.error(raw.response(), 400)
        raw.half_close()
        assert raw.is_closed()


def test_an_empty_host_is_one(server):
    with server.raw() as raw:
        assert raw.ask("GET", "/health", host="").status_code == 200


def test_trailers_and_extensions_are_read_over(server, name):
    with server.raw() as raw:
        raw.send(
            head("PUT", f"/upload/{name}", CHUNKED, ("Trailer", "X-Sum"))
            + chunk(DATA[:1000], ";ext=1")
            + chunk(DATA[1000:2000], ';a="b;c";d')
            + b"0000;last\r\nX-Sum: 5\r\nX-More: x\r\n\r\n"
            + head("GET", "/health")
        )
        expect.uploaded(raw.response("PUT"), name, DATA[:2000], status=201)
        assert raw.response().status_code == 200


def test_chunk_sizes_in_every_case_and_with_zeros(server, name):
    data = DATA[:171]
    with server.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", CHUNKED))
        raw.send(b"000aB\r\n" + data + b"\r\n0\r\n\r\n")
        expect.uploaded(raw.response("PUT"), name, data, status=201)


def test_a_chunked_body_a_byte_at_a_time(server, name):
    data = DATA[:300]
    with server.raw() as raw:
        out = head("PUT", f"/upload/{name}", CHUNKED) + chunked(data, 17)
        for byte in out:
            raw.send(bytes([byte]))
        expect.uploaded(raw.response("PUT"), name, data, status=201)


def test_many_tiny_chunks(server, name):
    data = DATA[:100_000]
    with server.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", CHUNKED) + chunked(data, 1))
        expect.uploaded(raw.response("PUT"), name, data, status=201)


@pytest.mark.parametrize("size", [10, 65536, 65537, 300_000])
def test_100_continue(server, name, size):
    data = DATA[:size]
    with server.raw() as raw:
        length = ("Content-Length", size)
        raw.send(head("PUT", f"/upload/{name}", length, EXPECT))
        interim = raw.response_head()
        assert interim.status_code == 100
        assert not interim.fields or "Content-Length" not in interim.headers
        raw.send(data)
        response = raw.response("PUT")
        assert response.interim == []  # one is enough
        expect.uploaded(response, name, data, status=201)
        assert raw.ask("GET", "/health").status_code == 200


def test_100_continue_for_a_form(server, name):
    body = form.body(form.file(DATA, name))
    with server.raw() as raw:
        kind = ("Content-Type", form.content_type())
        length = ("Content-Length", len(body))
        raw.send(head("POST", "/upload", kind, length, EXPECT))
        assert raw.response_head().status_code == 100
        raw.send(body)
        expect.uploaded(raw.response("POST"), name, DATA)


def test_100_continue_for_a_chunked_body(server, name):
    with server.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", CHUNKED, EXPECT))
        assert raw.response_head().status_code == 100
        raw.send(chunked(DATA, 70_000))
        expect.uploaded(raw.response("PUT"), name, DATA, status=201)


def test_a_client_that_does_not_wait_for_100(server, name):
    with server.raw() as raw:
        length = ("Content-Length", len(DATA))
        raw.send(head("PUT", f"/upload/{name}", length, EXPECT) + DATA)
        expect.uploaded(raw.response("PUT"), name, DATA, status=201)
        assert raw.ask("GET", "/health").status_code == 200


def test_no_100_for_http_1_0(server, name):
    with server.raw() as raw:
        response = raw.ask(
            "PUT", f"/upload/{name}", EXPECT, body=DATA, version="HTTP/1.0"
        )
        assert response.interim == []
        expect.uploaded(response, name, DATA, status=201)


def test_no_100_for_what_is_refused(server, name):
    server.put(name, b"old")
    for target, status in (
        (f"/upload/{name}?if_exists=error", 409),
        (f"/upload/{name}?priority=99", 400),
        (f"/upload/{name}?encryption=maybe", 400),
        ("/upload/a%00", 400),
        ("/nothing", 404),
    ):
        with server.raw() as raw:
            length = ("Content-Length", 1 << 20)
            raw.send(head("PUT", target, length, EXPECT))
            response = raw.response("PUT")
            expect.error(response, status)
            assert response.interim == []


def test_an_expectation_that_nobody_knows(server):
    with server.raw() as raw:
        response = raw.ask("GET", "/health", ("Expect", "tea"))
        expect.error(response, 417)


def test_answers_have_a_date(server):
    with server.raw() as raw:
        date = raw.ask("GET", "/health").headers["Date"]
    assert date.endswith(" GMT")
    time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")


def test_a_half_closed_client_still_gets_its_answer(server, name):
    with server.raw() as raw:
        length = ("Content-Length", len(DATA))
        raw.send(head("PUT", f"/upload/{name}", length) + DATA)
        raw.half_close()
        expect.uploaded(raw.response("PUT"), name, DATA, status=201)
        assert raw.is_closed()
    with server.raw() as raw:
        raw.request("GET", f"/download/{name}")
        raw.half_close()
        assert raw.response().content == DATA
        assert raw.is_closed()


def test_connections_that_say_nothing(server):
    raws = [server.raw() for _ in range(100)]
    for raw in raws[:50]:
        raw.reset()
    assert server.get("/health").status_code == 200
    for raw in raws[50:]:
        raw.close()


def test_slow_clients_hold_no_thread_of_short_requests(server):
    raws = []
    for _ in range(60):
        raw = server.raw()
        raw.send(head("POST", "/generate_key", ("Content-Length", 1000)))
        raw.send(b" " * 10)
        raws.append(raw)
    with server.raw() as one:
        for _ in range(10):
            assert one.ask("GET", "/status?limit=1").status_code == 200
    for raw in raws:
        raw.close()
