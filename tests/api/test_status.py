# SPDX-License-Identifier: MIT
"""GET /status and /status/<filename>: what is on record."""

import random

import pytest

import expect
import keys
from raw import head

DATA = random.Random(40).randbytes(10_000)


def test_a_finished_upload(server, name):
    answer = server.form(name, DATA, {"client_id": "me", "priority": "4"})
    status = expect.transfer(server.status(name))
    assert status["filename"] == name
    assert status["status"] == "completed"
    assert status["checksum"] == expect.sha256(DATA)
    assert status["priority"] == 4
    assert status["progress"] == 100
    assert status["transferred_bytes"] == len(DATA)
    assert status["total_bytes"] == len(DATA)
    assert status["client_id"] == "me"
    assert status["retry_count"] == 0
    assert status["direction"] == "upload"
    assert status["error"] is None
    assert status["id"] == answer.json()["id"]
    assert status["encryption"] is False


def test_an_empty_file(server, name):
    server.put(name, b"")
    status = expect.transfer(server.status(name))
    assert status["status"] == "completed"
    assert status["progress"] == 100
    assert status["total_bytes"] == 0


def test_a_name_nobody_knows(server, name):
    expect.error(server.get(f"/status/{name}"), 404)
    assert server.head(f"/status/{name}").status_code == 404


def test_head(server, name):
    server.put(name, DATA)
    assert server.head(f"/status/{name}").status_code == 200
    assert server.head("/status").status_code == 200


def test_the_newest_upload_of_a_file(server, name):
    server.put(name, b"1")
    newest = server.put(name, b"22").json()
    status = server.status(name)
    assert status["id"] == newest["id"]
    assert status["total_bytes"] == 2


def test_a_download_does_not_hide_the_upload(server, name):
    upload = server.put(name, DATA).json()
    server.download(name)
    assert server.status(name)["id"] == upload["id"]


def test_a_failed_upload(server, name):
    server.put(name, DATA, f"?sha256={'0' * 64}")
    status = expect.transfer(server.status(name))
    assert status["status"] == "failed"
    assert status["error"]
    assert not expect.INSIDES.search(status["error"])


def test_the_name_is_normalised(server, names):
    top = names("")
    server.put(f"{top}/\u00e9", DATA)
    assert server.status(f"{top}/e\u0301")["filename"] == f"{top}/\u00e9"


def listing(server, query=""):
    response = server.get(f"/status{query}")
    assert response.status_code == 200, response.text
    body = expect.is_json(response)
    assert set(body) >= {"transfers", "queue", "metadata"}
    metadata = body["metadata"]
    assert expect.is_integer(metadata["total_transfers"])
    assert metadata["last_updated"] is None or expect.is_time(
        metadata["last_updated"]
    )
    assert metadata["returned"] == len(body["transfers"])
    cursor = metadata["next_cursor"]
    assert cursor is None or isinstance(cursor, str)
    for entry in body["transfers"]:
        expect.transfer(entry)
    for entry in body["queue"]:
        assert entry["status"] in expect.STATUSES
        assert 0 <= entry["priority"] <= 10
        assert entry["filename"] and entry["id"]
        position = entry["position"]
        if entry["status"] == "queued":
            assert position >= 1
        else:
            assert position is None
    return body


def test_an_empty_server(start):
    own = start()
    body = listing(own)
    assert body["transfers"] == []
    assert body["queue"] == []
    assert body["metadata"]["total_transfers"] == 0
    assert body["metadata"]["next_cursor"] is None


def test_newest_first_and_each_file_once(start):
    own = start()
    for name in ("a", "b", "c", "a"):
        own.put(name, DATA)
    body = listing(own)
    assert [t["filename"] for t in body["transfers"]] == ["a", "c", "b"]
    assert body["metadata"]["total_transfers"] in (3, 4)


def test_the_objects_are_those_of_the_single_route(server, name):
    server.put(name, DATA)
    one = server.status(name)
    many = listing(server)["transfers"]
    assert one in many


def test_limit_and_cursor(start):
    own = start()
    expected = [f"file-{i}" for i in range(25)]
    for name in expected:
        own.put(name, b"x")
    expected.reverse()
    for limit in (1, 7, 24, 25, 26):
        found, cursor, pages = [], "", 0
        while cursor is not None:
            query = f"?limit={limit}"
            if cursor:
                query += f"&cursor={cursor}"
            body = listing(own, query)
            assert len(body["transfers"]) <= limit
            found += [t["filename"] for t in body["transfers"]]
            cursor = body["metadata"]["next_cursor"]
            pages += 1
            assert pages <= 26
        assert found == expected


