# SPDX-License-Identifier: MIT
"""Who may hear of what: keys, prefixes, and their end."""

import json

import pytest

from keys import made
from live import PATH, Polling, Stream, WebSocket, is_completed


@pytest.fixture
def closed(start):
    """A server that wants keys."""
    return start(REQUIRE_API_KEY="true")


def refused(server, auth, fields=()):
    with WebSocket(server, fields=fields) as ws:
        packet = ws.connect(auth)
    assert packet.startswith("44"), packet
    body = json.loads(packet[2:])
    assert body["message"]
    return body["data"]["code"]


# --- sockets


def test_without_a_key_a_socket_is_refused(closed):
    assert refused(closed, None) == "unauthorized"
    assert refused(closed, {}) == "unauthorized"
    assert refused(closed, {"apiKey": ""}) == "unauthorized"
    assert refused(closed, {"apiKey": None}) == "unauthorized"


def test_with_a_wrong_key_too(closed):
    assert refused(closed, {"apiKey": "wrong"}) == "invalid_api_key"
    assert refused(closed, {"apiKey": "x" * 1000}) == "invalid_api_key"
    assert refused(closed, {"apiKey": 1}) == "invalid_api_key"


def test_a_wrong_key_is_refused_where_none_is_needed(server):
    assert refused(server, {"apiKey": "wrong"}) == "invalid_api_key"


def test_with_a_key_that_may_not_read(closed):
    key = made(closed, scopes=["write"])
    assert refused(closed, {"apiKey": key["api_key"]}) == "forbidden"


def test_a_refused_one_hears_nothing(closed):
    with WebSocket(closed) as ws:
        assert ws.connect().startswith("44")
        ws.emit("subscribe_all")
        assert ws.closed()[0] == 1002


def test_a_refused_one_may_try_again(closed):
    with WebSocket(closed) as ws:
        assert ws.connect({"apiKey": "wrong"}).startswith("44")
        ws.send("40" + json.dumps({"apiKey": closed.admin_key}))
        assert ws.text().startswith('40{"sid":"')


@pytest.mark.parametrize("scopes", [["read"], ["admin"]])
def test_with_a_key_that_may(closed, scopes):
    key = made(closed, scopes=scopes)["api_key"]
    with WebSocket(closed) as ws:
        assert ws.connect({"apiKey": key}).startswith('40{"sid":"')
        ws.subscribe("subscribe_all")
        closed.put("a", b"x", headers=closed.as_admin)
        ws.event("transfer_update", is_completed("a"))


def test_a_key_in_the_head_will_do(closed):
    fields = [("X-API-Key", closed.admin_key)]
    with WebSocket(closed, fields=fields) as ws:
        assert ws.connect().startswith('40{"sid":"')
    wrong = WebSocket(closed, fields=[("X-API-Key", "wrong")])
    assert wrong.answer.status_code == 401
    key = made(closed, scopes=["write"])["api_key"]
    wrong = WebSocket(closed, fields=[("Authorization", f"Bearer {key}")])
    assert wrong.answer.status_code == 403


# --- streams


def test_a_stream_needs_a_key(closed):
    assert closed.get("/events").status_code == 401
    key = made(closed, scopes=["write"])["api_key"]
    answer = closed.get("/events", headers={"X-API-Key": key})
    assert answer.status_code == 403
    fields = ("X-API-Key", made(closed, scopes=["read"])["api_key"])
    with Stream(closed, "", fields) as stream:
        closed.put("a", b"x", headers=closed.as_admin)
        stream.until(is_completed("a"))


# --- the end of a key


