# SPDX-License-Identifier: MIT
"""AUTH_FAIL_LIMIT and RATE_LIMIT: who asks too often."""

import json

import pytest

import expect
from live import WebSocket

US = "127.0.0.1"
WRONG = {"X-API-Key": "wrong-key-0123456789abcdef"}


def from_(address, headers=()):
    return {**dict(headers), "X-Forwarded-For": address}


def is_refused(response, most=60):
    """A 429 that says how long to wait."""
    answer = expect.error(response, 429, "too_many_requests")
    wait = response.headers["Retry-After"]
    assert 1 <= int(wait) <= most
    assert f"{wait} s" in answer["error"]
    return True


# --- wrong keys


def test_wrong_keys(start):
    own = start(AUTH_FAIL_LIMIT="3")
    for _ in range(3):
        expect.error(own.get("/status", headers=WRONG), 401, "invalid_api_key")
    assert is_refused(own.get("/status", headers=WRONG))
    # on every route, and by whichever field
    bearer = {"Authorization": "Bearer wrong"}
    assert is_refused(own.put("x", b"x", headers=bearer))
    assert is_refused(own.get("/keys", headers=WRONG))
    # right ones go on, and so does who shows none
    for _ in range(5):
        assert own.get("/keys", headers=own.as_admin).status_code == 200
        assert own.get("/status").status_code == 200
        expect.error(own.get("/keys"), 401, "unauthorized")
    assert own.get("/health", headers=WRONG).status_code == 200


def test_a_missing_key_is_not_a_wrong_one(start):
    own = start(AUTH_FAIL_LIMIT="2", REQUIRE_API_KEY="true")
    for headers in ({}, {"X-API-Key": ""}, {"Authorization": "Basic eDp5"}):
        for _ in range(3):
            expect.error(
                own.get("/status", headers=headers), 401, "unauthorized"
            )
    expect.error(own.get("/status", headers=WRONG), 401, "invalid_api_key")


def test_thirty_by_default(start):
    own = start(AUTH_FAIL_LIMIT=None)
    with own.raw() as raw:
        field = ("X-API-Key", "wrong")
        for _ in range(30):
            assert raw.ask("GET", "/status", field).status_code == 401
        assert is_refused(raw.ask("GET", "/status", field))


def test_none(start):
    own = start(AUTH_FAIL_LIMIT="0")
    with own.raw() as raw:
        for _ in range(100):
            answer = raw.ask("GET", "/status", ("X-API-Key", "wrong"))
            assert answer.status_code == 401


def test_addresses_are_counted_apart_and_ipv6_by_network(start):
    own = start(AUTH_FAIL_LIMIT="1", TRUSTED_PROXIES=US)

    def ask(address):
        return own.get("/status", headers=from_(address, WRONG)).status_code

    assert ask("192.0.2.1") == 401
    assert ask("192.0.2.1") == 429
    assert ask("192.0.2.2") == 401
    assert ask("2001:db8::1") == 401
    assert ask("2001:db8::ffff:2") == 429
    assert ask("2001:db8:0:1::1") == 401


def test_an_invented_address_does_not_help(start):
    own = start(AUTH_FAIL_LIMIT="1")
    assert own.get("/status", headers=WRONG).status_code == 401
    for i in range(3):
        headers = from_(f"192.0.2.{i}", WRONG)
        assert is_refused(own.get("/status", headers=headers))


def connect(server, key):
    with WebSocket(server) as ws:
        answer = ws.connect({"apiKey": key})
    return answer, answer.startswith("40")


def test_keys_of_socket_io_count_too(start):
    own = start(AUTH_FAIL_LIMIT="2")
    assert own.get("/status", headers=WRONG).status_code == 401
    answer, _ = connect(own, "wrong")
    assert json.loads(answer[2:])["data"]["code"] == "invalid_api_key"
    answer, _ = connect(own, "wrong")
    data = json.loads(answer[2:])
    assert data["data"]["code"] == "too_many_requests"
    assert data["message"].endswith(", or with a right one.")
    assert is_refused(own.get("/status", headers=WRONG))
    assert connect(own, own.admin_key)[1]


