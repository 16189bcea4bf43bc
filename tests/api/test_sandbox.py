# SPDX-License-Identifier: MIT
"""What the server gives up when it starts, and whom it runs as."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import expect
import pytest
import sftd

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can")


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_it_has_no_capabilities_and_gains_none(start):
    server = start()
    got = status(server.child)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(got[name], 16) == 0, name
    if os.geteuid() == 0:
        assert int(got["CapBnd"], 16) == 0
    assert got["NoNewPrivs"] == "1"
    # each thread of it
    for task in Path(f"/proc/{server.child}/task").iterdir():
        got = status(f"{server.child}/task/{task.name}")
        assert got["NoNewPrivs"] == "1" and int(got["CapEff"], 16) == 0


def test_it_still_does_everything_in_its_directories(start, tmp_path):
    server = start(
        place=tmp_path, LOG_FILE=str(tmp_path / "elsewhere.json")
    )
    server.put("a", b"x" * 100_000, "?encryption=true")
    server.put("a", b"y" * 100_000)
    assert server.has("a", b"y" * 100_000)
    expect.until((tmp_path / "elsewhere.json").exists)
    server.restart()
    assert server.has("a", b"y" * 100_000)


@pytest.fixture
def public():
    """A directory that every user can reach."""
    path = Path(tempfile.mkdtemp(prefix="sftd-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@as_root
def test_it_runs_as_another_user(start, public):
    user = pwd.getpwnam("nobody")
    place = public / "theirs"
    place.mkdir(mode=0o755)
    os.chown(place, user.pw_uid, user.pw_gid)
    server = start(
        place=public,
        RUN_AS="nobody",
        UPLOAD_DIR=str(public / "made"),
        LOG_FILE=str(place / "status.json"),
    )
    for pid in (server.child, server.process.pid):
        got = status(pid)
        assert set(got["Uid"].split()) == {str(user.pw_uid)}
        assert set(got["Gid"].split()) == {str(user.pw_gid)}
        assert "0" not in got["Groups"].split()
    server.put("a", b"x" * 100_000)
    assert server.has("a", b"x" * 100_000)
    for path in (public / "made").rglob("*"):
        assert path.lstat().st_uid == user.pw_uid, path
    # Another server takes over, still as that user.
    server.restart()
    assert server.has("a", b"x" * 100_000)
    # Root's commands leave nothing behind that the user cannot use.
    done = subprocess.run(
        [sftd.program(), "verify"],
        env={**os.environ, **server.settings},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for path in (public / "made").rglob("*"):
        assert path.lstat().st_uid == user.pw_uid, path


def refused(tmp_path, **settings):
    done = subprocess.run(
        [sftd.program()],
        env={"UPLOAD_DIR": str(tmp_path / "none"), "SERVER_PORT": "0",
             **settings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert not (tmp_path / "none").exists()
    return done.stderr


@pytest.mark.parametrize("supervised", ["true", "false"])
def test_an_unknown_user(tmp_path, supervised):
    said = refused(
        tmp_path, RUN_AS="no-such-user", AUTO_RESTART_ENABLED=supervised
    )
    assert "RUN_AS=no-such-user: there is no such user" in said


def test_only_root_changes(tmp_path):
    if os.geteuid() != 0:
        assert "only root can change" in refused(tmp_path, RUN_AS="root")
        return
    nobody = pwd.getpwnam("nobody").pw_uid

    def leave():
        os.setresuid(nobody, nobody, nobody)

    if not os.access(sftd.program(), os.X_OK):
        pytest.skip("nobody may not run the program")
    try:
        done = subprocess.run(
            [sftd.program()],
            env={"RUN_AS": "root", "SERVER_PORT": "0",
                 "UPLOAD_DIR": "/nonexistent/none"},
            preexec_fn=leave,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )  # fmt: skip
    except PermissionError:
        pytest.skip("nobody may not run the program")
    assert done.returncode == 1
    assert "only root can change to another user" in done.stderr
