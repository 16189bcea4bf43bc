# SPDX-License-Identifier: MIT
"""The log: one line an event, and no way to forge one."""

import json
import re
from urllib.parse import quote

import expect
from raw import head

DATA = b"log me"


def test_an_upload_leaves_a_line_with_its_request_id(start):
    own = start()
    response = own.put("seen.bin", DATA)
    request_id = response.headers.get("X-Request-Id")

    def lines():
        return [
            e for e in own.log.events() if "seen.bin" in json.dumps(e)
        ]

    found = expect.until(lines)
    for event in found:
        assert expect.is_time(event["time"])
        assert event["level"] in ("debug", "info", "warning", "error")
    assert request_id
    assert any(request_id in json.dumps(e) for e in found)


def test_every_line_is_json(start):
    own = start(LOG_LEVEL="debug")
    own.put("a b\"c'\u00e9", DATA)
    own.get("/nothing%0d%0a%1b[31m")
    own.get("/download/" + quote("x\u2028y"))
    own.get("/status", headers={"User-Agent": 'quo"te'})
    with own.raw() as raw:
        raw.send(
            head("GET", "/health", b"User-Agent: \xff\xfe", ("Cookie", "a=b"))
        )
        raw.response()
    with own.raw() as raw:
        raw.send(b'GET /"\x80 HTTP/1.1\r\nHost: x\r\n\r\n')
        raw.response()
    own.stop()
    for line in own.log.lines:
        json.loads(line)
        assert line.isprintable(), line


def test_text_cannot_be_forged_either(start, tmp_path):
    own = start()
    port = own.port
    own.stop()
    own.settings.update(
        LOG_FORMAT="text", LOG_LEVEL="debug", SERVER_PORT=str(port)
    )
    own.launch()
    expect.until(lambda: own.get("/health").status_code == 200)
    own.child = own.server_pid()
    forged = "2026-01-01T00:00:00.000Z info forged"
    for method, target, field in (
        ("GET", f"/nothing/{quote(chr(10) + forged)}", ("X", "y")),
        ("PUT", f"/upload/x%0A{quote(forged)}", ("X", "y")),
        ("GET", "/health", ("User-Agent", f'x" y="{forged}')),
        ("PUT", "/upload/x", ("X-Client-Id", f'"{forged}')),
    ):
        with own.raw() as raw:
            raw.ask(method, target, field, body=DATA)
    own.stop()
    for line in own.log.lines:
        assert re.match(r"^\d{4}-\d\d-\d\dT[\d:.]+Z \w+ ", line), line
        assert not line.startswith(forged)
        assert line.isprintable(), line


def test_errors_only(start):
    own = start(LOG_LEVEL="info")
    quiet = own.log.events("listening")
    assert quiet and quiet[0]["level"] == "info"
    own.stop()
    own.settings.update(LOG_LEVEL="error", SERVER_PORT=str(own.port))
    own.launch()
    expect.until(lambda: own.get("/health").status_code == 200)
    own.child = own.server_pid()
    own.put("x", DATA)
    own.stop()
    assert own.log.text() == ""


def test_no_peer_sees_insides(server, name):
    for response in (
        server.get("/download/" + "a/" * 300 + "x"),
        server.get(f"/status/{name}"),
        server.put(name, DATA, "?priority=z"),
        server.post("/upload", data=b"x"),
    ):
        expect.error(response, (400, 404, 415))


def test_requests_have_ids(server):
    ids = {server.get("/status").headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5
