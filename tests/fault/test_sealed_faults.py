# SPDX-License-Identifier: MIT
"""Changing the master key, and making plain what need not be sealed, broken
off at every point; and checking what is stored."""

import os
import random
import signal
import subprocess
import threading

import pytest

import expect
import sealed
import sftd

OLD = "0123456789abcdef"
NEW = "fedcba9876543210"


def run(server, *command, **settings):
    """sftd COMMAND on the server's directory: (status, what it said)."""
    env = server.environment()
    env.update(settings)
    done = subprocess.run(
        [sftd.program(), *command],
        env=env,
        cwd=server.place,
        capture_output=True,
        text=True,
        timeout=120,
    )
    server.check_sanitizers()
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def filled(start):
    """A server with sealed files and a plain one."""
    server = start(ENCRYPTION_KEY=OLD)
    files = {}
    for i, size in enumerate((0, 1, 65536, 70_000, 300_000, 20)):
        name = f"sealed-{i}"
        files[name] = random.Random(i).randbytes(size)
        server.put(name, files[name], "?encryption=true")
    files["plain"] = b"plain bytes" * 1000
    server.put("plain", files["plain"])
    # one that looks like what it is not
    files["copy"] = sealed.object_of(server, "sealed-3").read_bytes()
    server.put("copy", files["copy"])
    server.files = files
    return server


def all_there(server):
    for name, data in server.files.items():
        assert server.has(name, data)
    return True


def restart_with(server, **settings):
    server.stop()
    server.settings.update(settings)
    server.start()


# --- rotation ----------------------------------------------------------------


def test_rotation(filled):
    status, said = run(filled, "rotate-key")
    assert status == 0 and "re-wrapped 0 of 6" in said
    # a server that does not know the new key must not find it used
    status, said = run(filled, "rotate-key", ENCRYPTION_KEY=NEW,
                       ENCRYPTION_KEY_PREVIOUS=OLD)
    assert status == 1 and "restart it with the new key" in said
    assert all_there(filled)
    restart_with(filled, ENCRYPTION_KEY=NEW, ENCRYPTION_KEY_PREVIOUS=OLD)
    before = sealed.object_of(filled, "sealed-3").read_bytes()
    status, said = run(filled, "rotate-key")
    assert status == 0 and "re-wrapped 6 of 6" in said, said
    after = sealed.object_of(filled, "sealed-3").read_bytes()
    assert after[:16] == before[:16] and after[80:] == before[80:]
    assert after[16:32] == sealed.key_id(NEW.encode())
    assert sealed.read(after, NEW.encode()) == filled.files["sealed-3"]
    assert all_there(filled)
    restart_with(filled, ENCRYPTION_KEY_PREVIOUS=None)
    assert "neither" not in filled.log.text()
    assert all_there(filled)


def test_rotation_without_a_server(filled):
    filled.stop()
    filled.settings.update(ENCRYPTION_KEY=NEW, ENCRYPTION_KEY_PREVIOUS=OLD)
    status, said = run(filled, "rotate-key")
    assert status == 0 and "re-wrapped 6 of 6" in said, said
    filled.settings.update(ENCRYPTION_KEY_PREVIOUS=None)
    filled.start()
    assert all_there(filled)


def test_rotation_from_the_file_s_key(start):
    server = start()
    server.put("a", b"content", "?encryption=true")
    server.files = {"a": b"content"}
    restart_with(server, ENCRYPTION_KEY=NEW)
    status, said = run(server, "rotate-key")
    assert status == 0 and "re-wrapped 1 of 1" in said, said
    server.stop()
    (server.storage / "encryption.key").unlink()
    server.start()
    assert all_there(server)


def test_rotation_without_the_old_key_says_which(filled):
    restart_with(filled, ENCRYPTION_KEY=NEW)
    status, said = run(filled, "rotate-key")
    assert status == 1
    assert sealed.key_id(OLD.encode()).hex() in said
    assert "sealed-3" in said and "keep the older keys" in said
    restart_with(filled, ENCRYPTION_KEY_PREVIOUS=OLD)
    assert all_there(filled)


@pytest.mark.parametrize("nth", [1, 4])
@pytest.mark.parametrize("point", ["rotate.begin", "rotate.written",
                                   "rotate.done"])
def test_a_rotation_that_is_killed_goes_on(faulty, filled, point, nth):
    restart_with(filled, ENCRYPTION_KEY=NEW, ENCRYPTION_KEY_PREVIOUS=OLD)
    nth = 1 if point == "rotate.done" else nth
    status, _ = run(filled, "rotate-key", SFT_FAULT=f"{point}:{nth}")
    assert status == -signal.SIGKILL
    assert all_there(filled)
    status, said = run(filled, "rotate-key")
    assert status == 0, said
    restart_with(filled, ENCRYPTION_KEY_PREVIOUS=None)
    assert all_there(filled)


def test_downloads_go_on_during_rotations(filled):
    """Back and forth, while others read: never half of two headers."""
    restart_with(filled, ENCRYPTION_KEY=NEW, ENCRYPTION_KEY_PREVIOUS=OLD)
    stop = threading.Event()
    failures = []

    def read():
        while not stop.is_set():
            try:
                filled.has("sealed-3", filled.files["sealed-3"])
            except AssertionError as e:
                failures.append(e)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for current, old in ((NEW, OLD), (OLD, NEW)) * 3:
            status, said = run(filled, "rotate-key", ENCRYPTION_KEY=current,
                               ENCRYPTION_KEY_PREVIOUS=old)
            if current == OLD:
                assert status == 1 or "of 6" in said, said
            else:
                assert status == 0, said
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


