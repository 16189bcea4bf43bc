# SPDX-License-Identifier: MIT
"""CORS: which pages may use the server from a browser."""

import pytest

import expect
from sftd import Sftd

LOCAL = [
    "http://localhost",
    "https://localhost",
    "http://localhost:3000",
    "https://localhost:8443",
    "http://127.0.0.1",
    "https://127.0.0.1:5173",
]
FOREIGN = [
    "https://evil.example",
    "http://localhost.evil.example",
    "http://evil.example:80",
    "http://localhost:80.evil.example",
    "http://localhost@evil.example",
    "http://127.0.0.1.evil.example",
    "http://notlocalhost",
    "ftp://localhost",
    "http://localhost:",
    "http://localhost:abc",
    "http://localhost:99999",
    "null",
    "localhost",
    "http://",
    "http://localhost/",
    "*",
]
ROUTES = [
    ("/health", "GET"),
    ("/status", "GET"),
    ("/status/x", "GET"),
    ("/download/x", "GET"),
    ("/upload", "POST"),
    ("/upload/x", "PUT"),
    ("/generate_key", "POST"),
    ("/keys", "GET"),
    ("/keys/x", "DELETE"),
]


@pytest.fixture
def ours(server):
    """The shared server, when it is ours: --url's may have other origins."""
    if not isinstance(server, Sftd):
        pytest.skip("needs a server with the default CORS_ORIGINS")
    return server


def allowed_origin(response):
    return response.headers.get("Access-Control-Allow-Origin")


def varies(response):
    vary = response.headers.get("Vary", "").lower()
    return "origin" in [v.strip() for v in vary.split(",")]


def preflight(server, path, method, origin, fields="content-type, x-api-key"):
    return server.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": fields,
        },
    )


def listed(response, name):
    values = response.headers.get(name, "").split(",")
    return {v.strip().lower() for v in values}


def test_fields_that_are_asked_for_in_two_fields(ours):
    asked = "Access-Control-Request-Headers"
    with ours.raw() as raw:
        response = raw.ask(
            "OPTIONS",
            "/status",
            ("Origin", LOCAL[0]),
            ("Access-Control-Request-Method", "GET"),
            (asked, "x-api-key"),
            (asked, "x-client-id, content-type"),
        )
    allowed = listed(response, "Access-Control-Allow-Headers")
    assert allowed == {"x-api-key", "x-client-id", "content-type"}


@pytest.mark.parametrize("origin", LOCAL)
def test_local_pages_are_allowed(ours, origin):
    response = ours.get("/status", headers={"Origin": origin})
    assert response.status_code == 200
    assert allowed_origin(response) == origin
    assert varies(response)


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_pages_are_not(ours, origin):
    response = ours.get("/status", headers={"Origin": origin})
    assert allowed_origin(response) is None
    assert varies(response)


def test_without_an_origin_it_still_varies(ours):
    response = ours.get("/status")
    assert allowed_origin(response) is None
    assert varies(response)


@pytest.mark.parametrize("path,method", ROUTES)
def test_every_route_answers_preflights(ours, path, method):
    origin = "http://localhost:3000"
    fields = "content-type, x-api-key, authorization, x-client-id"
    response = preflight(ours, path, method, origin, fields)
    assert response.status_code in (200, 204)
    assert response.content == b""
    assert allowed_origin(response) == origin
    assert varies(response)
    assert method.lower() in listed(response, "Access-Control-Allow-Methods")
    allowed = listed(response, "Access-Control-Allow-Headers")
    for field in fields.split(", "):
        assert field in allowed, allowed


@pytest.mark.parametrize("field", ["range", "repr-digest", "if-none-match"])
def test_fields_of_the_contract_are_allowed(ours, field):
    origin = "http://localhost"
    response = preflight(ours, "/download/x", "GET", origin, field)
    assert field in listed(response, "Access-Control-Allow-Headers")


def test_a_preflight_of_a_foreign_page(ours):
    response = preflight(ours, "/upload", "POST", "https://evil.example")
    assert allowed_origin(response) is None


def test_options_without_cors(ours):
    for path, method in ROUTES:
        response = ours.options(path)
        assert response.status_code in (200, 204)
        assert method in response.headers["Allow"]


def test_errors_carry_the_fields_too(ours, name):
    origin = {"Origin": "http://localhost:3000"}
    answers = [
        (404, ours.get("/nothing", headers=origin)),
        (404, ours.download(name, headers=origin)),
        (405, ours.delete("/health", headers=origin)),
        (400, ours.get("/status?limit=x", headers=origin)),
        (400, ours.get("/download/a%00", headers=origin)),
        (400, ours.put(name, b"x", "?priority=x", headers=origin)),
        (401, ours.get("/keys", headers=origin)),
        (
            413,
            ours.post(
                "/generate_key",
                data=bytes(1 << 20),
                headers={**origin, **ours.as_admin},
            ),
        ),
    ]
    for status, response in answers:
        expect.error(response, status)
        assert allowed_origin(response) == "http://localhost:3000", response
        assert varies(response)


