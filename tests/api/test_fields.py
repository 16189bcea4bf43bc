# SPDX-License-Identifier: MIT
"""Fields that every answer has, from whichever part of the server it is."""

import json
import re

import pytest

import expect
import routes
from live import WebSocket
from sftd import Sftd

ROUTES = routes.variants()
every_route = pytest.mark.parametrize("route", ROUTES, ids=str)
ORIGIN = ("Origin", "http://localhost:3000")
MADE = re.compile(r"^[0-9a-f]{32}$")


def check(answer, request_id=None):
    """All of what the contract and the manual promise."""
    fields = answer.headers
    for name in (
        "X-Request-Id",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Content-Security-Policy",
        "Cache-Control",
        "Vary",
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
    ):
        assert len(answer.all(name)) == 1, (name, answer.fields)
    if request_id is None:
        assert MADE.match(fields["X-Request-Id"])
    else:
        assert fields["X-Request-Id"] == request_id
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["Referrer-Policy"] == "no-referrer"
    policy = fields["Content-Security-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "sandbox"):
        assert part in policy
    if fields.get("Content-Type", "").startswith("application/json"):
        assert fields["Cache-Control"] == "no-store"
    assert fields["Vary"] == "Origin"
    assert fields["Access-Control-Allow-Origin"] == ORIGIN[1]
    exposed = fields["Access-Control-Expose-Headers"].lower().split(", ")
    for name in ("x-request-id", "retry-after", "etag", "location"):
        assert name in exposed
    return True


@every_route
def test_every_route(server, admin, route):
    answer = routes.ask(server, route, ORIGIN, *admin.items())
    assert check(answer)


@every_route
def test_every_route_refusing(server, route):
    """A wrong key, a method that is none of the route's, a foreign page's
    wish; each with an id of the client's."""
    mine = ("X-Request-Id", "my-own.id_1")
    answer = routes.ask(server, route, ORIGIN, mine, ("X-API-Key", "wrong"))
    assert check(answer, "my-own.id_1")
    odd = route._replace(method="LOCK", override="")
    answer = routes.ask(server, odd, ORIGIN, mine)
    assert answer.status_code == 405
    assert check(answer, "my-own.id_1")


@every_route
def test_every_route_answers_preflights(server, route):
    preflight = route._replace(method="OPTIONS", override="")
    asked = "x-api-key, content-type, tus-resumable"
    answer = routes.ask(
        server,
        preflight,
        ORIGIN,
        ("Access-Control-Request-Method", route.method),
        ("Access-Control-Request-Headers", asked),
    )
    assert answer.status_code == 204
    assert check(answer)
    if route.method != "OPTIONS":
        methods = answer.headers["Access-Control-Allow-Methods"].split(", ")
        # a POST is allowed without being named
        assert (route.override or route.method) in methods
    assert answer.headers["Access-Control-Allow-Headers"] == asked


@every_route
def test_pages_of_others_may_not_change_things(server, route):
    """On every route, whether or not a key is needed or there."""
    foreign = [
        (("Origin", "https://evil.example"),),
        (("Origin", "null"),),
        (("Sec-Fetch-Site", "cross-site"),),
        (("Origin", f"http://localhost:{server.port}.evil.example"),),
    ]
    for fields in foreign:
        answer = routes.ask(server, route, *fields, *server.as_admin.items())
        if route.method in ("GET", "HEAD", "OPTIONS"):
            # polls of Socket.IO are a handshake, which is no page's either
            if route.path == "/socket.io/" and fields[0][0] == "Origin":
                continue
            assert answer.status_code != 403, (fields, answer)
        else:
            assert answer.status_code == 403, (fields, answer)
            expect.error(answer, 403, "origin_forbidden")
        assert "Access-Control-Allow-Origin" not in answer.headers


# --- the answers of the engine itself

HOST = b"Host: x\r\nOrigin: http://localhost:3000\r\nX-Request-Id: e-1\r\n"
REFUSED = [
    (b"GET /health HTTP/1.1\r\n" + HOST + b"Expect: much\r\n\r\n", 417),
    (b"PUT /upload/x HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n", 400),
    (
        b"PUT /upload/x HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: gzip\r\n\r\n",
        501,
    ),
    (b"GET /health HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n", 400),
    (b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    (b"GET /download/%zz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (
        b"POST /ping HTTP/1.1\r\n" + HOST + b"Content-Length: 9999999\r\n\r\n",
        413,
    ),
]


@pytest.mark.parametrize("data,status", REFUSED)
def test_what_is_refused_before_any_route(server, data, status):
    with server.raw() as raw:
        raw.send(data)
        answer = raw.response()
    expect.error(answer, status)
    assert check(answer, "e-1")


@pytest.mark.parametrize(
    "data,status",
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
    ],
)
def test_what_has_no_head(server, data, status):
    """Nobody knows whose page it is, so nothing is allowed to any."""
    with server.raw() as raw:
        raw.send(data)
        answer = raw.response()
    expect.error(answer, status)
    assert MADE.match(answer.headers["X-Request-Id"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


# --- the id of a request


@pytest.mark.parametrize(
    "given", ["a", "0", "A.b_c-D", "x" * 128, "..", "-", "e1b2-4c3d"]
)
def test_a_sane_id_is_taken(server, given):
    response = server.get("/status", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given",
    ["", "x" * 129, "a b", "a,b", "a;b", "a/b", "é", '"a"', "a\tb", "<b>"],
)
def test_another_is_replaced(server, given):
    with server.raw() as raw:
        answer = raw.ask("GET", "/status", ("X-Request-Id", given))
    assert MADE.match(answer.headers["X-Request-Id"])


def test_made_ids_differ(server):
    with server.raw() as raw:
        ids = {
            raw.ask("GET", "/health").headers["X-Request-Id"]
            for _ in range(50)
        }
    assert len(ids) == 50


def test_the_lines_of_a_request_carry_its_id(start):
    own = start(LOG_LEVEL="debug", RATE_LIMIT="1000")
    own.put("a", b"x", headers={"X-Request-Id": "up-1"})
    done = own.log.wait("upload completed")
    assert done["request"] == "up-1"
    own.get("/nothing", headers={"X-Request-Id": "no-1"})
    own.get("/health", headers={"X-Request-Id": "he-1"})
    expect.until(
        lambda: {"up-1", "no-1", "he-1"}
        <= {e.get("request") for e in own.log.events("request")}
    )


# --- what may be kept


def test_what_caches_may_keep_says_so_itself(server, name):
    server.put(name, b"x")
    response = server.download(name)
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    tag = response.headers["ETag"]
    response = server.download(name, headers={"If-None-Match": tag})
    assert response.status_code == 304
    assert response.headers["Cache-Control"] == "private, no-cache"
    response = server.download(name + "x")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_socket_has_them_too(server):
    mine = ("X-Request-Id", "ws-1")
    with WebSocket(server, fields=[ORIGIN, mine]) as ws:
        assert ws.is_open
        assert check(ws.answer, "ws-1")
    with WebSocket(server, fields=[ORIGIN], path="/socket.io/?EIO=9") as ws:
        assert ws.answer.status_code == 400
        assert check(ws.answer)


def test_a_refused_connection(tmp_path):
    server = Sftd(tmp_path, {"MAX_CONNECTIONS": "1"}).start()
    try:
        with server.raw() as first:
            assert first.ask("GET", "/health").status_code == 200
            with server.raw() as second:
                second.send(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
                answer = second.response()
                assert answer.status_code == 503
                assert answer.headers["Retry-After"]
                assert json.loads(answer.content)["success"] is False
                assert answer.headers["X-Request-Id"]
                assert answer.headers["Cache-Control"] == "no-store"
    finally:
        server.end()
