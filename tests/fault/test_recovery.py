# SPDX-License-Identifier: MIT
"""Starts after the worst: a damaged or lost database, objects that no
record names, records whose bytes are gone, what others left."""

import shutil

import pytest

import expect

FILES = {
    "a.txt": b"first",
    "folder/b \u00e9.bin": bytes(range(256)) * 1000,
    "empty": b"",
    "c.bin": b"c" * 70_000,
}


def fill(own):
    for name, data in FILES.items():
        expect.uploaded(own.put(name, data), name, data, status=201)
    own.put("a.txt", b"old")
    own.put("a.txt", FILES["a.txt"])


def all_there(own):
    for name, data in FILES.items():
        assert own.has(name, data)
    return True


def database(own):
    return own.storage / "records.db"


def remove_database(own):
    for path in own.storage.glob("records.db*"):
        path.unlink()


def damage(path, way):
    content = path.read_bytes()
    if way == "empty":
        path.write_bytes(b"")
    elif way == "text":
        path.write_bytes(b"this is no database\n" * 500)
    elif way == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif way == "zeros at the start":
        path.write_bytes(bytes(4096) + content[4096:])
    elif way == "noise in the middle":
        middle = 4096
        noise = b"\xa5" * (len(content) - 2 * middle)
        path.write_bytes(content[:middle] + noise + content[-middle:])


@pytest.mark.parametrize("unclean", [False, True])
@pytest.mark.parametrize(
    "way",
    ["empty", "text", "cut", "zeros at the start", "noise in the middle"],
)
def test_a_damaged_database_is_set_aside_and_completed(start, way, unclean):
    own = start()
    fill(own)
    if unclean:
        own.kill()
    else:
        own.stop()
    damage(database(own), way)
    for path in own.storage.glob("records.db-*"):
        path.unlink()
    own.start()
    assert all_there(own)
    # of what was replaced nothing comes back under its name
    for path in own.files_below("lost"):
        assert (own.storage / path).read_bytes() in (b"old", FILES["a.txt"])
    # and it is a server like any other
    expect.uploaded(own.put("new", b"new"), "new", b"new", status=201)
    own.restart()
    assert all_there(own)
    assert own.has("new", b"new")


def test_a_damaged_one_is_kept_for_people(start):
    own = start()
    fill(own)
    own.stop()
    text = b"this is no database\n" * 500
    database(own).write_bytes(text)
    own.start()
    kept = [
        p
        for p in own.storage.rglob("*")
        if p.is_file() and p.read_bytes() == text
    ]
    assert kept
    assert any(
        e["level"] in ("warning", "error") for e in own.log.events()
    ), own.log.text()


def test_a_lost_database_is_made_from_the_objects(start):
    own = start()
    fill(own)
    own.stop()
    remove_database(own)
    shutil.rmtree(own.storage / "backups", ignore_errors=True)
    own.start()
    assert all_there(own)


def test_a_backup_put_back_by_hand_is_completed(start):
    """Last night's backup must not cost today's files."""
    own = start()
    own.put("yesterday", b"1")
    own.put("both", b"1")
    own.stop()
    (backup,) = (own.storage / "backups").iterdir()
    content = backup.read_bytes()
    own.start()
    own.put("today", b"2")
    own.put("both", b"2")
    own.stop()
    remove_database(own)
    database(own).write_bytes(content)
    own.start()
    assert own.has("yesterday", b"1")
    assert own.has("today", b"2")
    assert own.has("both", b"2")
    own.restart()
    assert own.has("today", b"2")
    assert own.files_below("lost") == []


def test_what_carries_no_birth_record_goes_to_lost(start):
    own = start()
    fill(own)
    own.stop()
    stray = own.storage / "objects" / "ab" / ("0" * 30 + "ab")
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"where do I come from?")
    own.start()
    assert all_there(own)
    expect.until(lambda: not stray.exists())
    (lost,) = expect.until(lambda: own.files_below("lost"))
    assert (own.storage / lost).read_bytes() == b"where do I come from?"


def test_a_record_without_bytes_is_reported_and_marked(start):
    own = start()
    fill(own)
    own.stop()
    (victim,) = [
        p
        for p in (own.storage / "objects").rglob("*")
        if p.is_file() and p.read_bytes() == FILES["c.bin"]
    ]
    victim.unlink()
    own.start()
    expect.error(own.download("c.bin"), 500, "file_damaged")
    assert own.head("/download/c.bin").status_code == 500
    # that there was an upload is as true as before
    assert own.status("c.bin")["status"] == "completed"
    names = [t["filename"] for t in own.get("/status").json()["transfers"]]
    assert "c.bin" in names

    def reported():
        return [
            e
            for e in own.log.events()
            if e["level"] in ("warning", "error") and "c.bin" in str(e)
        ]

    expect.until(reported)
    for name, data in FILES.items():
        if name != "c.bin":
            assert own.has(name, data)
    # a new upload mends it
    own.put("c.bin", b"again")
    assert own.has("c.bin", b"again")
    own.restart()
    assert own.has("c.bin", b"again")


def test_an_object_that_is_too_short_is_never_sent_as_whole(start):
    own = start()
    fill(own)
    own.stop()
    (victim,) = [
        p
        for p in (own.storage / "objects").rglob("*")
        if p.is_file() and p.read_bytes() == FILES["c.bin"]
    ]
    with open(victim, "r+b") as f:
        f.truncate(1000)
    own.start()
    with own.raw() as raw:
        raw.request("GET", "/download/c.bin")
        answer = raw.response_head()
        if answer.status_code == 200:
            length = int(answer.headers["Content-Length"])
            assert len(raw.read_to_end()) < length
        else:
            assert answer.status_code in (404, 410, 500)


def test_leftovers_in_temp_are_removed(start):
    own = start()
    fill(own)
    own.stop()
    stray = own.storage / "temp" / ("1" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half of something")
    own.start()
    expect.until(lambda: own.files_below("temp") == [])
    assert all_there(own)


def test_replaced_bytes_are_removed_in_time(start):
    own = start()
    for i in range(20):
        own.put("x", b"%d" % i * 1000)
    expect.until(lambda: len(own.files_below("objects")) == 1)
    assert own.has("x", b"19" * 1000)


def test_a_symbolic_link_in_the_directory_is_not_followed(start, tmp_path):
    own = start()
    fill(own)
    own.stop()
    secret = tmp_path / "secret"
    secret.write_text("do not serve")
    (victim,) = [
        p
        for p in (own.storage / "objects").rglob("*")
        if p.is_file() and p.read_bytes() == FILES["c.bin"]
    ]
    victim.unlink()
    victim.symlink_to(secret)
    own.start()
    response = own.download("c.bin")
    assert b"do not serve" not in response.content
    assert secret.read_text() == "do not serve"


def test_a_moved_directory_serves(start, tmp_path):
    own = start()
    fill(own)
    own.stop()
    moved = tmp_path / "moved"
    own.storage.rename(moved)
    own.storage = moved
    own.settings["UPLOAD_DIR"] = moved
    own.start()
    assert all_there(own)


def test_a_copied_directory_serves(start, tmp_path):
    """cp -a keeps the birth records; the copy is whole without them, too."""
    own = start()
    fill(own)
    own.stop()
    copy = tmp_path / "copy"
    shutil.copytree(own.storage, copy, symlinks=True)
    own.storage = copy
    own.settings["UPLOAD_DIR"] = copy
    own.start()
    assert all_there(own)
