# SPDX-License-Identifier: MIT
"""GET /stats and GET /clients: sums that are kept with each change."""

import pytest

import expect
from chunks import Upload, content, good

MIB = 1024 * 1024
FIELDS = {
    "total_transfers": int,
    "total_bytes": int,
    "total_size_mb": float,
    "completed_count": int,
    "failed_count": int,
    "active_count": int,
    "success_rate": float,
    "average_speed_mbps": float,
    "total_clients": int,
    "file_types": dict,
    "encrypted_count": int,
    "queue_length": int,
    "uptime_seconds": int,
    "uploads": int,
    "downloads": int,
}


def stats(server):
    response = server.get("/stats")
    assert response.status_code == 200, response.text
    answer = response.json()
    for name, kind in FIELDS.items():
        assert isinstance(answer[name], kind), (name, answer[name])
    return answer


def clients(server):
    response = server.get("/clients")
    assert response.status_code == 200, response.text
    return response.json()["clients"]


def test_what_has_ended_is_counted_at_once(start):
    server = start()
    for n in range(1, 51):
        query = f"?client_id=c{n}&sha256=" + "0" * 64
        assert server.put("a", b"1", query).status_code == 422
        assert stats(server)["failed_count"] == 2 * n - 1
        assert server.put("a", b"1", query).status_code == 422
        (one,) = [c for c in clients(server) if c["client_id"] == f"c{n}"]
        assert one["total_uploads"] == 2


def test_of_nothing(start):
    server = start()
    assert stats(server) == {
        "total_transfers": 0,
        "total_bytes": 0,
        "total_size_mb": 0.0,
        "completed_count": 0,
        "failed_count": 0,
        "active_count": 0,
        "success_rate": 100.0,
        "average_speed_mbps": 0.0,
        "total_clients": 0,
        "file_types": {},
        "encrypted_count": 0,
        "queue_length": 0,
        "uptime_seconds": stats(server)["uptime_seconds"],
        "uploads": 0,
        "downloads": 0,
    }
    assert clients(server) == []


def test_what_transfers_add_up_to(start):
    server = start()
    data = content(MIB)
    server.put("a.txt", data)
    server.put("folder/b.TXT", data, "?encryption=true")
    server.put("c", b"x")
    server.put("d.bin", b"x", "?sha256=" + "0" * 64)
    server.download("a.txt")
    # A download is completed only when its client has everything.
    s = expect.until(
        lambda: stats(server)["completed_count"] == 4 and stats(server)
    )
    assert s["total_transfers"] == 5
    assert s["failed_count"] == 1
    assert s["total_bytes"] == 3 * MIB + 1
    assert s["total_size_mb"] == pytest.approx(3 + 1 / MIB)
    assert s["success_rate"] == pytest.approx(80)
    assert s["uploads"] == 4
    assert s["downloads"] == 1
    assert s["encrypted_count"] == 1
    assert s["file_types"] == {".txt": 2, "": 1, ".bin": 1}
    assert s["average_speed_mbps"] > 0
    assert s["total_clients"] == 1
    assert s["active_count"] == 0
    server.restart()
    again = stats(server)
    for name in ("total_transfers", "total_bytes", "file_types", "uploads"):
        assert again[name] == s[name]


def test_what_moves_is_active(start):
    server = start()
    up = Upload(server, "a", [b"one", b"two"])
    good(up.send(0))
    assert stats(server)["active_count"] == 1
    good(up.send(1))
    s = expect.until(
        lambda: stats(server)["active_count"] == 0 and stats(server)
    )
    assert s["completed_count"] == 1


def test_clients(start):
    server = start()
    server.put("a", b"12345", headers={"User-Agent": "first/1"})
    server.put("b", b"12", "?client_id=me")
    server.put("a", b"123", headers={"User-Agent": "second/2"})
    server.download("a", headers={"User-Agent": "third/3"})
    expect.until(
        lambda: any(c["total_downloads"] == 1 for c in clients(server))
    )
    first, second = clients(server)
    assert first == {
        "ip": "127.0.0.1",
        "files": ["a"],
        "total_uploads": 2,
        "total_downloads": 1,
        "last_activity": first["last_activity"],
        "client_agent": "third/3",
        "client_id": None,
        "total_bytes": 11,
    }
    assert expect.TIME.match(first["last_activity"])
    assert second["client_id"] == "me"
    assert second["files"] == ["b"]
    assert second["total_uploads"] == 1
    assert second["total_bytes"] == 2
    assert stats(server)["total_clients"] == 2


def test_the_newest_files_of_a_client(start):
    server = start()
    for i in range(105):
        server.put(f"f{i}", b"x")
    (one,) = clients(server)
    assert one["files"] == [f"f{i}" for i in range(104, 4, -1)]
    assert one["total_uploads"] == 105


def test_a_client_is_who_the_form_says_at_last(start):
    """The id may come after the file: nobody else is counted for it."""
    server = start()
    data = content(200_000)
    server.post(
        "/upload", files={"file": ("a", data), "client_id": (None, "late")}
    )
    (one,) = clients(server)
    assert one["client_id"] == "late"
    assert one["total_uploads"] == 1
    assert stats(server)["total_clients"] == 1


def test_sums_are_not_for_keys_with_a_prefix(server, admin):
    made = server.post(
        "/generate_key", json={"prefix": "team-a/"}, headers=admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    for path in ("/stats", "/clients"):
        expect.error(server.get(path, headers=key), 403, "forbidden")
        assert server.head(path).status_code == 200