def test_a_preflight_needs_no_key(start):
    own = start(REQUIRE_API_KEY="true")
    for path, method in ROUTES:
        response = preflight(own, path, method, "http://localhost")
        assert response.status_code in (200, 204)
        assert allowed_origin(response) == "http://localhost"
    response = own.get("/status", headers={"Origin": "http://localhost"})
    expect.error(response, 401)
    assert allowed_origin(response) == "http://localhost"


def test_a_list_of_origins(start):
    own = start(
        CORS_ORIGINS="https://app.example, http://other.example:8000"
    )
    for origin in ("https://app.example", "http://other.example:8000"):
        response = own.get("/status", headers={"Origin": origin})
        assert allowed_origin(response) == origin
        assert varies(response)
        response = preflight(own, "/upload", "POST", origin)
        assert allowed_origin(response) == origin
    for origin in (
        "http://app.example",
        "https://app.example:8443",
        "http://other.example",
        "http://localhost",
        "https://sub.app.example",
    ):
        response = own.get("/status", headers={"Origin": origin})
        assert allowed_origin(response) is None


def test_any_origin(start):
    own = start(CORS_ORIGINS="*")
    for origin in ("https://any.example", "http://localhost", "null"):
        response = own.get("/status", headers={"Origin": origin})
        allowed = allowed_origin(response)
        assert allowed == "*" or (allowed == origin and varies(response))
        response = own.ask(
            "PUT", "/upload/x", data=b"x", headers={"Origin": origin}
        )
        assert response.status_code in (200, 201)


@pytest.mark.parametrize(
    "request_head, status",
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 33000 + b"\r\n", 431),
        (b"GET /\r\n\r\n", 400),
    ],
)
def test_any_origin_reads_why_a_head_is_refused(start, request_head, status):
    own = start(CORS_ORIGINS="*")
    with own.raw() as raw:
        raw.send(request_head + b"Origin: https://any.example\r\n\r\n")
        response = raw.response()
        expect.error(response, status)
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_foreign_page_may_not_change_anything(ours, name):
    """A form on any page can be sent here by a browser without asking."""
    origin = {"Origin": "https://evil.example"}
    response = ours.form(name, b"x", headers=origin)
    expect.error(response, 403, "origin_forbidden")
    response = ours.put(name, b"x", headers=origin)
    expect.error(response, 403, "origin_forbidden")
    response = ours.form(
        name, b"x", headers={"Sec-Fetch-Site": "cross-site"}
    )
    expect.error(response, 403, "origin_forbidden")
    assert ours.lacks(name)
    response = ours.post(
        "/generate_key", headers={**origin, **ours.as_admin}
    )
    expect.error(response, 403, "origin_forbidden")


def test_an_allowed_page_may(ours, name):
    headers = {
        "Origin": "http://localhost:3000",
        "Sec-Fetch-Site": "cross-site",
    }
    response = ours.put(name, b"x", headers=headers)
    expect.uploaded(response, name, b"x", status=201)


def test_host_alone_does_not_make_an_origin_ours(ours, name):
    with ours.raw() as raw:
        response = raw.ask(
            "PUT",
            f"/upload/{name}",
            ("Origin", "http://rebound.example"),
            host="rebound.example",
            body=b"x",
        )
        expect.error(response, 403, "origin_forbidden")
    assert ours.lacks(name)


def test_our_own_pages_may_whatever_the_list(start, name):
    own = start(CORS_ORIGINS="https://app.example")
    headers = {"Origin": own.url, "Sec-Fetch-Site": "same-origin"}
    response = own.put(name, b"x", headers=headers)
    expect.uploaded(response, name, b"x", status=201)


@pytest.mark.parametrize(
    "lines, status",
    [
        (["GET /health HTTP/1.1", "Host: x", "Expect: miracles"], 417),
        (["POST /upload HTTP/1.1", "Host: x", "Content-Length: x"], 400),
        (["POST /upload HTTP/1.1", "Host: x", "Transfer-Encoding: gzip"], 501),
        (["GET /health HTTP/1.1", "Host: x", "No Colon"], 400),
    ],
)
def test_refusals_of_the_engine_carry_them_too(server, lines, status):
    first, *fields = lines
    head = [first, "Origin: http://localhost:3000", *fields, "", ""]
    with server.raw() as raw:
        raw.send("\r\n".join(head).encode())
        response = raw.response("GET")
    expect.error(response, status)
    assert (
        response.headers["Access-Control-Allow-Origin"]
        == "http://localhost:3000"
    )