def test_they_are_logged_without_the_key(start):
    own = start(AUTH_FAIL_LIMIT="1", TRUSTED_PROXIES=US)
    headers = {**from_("192.0.2.5", WRONG), "X-Request-Id": "the-first"}
    own.get("/status", headers=headers)
    own.get("/status", headers=headers)
    first = own.log.wait("wrong API key")
    second = own.log.wait("wrong API key", 2)
    assert first["client"] == second["client"] == "192.0.2.5"
    assert (first["answer"], second["answer"]) == ("401", "429")
    assert first["request"] == "the-first"
    assert WRONG["X-API-Key"] not in own.log.text()


def test_the_log_is_not_filled(start):
    own = start()
    with own.raw() as raw:
        for _ in range(200):
            raw.ask("GET", "/status", ("X-API-Key", "wrong"))
    assert own.log.wait("wrong API key", 60)
    own.stop()
    assert len(own.log.events("wrong API key")) == 60


# --- requests


def test_requests_of_an_address(start):
    own = start(RATE_LIMIT="3")
    for path in ("/status", "/files", "/no/such/path"):
        assert own.get(path).status_code in (200, 404)
    assert is_refused(own.get("/status"), most=20)
    assert is_refused(own.put("x", b"x" * 100000), most=20)
    assert is_refused(own.get("/no/such/path"), most=20)
    # those that are never counted
    for _ in range(5):
        assert own.get("/health").status_code == 200
        assert own.options("/status").status_code == 204
    # a key is a client of its own
    for _ in range(3):
        assert own.get("/keys", headers=own.as_admin).status_code == 200
    assert is_refused(own.get("/keys", headers=own.as_admin), most=20)


def test_a_key_is_one_client_wherever_it_is(start):
    own = start(RATE_LIMIT="2", TRUSTED_PROXIES=US)
    for i in range(2):
        headers = from_(f"192.0.2.{i}", own.as_admin)
        assert own.get("/keys", headers=headers).status_code == 200
    assert is_refused(own.get("/keys", headers=from_("192.0.2.9", own.as_admin)))
    # the address has not been used up by it
    assert own.get("/status", headers=from_("192.0.2.1")).status_code == 200


def test_wrong_keys_are_requests_of_their_address(start):
    own = start(RATE_LIMIT="2")
    for _ in range(2):
        expect.error(own.get("/status", headers=WRONG), 401)
    assert is_refused(own.get("/status", headers=WRONG))
    assert is_refused(own.get("/status"))


def test_handshakes_and_polls_are_requests(start):
    own = start(RATE_LIMIT="1")
    with WebSocket(own) as ws:
        assert ws.is_open
        with WebSocket(own) as other:
            assert is_refused(other.answer)
        # what goes over the socket is none
        assert ws.connect().startswith("40")
        for _ in range(3):
            ws.emit("subscribe_all", ack=1)
            assert ws.text() == '431[{"success":true}]'


def test_the_bucket_fills_again(start):
    own = start(RATE_LIMIT="120")
    with own.raw() as raw:
        n = 0
        while raw.ask("GET", "/status").status_code == 200:
            n += 1
        assert n >= 120
        expect.until(lambda: raw.ask("GET", "/status").status_code == 200)


@pytest.mark.parametrize("origin", ["http://localhost:3000"])
def test_a_page_can_read_the_refusal(start, origin):
    own = start(RATE_LIMIT="1")
    own.get("/status")
    response = own.get("/status", headers={"Origin": origin})
    assert is_refused(response)
    assert response.headers["Access-Control-Allow-Origin"] == origin
    exposed = response.headers["Access-Control-Expose-Headers"]
    assert "Retry-After" in exposed
