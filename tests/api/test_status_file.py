# SPDX-License-Identifier: MIT
"""LOG_FILE, the status file in the layout of the original."""

import json

import pytest

import expect

DATA = b"on record" * 100

# As the original left it: no ids, local times without a zone.
ORIGINAL = {
    "transfers": {
        "document.pdf": {
            "filename": "document.pdf",
            "status": "completed",
            "checksum": "ab" * 32,
            "encryption": False,
            "priority": 5,
            "progress": 100,
            "speed": 5242880,
            "eta": 0,
            "transferred_bytes": 1048576,
            "total_bytes": 1048576,
            "client_ip": "192.168.1.100",
            "retry_count": 0,
            "created_at": "2024-10-24T07:30:00",
            "updated_at": "2024-10-24T07:30:05",
        },
        "half.bin": {
            "filename": "half.bin",
            "status": "uploading",
            "checksum": None,
            "encryption": True,
            "priority": 0,
            "progress": 45,
            "transferred_bytes": 450,
            "total_bytes": 1000,
            "client_ip": "192.168.1.101",
            "retry_count": 1,
            "created_at": "2024-10-24T07:31:00.123456",
            "updated_at": "2024-10-24T07:31:05.654321",
        },
    },
    "queue": [{"filename": "half.bin", "priority": 0}],
    "metadata": {
        "last_updated": "2024-10-24T07:35:00",
        "total_transfers": 2,
        "version": "1.0",
    },
}


def read(path):
    content = json.loads(path.read_text())
    assert set(content) >= {"transfers", "queue", "metadata"}
    assert isinstance(content["transfers"], dict)
    assert isinstance(content["queue"], list)
    assert content["metadata"]["version"] == "1.0"
    return content


def test_the_layout(start):
    own = start()
    own.put("a.bin", DATA, "?priority=3")
    own.put("b.bin", DATA)

    def both():
        content = read(own.status_file)
        return set(content["transfers"]) == {"a.bin", "b.bin"} and content

    content = expect.until(both)
    expected = own.status("a.bin")
    entry = content["transfers"]["a.bin"]
    for field in (
        "filename",
        "status",
        "checksum",
        "encryption",
        "priority",
        "created_at",
        "updated_at",
    ):
        assert entry[field] == expected[field]
    assert content["metadata"]["total_transfers"] == 2
    assert expect.is_time(content["metadata"]["last_updated"])
    queue = {e["filename"]: e["priority"] for e in content["queue"]}
    assert queue.get("a.bin", 3) == 3


def test_it_is_there_at_the_end(start):
    own = start()
    own.put("x", DATA)
    own.stop()
    assert read(own.status_file)["transfers"]["x"]["status"] == "completed"


def test_the_one_before_is_kept(start):
    own = start()
    own.put("x", DATA)
    expect.until(lambda: "x" in read(own.status_file)["transfers"])
    own.put("y", DATA)
    expect.until(lambda: "y" in read(own.status_file)["transfers"])
    backup = own.status_file.with_name(own.status_file.name + ".backup")
    assert "y" not in read(backup)["transfers"]


def test_it_is_not_written_more_than_once_a_second(start):
    own = start()
    seen = set()

    def look():
        try:
            seen.add(own.status_file.stat().st_mtime_ns)
        except FileNotFoundError:
            pass

    for i in range(150):
        own.put(f"f{i % 10}", DATA)
        look()
    moments = sorted(seen)
    gaps = [b - a for a, b in zip(moments, moments[1:])]
    # two changes may fall on both sides of one write
    assert all(gap > 0.5e9 for gap in gaps), gaps


def test_it_is_whole_whenever_it_is_read(start):
    own = start()
    own.put("x", DATA)
    expect.until(lambda: read(own.status_file))
    for i in range(60):
        own.put(f"f{i}", DATA)
        read(own.status_file)


def test_the_newest_1000_are_in_it(start):
    own = start(DURABILITY="relaxed")
    with own.raw() as raw:
        for i in range(1005):
            response = raw.ask("PUT", f"/upload/f{i:04}", body=b"x")
            assert response.status_code == 201
    own.stop()
    transfers = read(own.status_file)["transfers"]
    assert len(transfers) == 1000
    assert "f1004" in transfers and "f0004" not in transfers


