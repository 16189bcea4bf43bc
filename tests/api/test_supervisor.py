# SPDX-License-Identifier: MIT
"""The supervisor: a dead server is back within a second, on the same port;
both end together."""

import os
import signal
import time

import pytest

import expect
from raw import head
from sftd import children, is_alive

DATA = b"still here" * 1000


def kill_server(own):
    """kill -9 of the child; the new one's process id once it serves."""
    own.may_restart = True
    old = own.child
    ready = len(own.log.events("ready"))
    os.kill(old, signal.SIGKILL)
    assert own.log.wait("ready", ready + 1) is not None, own.log.text()
    own.child = own.server_pid()
    assert own.child != old
    return own.child


def test_it_comes_back_within_a_second(start):
    own = start()
    own.put("x", DATA)
    own.may_restart = True
    begun = time.monotonic()
    os.kill(own.child, signal.SIGKILL)
    # the listening socket stays open: nobody is refused, but has to wait
    assert own.get("/health").status_code == 200
    took = time.monotonic() - begun
    # sanitized programs start more slowly than real ones
    slack = 4 if "asan" in os.environ.get("SFTD", "") else 1
    assert took < slack, f"{took:.2f} s"
    assert own.has("x", DATA)


def test_again_and_again(start):
    own = start()
    own.put("x", DATA)
    port = own.port
    pids = {own.child}
    for _ in range(3):
        pids.add(kill_server(own))
        assert own.has("x", DATA)
    assert len(pids) == 4
    assert own.port == port
    assert own.process.poll() is None


def test_sigterm_to_the_supervisor_ends_both(start):
    own = start()
    child = own.child
    own.signal(signal.SIGTERM)
    assert own.wait() == 0
    assert not is_alive(child)


def test_sigterm_after_a_restart_ends_both(start):
    own = start()
    child = kill_server(own)
    own.signal(signal.SIGTERM)
    assert own.wait() == 0
    assert not is_alive(child)


def test_the_server_ends_when_the_supervisor_dies(start):
    own = start()
    child = own.child
    own.process.kill()
    own.process.wait()
    expect.until(lambda: not is_alive(child))
    own.start()  # and its lock is gone with it
    assert own.get("/health").status_code == 200


def test_the_server_ends_when_the_supervisor_dies_in_mid_upload(start):
    own = start()
    child = own.child
    raw = own.raw()
    raw.send(head("PUT", "/upload/x", ("Content-Length", 1 << 20)))
    raw.send(bytes(300_000))
    expect.until(lambda: own.status("x")["transferred_bytes"] > 0)
    own.process.kill()
    own.process.wait()
    expect.until(lambda: not is_alive(child), within=25)
    raw.close()


@pytest.mark.parametrize("value", ["false", "0", "no", "off"])
def test_without_it_there_is_one_process(start, value):
    own = start(AUTO_RESTART_ENABLED=value)
    own.child = own.process.pid
    assert children(own.process.pid) == []
    assert own.get("/health").status_code == 200
    own.process.kill()
    assert own.process.wait() == -signal.SIGKILL


def test_it_waits_longer_when_the_server_keeps_dying(start):
    own = start()
    own.may_restart = True
    gaps = []
    for _ in range(4):
        begun = time.monotonic()
        kill_server(own)
        gaps.append(time.monotonic() - begun)
    assert gaps[-1] > gaps[0], gaps
    assert max(gaps) < 30


def test_uploads_that_a_crash_cut_are_interrupted(start):
    own = start()
    with own.raw() as raw:
        raw.send(head("PUT", "/upload/cut", ("Content-Length", 1 << 20)))
        raw.send(bytes(500_000))
        expect.until(lambda: own.status("cut")["transferred_bytes"] > 0)
        kill_server(own)
    assert own.lacks("cut")
    status = own.status("cut")
    assert status["status"] == "interrupted"
    expect.until(lambda: own.files_below("temp") == [])
