# SPDX-License-Identifier: MIT
"""GET /history: transfers of the past and the present, with filters."""

from datetime import datetime, timedelta, timezone

import pytest

import expect
from chunks import Upload, good


def history(server, query="", **options):
    response = server.get(f"/history{query}", **options)
    assert response.status_code == 200, response.text
    return response.json()


def names(answer):
    return [e["filename"] for e in answer["entries"]]


@pytest.fixture
def filled(start):
    """Seven transfers of three clients."""
    server = start()
    server.put("a", b"1")
    server.put("b", b"2", "?client_id=me")
    server.put("a", b"3")
    server.put("c", b"4", "?client_id=you&sha256=" + "0" * 64)
    server.put("d", b"5", "?encryption=true")
    server.download("a")
    server.download("b", headers={"X-Client-Id": "me"})
    expect.until(lambda: history(server)["total_count"] == 7)
    return server


def test_all_newest_first(filled):
    answer = history(filled)
    assert answer["total_count"] == answer["returned_count"] == 7
    assert answer["offset"] == 0
    assert answer["limit"] == 100
    assert names(answer) == ["b", "a", "d", "c", "a", "b", "a"]
    ids = [e["id"] for e in answer["entries"]]
    assert ids == sorted(ids, reverse=True)
    assert set(answer["transfers"]) == {"a", "b", "c", "d"}
    for name, one in answer["transfers"].items():
        assert one == next(
            e for e in answer["entries"] if e["filename"] == name
        )
    one = filled.status("d")
    assert one in answer["entries"]


def test_what_has_ended_is_in_it_at_once(server, name):
    """Without a look too early, as often as anybody asks."""
    for n in range(1, 101):
        server.put(name, b"1", "?sha256=" + "0" * 64)
        answer = history(server, f"?filename={name}")
        assert answer["total_count"] == n
        assert answer["entries"][0]["status"] == "failed"


@pytest.mark.parametrize(
    "query, found",
    [
        ("?status=failed", ["c"]),
        ("?status=completed", ["b", "a", "d", "a", "b", "a"]),
        ("?status=queued", []),
        ("?direction=download", ["b", "a"]),
        ("?direction=upload", ["d", "c", "a", "b", "a"]),
        ("?direction=upload&status=completed", ["d", "a", "b", "a"]),
        ("?client=me", ["b", "b"]),
        ("?client=you", ["c"]),
        ("?client=nobody", []),
        ("?client=127.0.0.1", ["b", "a", "d", "c", "a", "b", "a"]),
        ("?client=192.0.2.1", []),
        ("?filename=a", ["a", "a", "a"]),
        ("?filename=a&direction=download", ["a"]),
        ("?filename=a&client=me", []),
        ("?filename=nothing", []),
        ("?client=me&status=completed&direction=upload", ["b"]),
    ],
)
def test_filters(filled, query, found):
    answer = history(filled, query)
    assert names(answer) == found
    assert answer["total_count"] == answer["returned_count"] == len(found)


def day(delta):
    now = datetime.now(timezone.utc) + timedelta(days=delta)
    return now.strftime("%Y-%m-%d")


def test_days(filled):
    today, yesterday, tomorrow = day(0), day(-1), day(1)
    for query, count in (
        (f"?from={today}", 7),
        (f"?to={today}", 7),
        (f"?from={today}&to={today}", 7),
        (f"?from={yesterday}&to={tomorrow}", 7),
        (f"?from={tomorrow}", 0),
        (f"?to={yesterday}", 0),
        (f"?from={today}&client=me", 2),
        (f"?to={yesterday}&status=failed", 0),
    ):
        answer = history(filled, query)
        assert answer["total_count"] == count, query
        assert answer["returned_count"] == count, query


def test_pages(filled):
    whole = names(history(filled))
    seen = []
    for offset in range(0, 8, 3):
        answer = history(filled, f"?limit=3&offset={offset}")
        assert answer["total_count"] == 7
        assert answer["limit"] == 3
        assert answer["offset"] == offset
        assert answer["returned_count"] == len(answer["entries"])
        seen += names(answer)
    assert seen == whole
    assert history(filled, "?offset=100")["entries"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "offset=-1",
        "offset=x",
        "from=2026-13-01",
        "from=2026-02-30",
        "from=2026-1-1",
        "from=yesterday",
        "to=2026-01-01T00:00:00Z",
        "to=20260101",
        "status=done",
        "direction=sideways",
        "filename=a%00b",
        "client=a%00b",
    ],
)
def test_bad_filters(server, query):
    expect.error(server.get(f"/history?{query}"), 400, "invalid_parameter")


def test_what_moves_shows_how_far_it_is(start):
    server = start()
    up = Upload(server, "a", [b"one", b"two"], total_size=6)
    good(up.send(0))
    (one,) = expect.until(lambda: history(server)["entries"])
    assert one["status"] == "uploading"
    assert one["transferred_bytes"] == 3
    assert one["progress"] == 50


def test_a_key_sees_its_names(server, admin):
    made = server.post(
        "/generate_key", json={"prefix": "team-h/"}, headers=admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    server.put("team-h/x", b"1", headers=key)
    server.put("team-i/x", b"1")
    answer = history(server, headers=key)
    assert names(answer) == ["team-h/x"]
    assert answer["total_count"] == 1
    assert history(server, "?filename=team-i/x", headers=key)["entries"] == []