@pytest.fixture
def start_with(start, tmp_path):
    """A new server that finds this content in its status file."""

    def start_one(content, backup=None):
        path = tmp_path / "transfer_status.json"
        path.write_text(content)
        if backup is not None:
            path.with_name(path.name + ".backup").write_text(backup)
        return start()

    return start_one


def test_an_originals_history_is_taken_over(start_with):
    own = start_with(json.dumps(ORIGINAL))
    status = expect.transfer(own.status("document.pdf"))
    assert status["status"] == "completed"
    assert status["checksum"] == "ab" * 32
    assert status["priority"] == 5
    assert status["total_bytes"] == 1048576
    assert status["client_ip"] == "192.168.1.100"
    status = expect.transfer(own.status("half.bin"))
    assert status["status"] == "interrupted"
    assert own.lacks("document.pdf")  # its bytes lie elsewhere
    names = [
        t["filename"] for t in own.get("/status").json()["transfers"]
    ]
    assert names == ["half.bin", "document.pdf"]


def test_it_is_read_once(start_with):
    own = start_with(json.dumps(ORIGINAL))
    own.stop()
    changed = json.loads(json.dumps(ORIGINAL))
    changed["transfers"]["new.bin"] = dict(
        ORIGINAL["transfers"]["document.pdf"], filename="new.bin"
    )
    own.status_file.write_text(json.dumps(changed))
    own.start()
    expect.error(own.get("/status/new.bin"), 404)
    assert own.status("document.pdf")["status"] == "completed"


def test_what_is_new_joins_what_was_taken_over(start_with):
    own = start_with(json.dumps(ORIGINAL))
    own.put("document.pdf", DATA)
    own.put("fresh.bin", DATA)
    own.stop()
    transfers = read(own.status_file)["transfers"]
    assert set(transfers) == {"document.pdf", "half.bin", "fresh.bin"}
    assert transfers["document.pdf"]["checksum"] == expect.sha256(DATA)


DAMAGED = [
    "",
    "{",
    json.dumps(ORIGINAL)[:-200],
    "[]",
    "null",
    '{"transfers": 5}',
    "\0" * 500,
    "not json at all",
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_one_is_set_aside_and_the_backup_read(start_with, content):
    own = start_with(content, backup=json.dumps(ORIGINAL))
    assert own.status("document.pdf")["status"] == "completed"
    set_aside = [
        p
        for p in own.place.glob("transfer_status.json*")
        if p.read_text() == content
        and p.name not in ("transfer_status.json",)
    ]
    assert set_aside, list(own.place.iterdir())


def test_a_damaged_one_without_a_backup(start_with):
    own = start_with("{", backup=None)
    assert own.get("/status").json()["transfers"] == []
    own.put("x", DATA)
    own.stop()
    assert set(read(own.status_file)["transfers"]) == {"x"}


def test_both_damaged(start_with):
    own = start_with("{", backup="}")
    assert own.get("/health").status_code == 200
    own.put("x", DATA)
    assert own.has("x", DATA)


@pytest.mark.parametrize(
    "entry",
    [
        5,
        {},
        {"filename": "../../etc/passwd", "status": "completed"},
        {"filename": "a\u202eb", "status": "completed"},
        {"filename": "x", "status": "flying"},
        {"filename": "x", "priority": "high"},
        {"filename": "x", "created_at": "once"},
        {"filename": "x", "total_bytes": -5, "progress": 1e99},
        {"filename": "x", "client_ip": "y" * 10_000},
    ],
)
def test_odd_entries_do_not_stop_the_start(start_with, entry):
    content = json.loads(json.dumps(ORIGINAL))
    content["transfers"]["odd"] = entry
    own = start_with(json.dumps(content))
    assert own.status("document.pdf")["status"] == "completed"
    for transfer in own.get("/status").json()["transfers"]:
        expect.transfer(transfer)
