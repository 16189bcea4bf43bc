# SPDX-License-Identifier: MIT
"""GET /health"""

import re

import expect


def test_it_answers_with_its_fields(server):
    response = server.get("/health")
    assert response.status_code == 200
    body = expect.is_json(response)
    assert body["status"] == "ok"
    assert expect.is_time(body["timestamp"])
    assert re.match(r"^\d+\.\d+\.\d+", body["version"])
    assert body["uptime_seconds"] >= 0


def test_head_has_the_fields_of_get_and_no_body(server):
    with server.raw() as raw:
        get = raw.ask("GET", "/health")
        head = raw.ask("HEAD", "/health")
        assert head.status_code == 200
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert raw.ask("GET", "/health").status_code == 200


def test_a_query_changes_nothing(server):
    assert server.get("/health?x=1").status_code == 200


def test_a_wrong_key_is_ignored(server):
    headers = {"X-API-Key": "no-such-key-0123456789"}
    assert server.get("/health", headers=headers).status_code == 200


def test_uptime_grows(server):
    first = server.get("/health").json()["uptime_seconds"]
    expect.until(
        lambda: server.get("/health").json()["uptime_seconds"] > first
    )
