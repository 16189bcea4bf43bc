# SPDX-License-Identifier: MIT
"""Work beside a running server is slow on purpose, in the server's way
nowhere, and may be killed."""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

import expect
import sftd

IOPRIO_GET = {"x86_64": 252, "aarch64": 31}
IDLE = 3
SIZE = 3_000_000
RATE = 1_000_000


def begin(server, *command):
    return subprocess.Popen(
        [sftd.program(), *command],
        env=server.environment(),
        cwd=server.place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def threads(pid):
    """name: (nice value, class of disk priority), of every thread."""
    libc = ctypes.CDLL(None)
    number = IOPRIO_GET.get(os.uname().machine)
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name, _, rest = (task / "stat").read_text().rpartition(")")
        except OSError:
            continue
        disk = libc.syscall(number, 1, int(task.name)) >> 13 if number else IDLE
        found[name.partition("(")[2]] = (int(rest.split()[16]), disk)
    return found


def test_reading_gives_way_and_recording_does_not(start):
    server = start()
    server.put("plain", bytes(SIZE))
    began = time.monotonic()
    process = begin(server, "verify", "--rate", str(RATE))
    try:
        # until the main thread has given way
        expect.until(
            lambda: (19, IDLE)
            in [(n, d) for n, d in threads(process.pid).values()]
        )
        seen = threads(process.pid)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert seen["db-writer"][0] == os.getpriority(os.PRIO_PROCESS, 0), seen
    assert seen["db-writer"][1] != IDLE or os.uname().machine not in IOPRIO_GET
    # the first tenth of a second may go in one go
    assert time.monotonic() - began >= SIZE / RATE - 0.2


def test_it_may_be_killed(start):
    server = start()
    server.put("plain", bytes(SIZE))
    server.put("sealed", bytes(SIZE), "?encryption=true")
    for command in (["verify", "--rate", "100K"], ["rotate-key"]):
        process = begin(server, *command)
        if command[0] == "verify":
            expect.until(lambda: "db-writer" in threads(process.pid))
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert server.has("sealed", bytes(SIZE))
    again = begin(server, "verify", "--rate", "0")
    said, _ = again.communicate(timeout=60)
    assert again.returncode == 0 and "checked 2 files" in said, said
    server.restart()
    assert not server.log.events(
        "the last run did not end properly; checking in the background"
    )
    assert server.has("plain", bytes(SIZE))


def test_nothing_is_made_where_there_is_no_server_s_directory(start, tmp_path):
    server = start()
    for command in ("verify", "rotate-key"):
        server.settings["UPLOAD_DIR"] = tmp_path / "elsewhere"
        process = begin(server, command)
        said, _ = process.communicate(timeout=60)
        server.settings["UPLOAD_DIR"] = server.storage
        assert process.returncode == 1
        assert "there is no directory" in said and "UPLOAD_DIR" in said
        assert not (tmp_path / "elsewhere").exists()
