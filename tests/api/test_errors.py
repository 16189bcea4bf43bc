# SPDX-License-Identifier: MIT
"""Errors are JSON from every layer; 405 says what is allowed."""

import pytest

import expect

# Every route: a path, and the methods it has.
ROUTES = {
    "/health": {"GET", "HEAD"},
    "/status": {"GET", "HEAD"},
    "/status/x": {"GET", "HEAD"},
    "/download/x": {"GET", "HEAD"},
    "/upload": {"POST"},
    "/upload/x": {"PUT"},
    "/generate_key": {"POST"},
    "/keys": {"GET", "HEAD"},
    "/keys/x": {"DELETE"},
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "LOCK")
WRONG = [
    (path, method)
    for path, allowed in ROUTES.items()
    for method in METHODS
    # PATCH /status/<name> comes with a later part of the contract
    if method not in allowed and (path, method) != ("/status/x", "PATCH")
]


@pytest.mark.parametrize("path,method", WRONG)
def test_a_wrong_method_is_told_the_right_ones(server, path, method):
    with server.raw() as raw:
        response = raw.ask(method, path, body=b"")
        assert response.status_code == 405
        if method != "HEAD":
            expect.error(response, 405, "method_not_allowed")
        allowed = response.headers["Allow"].replace(" ", "").split(",")
        assert ROUTES[path] <= set(allowed), allowed
        assert method not in allowed


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/healthy",
        "/health/",
        "/health/x",
        "/Health",
        "/uploads",
        "//health",
        "/generate_key/x",
        "/keys/a/b",
    ],
)
def test_an_unknown_path_is_not_found(server, path):
    with server.raw() as raw:
        expect.error(raw.ask("GET", path), (404, 405))


def test_an_unknown_path_is_not_found_whatever_the_method(server):
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        with server.raw() as raw:
            response = raw.ask(method, "/no/such/path", body=b"x")
            expect.error(response, 404, "not_found")


def test_an_unknown_file_is_not_found(server, name):
    expect.error(server.download(name), 404, "file_not_found")
    expect.error(server.get(f"/status/{name}"), 404)


def test_head_of_an_error_has_no_body(server, name):
    with server.raw() as raw:
        response = raw.ask("HEAD", f"/download/{name}")
        assert response.status_code == 404
        # what follows is the next answer
        assert raw.ask("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1 \r\nHost: x\r\n\r\n",
        b"GET health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /he alth HTTP/1.1\r\nHost: x\r\n\r\n",
        b"G\x00T /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /hea\x01lth HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTQ/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
        b"GET /health#part HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_a_malformed_request_gets_a_json_answer(server, request_bytes):
    with server.raw() as raw:
        raw.send(request_bytes)
        expect.error(raw.response(), 400)
    assert server.get("/health").status_code == 200


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9"])
def test_other_versions_are_refused(server, version):
    with server.raw() as raw:
        raw.request("GET", "/health", version=version)
        expect.error(raw.response(), (400, 505))


def test_an_error_of_a_percent_code_is_400(server):
    for path in ("/download/%", "/download/%4", "/download/%g1"):
        with server.raw() as raw:
            expect.error(raw.ask("GET", path), 400)


def test_the_request_target_is_not_echoed_raw(server):
    path = "/nothing/%3Cscript%3E%0D%0Ax:y"
    with server.raw() as raw:
        response = raw.ask("GET", path)
        expect.error(response, 404)
        assert "x" not in response.headers
        assert b"<script>" not in response.content