# --- checking ------------------------------------------------------------------


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1]))


def test_verify_finds_all_sound(filled):
    status, said = run(filled, "verify")
    assert status == 0, said
    assert "checked 8 files" in said and " 0 not sound" in said


@pytest.mark.parametrize("served", [True, False])
def test_verify_names_and_marks_what_is_not(filled, served):
    flip(sealed.object_of(filled, "sealed-4"), 200_000)
    flip(sealed.object_of(filled, "plain"), 5000)
    lost = sealed.object_of(filled, "sealed-3")
    kept = lost.rename(filled.place / "kept")
    if not served:
        filled.stop()
    status, said = run(filled, "verify", "--rate", "0")
    assert status == 1
    lines = said.splitlines()
    assert len(lines) == 4, said
    assert any("damaged: sealed-4" in line for line in lines)
    assert any("damaged: plain" in line for line in lines)
    assert any("lost: sealed-3" in line for line in lines)
    if not served:
        filled.start()
    expect.error(filled.download("plain"), 500, "file_damaged")
    # what is sound of a sealed file can still be had
    part = filled.download("sealed-4", headers={"Range": "bytes=0-9"})
    assert part.content == filled.files["sealed-4"][:10]
    # mended: the mark goes
    flip(sealed.object_of(filled, "sealed-4"), 200_000)
    flip(sealed.object_of(filled, "plain"), 5000)
    kept.rename(lost)
    status, said = run(filled, "verify")
    assert status == 0, said
    assert all_there(filled)


def test_verify_one_file(filled):
    flip(sealed.object_of(filled, "plain"), 5000)
    status, said = run(filled, "verify", "--file", "sealed-3")
    assert status == 0 and "checked 1 file " in said, said
    status, said = run(filled, "verify", "--file", "plain")
    assert status == 1 and "damaged: plain" in said
    status, said = run(filled, "verify", "--file", "nothing")
    assert status == 1 and "nothing" in said
    status, said = run(filled, "verify", "--file", "../etc/passwd")
    assert status == 1 and "checked" not in said


def test_verify_without_the_key_blames_no_file(filled):
    status, said = run(filled, "verify", ENCRYPTION_KEY=NEW)
    assert status == 1
    assert said.count("unreadable: ") == 6
    assert sealed.key_id(OLD.encode()).hex() in said
    status, said = run(filled, "verify")
    assert status == 0
    assert all_there(filled)


def test_verify_makes_records_again(filled):
    birth = os.getxattr(sealed.object_of(filled, "sealed-3"), "user.sft")
    assert b'"layout"' in birth
    filled.stop()
    # a database that knows nothing of the newest file
    saved = {p: p.read_bytes() for p in filled.storage.glob("records.db*")}
    filled.start()
    filled.put("late", b"late", "?encryption=true")
    filled.stop()
    for path in filled.storage.glob("records.db*"):
        path.unlink()
    for path, content in saved.items():
        path.write_bytes(content)
    path = sealed.object_of(filled, "late")
    birth = os.getxattr(path, "user.sft")
    status, said = run(filled, "verify", "--file", "late")
    assert status == 1
    # it is too young to be sure that nobody is about to record it
    status, said = run(filled, "verify", "--repair-records")
    assert "records made for 0 files" in said, said
    old = birth.decode()
    stamp = old.split('"modified":')[1].split(",")[0].split("}")[0].strip()
    os.setxattr(path, "user.sft",
                old.replace(stamp, str(int(stamp) - 120_000)).encode())
    status, said = run(filled, "verify", "--repair-records")
    assert status == 0, said
    assert "records made for 1 file " in said, said
    status, said = run(filled, "verify", "--file", "late")
    assert status == 0, said


@pytest.mark.parametrize(
    "command,status",
    [
        (["verify", "--bad"], 2),
        (["verify", "--rate", "fast"], 2),
        (["verify", "more"], 2),
        (["rotate-key", "--file", "x"], 2),
        (["nonsense"], 2),
        (["verify", "--help"], 0),
        (["rotate-key", "--help"], 0),
    ],
)
def test_how_commands_are_used(start, command, status):
    got, said = run(start(), *command)
    assert got == status, said
    assert said.strip()


def test_one_maintenance_at_a_time(filled):
    import fcntl

    with open(filled.storage / "maintenance.lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        for command in ("verify", "rotate-key"):
            status, said = run(filled, command)
            assert status == 1 and "wait until" in said, said
    assert run(filled, "verify")[0] == 0


@pytest.mark.parametrize("command", ["verify", "rotate-key"])
def test_only_in_a_server_s_directory(start, tmp_path, command):
    server = start()
    for where in (tmp_path / "nothing", tmp_path):
        status, said = run(server, command, UPLOAD_DIR=str(where))
        assert status == 1 and "UPLOAD_DIR" in said, said
    assert not (tmp_path / "nothing").exists()


# --- making plain ----------------------------------------------------------------


@pytest.mark.parametrize("point", ["rewrite.published", "rewrite.swapped"])
def test_making_plain_survives_a_crash(faulty, start, point):
    server = start(AUTO_RESTART_ENABLED="false")
    server.stop()
    server.settings["SFT_FAULT"] = point
    server.start()
    data = random.Random(3).randbytes(2_000_000)
    server.form("big", data)
    assert server.process.wait(30) == -signal.SIGKILL
    del server.settings["SFT_FAULT"]
    server.start()
    assert server.has("big", data)
    expect.until(
        lambda: sealed.object_of(server, "big").read_bytes() == data
    )
    assert server.has("big", data)
    expect.until(lambda: len(server.files_below("objects")) == 1)
    assert server.files_below("temp") == []