def test_a_revoked_key_ends_what_it_opened(closed):
    kept = made(closed)["api_key"]
    key = made(closed)
    field = ("X-API-Key", key["api_key"])
    other = WebSocket(closed)
    other.connect({"apiKey": kept})
    polling = Polling(closed)
    polling.connect({"apiKey": key["api_key"]})
    with WebSocket(closed) as ws, Stream(closed, "", field) as stream:
        ws.connect({"apiKey": key["api_key"]})
        ws.emit("subscribe_all", ack=1)
        ws.text()
        with closed.raw() as raw:
            raw.request("GET", polling.path)
            assert not raw.is_readable(0.1)
            answer = closed.delete(
                f"/keys/{key['id']}", headers=closed.as_admin
            )
            assert answer.status_code == 204
            error, end = raw.response().text.split("\x1e")
        assert json.loads(error[2:])[1]["code"] == "invalid_api_key"
        assert end == "1"
        assert ws.event("error")["code"] == "invalid_api_key"
        assert ws.closed()[0] == 1008
        _, kind, data = stream.event()
        assert (kind, data["code"]) == ("error", "invalid_api_key")
        with pytest.raises(EOFError):
            stream.event()
    with other:
        other.emit("subscribe_all", ack=1)
        assert other.text() == '431[{"success":true}]'


def test_a_key_that_expires_does_too(closed):
    key = made(closed, expires_in=1)["api_key"]
    with WebSocket(closed) as ws, Stream(
        closed, "", ("X-API-Key", key)
    ) as stream:
        ws.connect({"apiKey": key})
        assert ws.event("error")["code"] == "invalid_api_key"
        assert ws.closed()[0] == 1008
        assert stream.event()[1] == "error"


# --- keys that know only some names


@pytest.fixture
def team(closed):
    return made(closed, prefix="team-a/")["api_key"]


def test_a_key_hears_of_its_own_names_only(closed, team):
    with WebSocket(closed) as ws, Stream(
        closed, "", ("X-API-Key", team)
    ) as stream:
        ws.connect({"apiKey": team})
        ws.emit("subscribe_all", ack=1)
        ws.text()
        for name in ("team-b/x", "team-a", "team-a/x"):
            closed.put(name, b"x", headers=closed.as_admin)
        assert ws.event("transfer_update")["filename"] == "team-a/x"
        assert stream.event()[2]["filename"] == "team-a/x"


def test_other_names_are_as_unknown_ones(closed, team):
    closed.put("secret", b"x", headers=closed.as_admin)
    with WebSocket(closed) as ws, Stream(
        closed, "?file=secret", ("X-API-Key", team)
    ) as stream:
        ws.connect({"apiKey": team})
        ws.emit("subscribe_status", {"filename": "secret"}, ack=1)
        assert ws.text() == '431[{"success":true}]'
        ws.emit("subscribe_status", {"filename": "team-a/x"})
        closed.put("secret", b"y", headers=closed.as_admin)
        closed.put("team-a/x", b"y", headers=closed.as_admin)
        assert ws.event("status_update")["filename"] == "team-a/x"
        assert not stream.raw.buffer.count(b"data:")


def test_sums_are_not_for_them(closed, team):
    with WebSocket(closed) as ws:
        ws.connect({"apiKey": team})
        ws.emit("subscribe_stats", ack=1)
        assert ws.event("error")["code"] == "forbidden"
    answer = closed.get("/events?stats=1", headers={"X-API-Key": team})
    assert answer.status_code == 403


# --- pages


def test_any_page_where_the_settings_say_so(start):
    server = start(CORS_ORIGINS="*")
    with WebSocket(server, fields=[("Origin", "https://a.example")]) as ws:
        assert ws.is_open


def test_only_named_pages(start):
    server = start(CORS_ORIGINS="https://files.example.org")
    good = {"Origin": "https://files.example.org"}
    bad = {"Origin": "http://localhost:3000"}
    assert server.get(PATH + "polling", headers=good).status_code == 200
    assert server.get(PATH + "polling", headers=bad).status_code == 403
    session = Polling(server, headers=good)
    assert server.post(session.path, data=b"40", headers=bad).status_code == 403
    assert session.connect().startswith('40{"sid":"')