def test_paging_while_others_come(start):
    own = start()
    for i in range(10):
        own.put(f"old-{i}", b"x")
    first = listing(own, "?limit=4")
    for i in range(5):
        own.put(f"new-{i}", b"x")
    cursor = first["metadata"]["next_cursor"]
    rest = listing(own, f"?limit=100&cursor={cursor}")
    seen = [t["filename"] for t in first["transfers"] + rest["transfers"]]
    assert sorted(seen) == [f"old-{i}" for i in range(10)]


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=-1",
        "?limit=x",
        "?limit=",
        "?limit=1.5",
        "?limit=99999999999999999999",
        "?limit=%31%30x",
        "?cursor=!",
        "?cursor=" + "a" * 500,
        "?cursor=%00",
        "?cursor=%27%20OR%201=1",
    ],
)
def test_bad_numbers_and_cursors(server, query):
    response = server.get(f"/status{query}")
    expect.error(response, 400, "invalid_parameter")


def test_the_queue_shows_what_ended_a_moment_ago(server, name):
    upload = server.put(name, DATA, "?priority=6").json()
    entries = [
        e for e in listing(server)["queue"] if e["id"] == upload["id"]
    ]
    assert len(entries) == 1
    assert entries[0]["filename"] == name
    assert entries[0]["priority"] == 6
    assert entries[0]["status"] == "completed"
    assert entries[0]["position"] is None


def test_the_queue_forgets(start):
    own = start(QUEUE_KEEP_SECONDS="1")
    own.put("soon-gone", DATA)
    expect.until(lambda: listing(own)["queue"] == [])
    assert own.status("soon-gone")["status"] == "completed"


def test_the_queue_is_in_order_of_priority_then_time(start):
    own = start()
    names = []
    for i, priority in enumerate([3, 9, 3, 0, 10, 9]):
        names.append(f"f{i}-{priority}")
        own.put(names[-1], DATA, f"?priority={priority}")
    found = [e["filename"] for e in listing(own)["queue"]]
    expected = sorted(names, key=lambda n: -int(n.split("-")[1]))
    assert found == expected


def test_downloads_are_in_the_queue_too(start):
    own = start()
    own.put("both", DATA)
    own.download("both")

    def two():
        found = [e for e in listing(own)["queue"] if e["filename"] == "both"]
        assert len({e["id"] for e in found}) == len(found)
        return [e["status"] for e in found] == ["completed"] * 2

    expect.until(two)


def test_downloads_are_not_in_the_list_of_uploads(start):
    own = start()
    own.put("x", DATA)
    for _ in range(3):
        own.download("x")
    transfers = listing(own)["transfers"]
    assert [t["direction"] for t in transfers] == ["upload"]


def test_the_metadata_counts_and_dates(start):
    own = start()
    own.put("x", DATA)
    before = listing(own)["metadata"]
    own.put("y", DATA)
    after = listing(own)["metadata"]
    assert after["total_transfers"] == before["total_transfers"] + 1
    assert after["last_updated"] >= before["last_updated"]


def test_records_outlive_a_restart(start):
    own = start()
    own.put("x", DATA, "?priority=2&client_id=me")
    own.put("bad", DATA, f"?sha256={'0' * 64}")
    before = [own.status("x"), own.status("bad")]
    own.restart()
    assert [own.status("x"), own.status("bad")] == before
    assert own.has("x", DATA)


def test_what_was_under_way_is_interrupted_after_a_restart(start):
    own = start(SHUTDOWN_GRACE="0")
    with own.raw() as raw:
        size = 1 << 20
        raw.send(head("PUT", "/upload/x", ("Content-Length", size)))
        raw.send(bytes(300_000))
        expect.until(lambda: own.status("x")["transferred_bytes"] > 0)
        own.restart()
    status = expect.transfer(own.status("x"))
    assert status["status"] == "interrupted"
    assert status["error"]
    assert own.lacks("x")


def test_what_others_do_is_not_counted(start):
    """Nor seen by when the last of it was."""
    own = start()
    team = keys.key(own, prefix="team/")

    def metadata(query=""):
        answer = own.get("/status" + query, headers=team)
        return answer.json()["metadata"]

    own.put("foreign", DATA)
    nothing = {"total_transfers": 0, "last_updated": None}
    assert nothing.items() <= metadata().items()
    for name in ("team/a", "team/b"):
        own.put(name, DATA)
    expect.until(lambda: metadata()["total_transfers"] == 2)
    before = metadata()
    assert before["last_updated"] == own.status("team/b")["updated_at"]
    own.put("foreign", DATA)
    assert own.has("foreign", DATA)
    assert metadata() == before
    page = metadata("?limit=1")
    older = metadata(f"?limit=1&cursor={page['next_cursor']}")
    for got in (page, older):
        assert got["total_transfers"] == 2
        assert got["last_updated"] == before["last_updated"]
    assert own.has("team/a", DATA)
    expect.until(lambda: metadata()["total_transfers"] == 3)
