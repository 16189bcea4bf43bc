# SPDX-License-Identifier: MIT
"""SIGTERM: what runs may finish, nothing new begins, then the end."""

import random
import signal
import time

import pytest

import expect
from raw import head

MIB = 1 << 20
DATA = random.Random(80).randbytes(MIB)


def begin_upload(own, name):
    raw = own.raw()
    raw.send(head("PUT", f"/upload/{name}", ("Content-Length", MIB)))
    raw.send(DATA[: MIB // 2])
    expect.until(lambda: own.status(name)["transferred_bytes"] >= MIB // 2)
    return raw


def takes_nothing_new(own):
    """A new request is refused: by the system, or with a 503."""
    try:
        with own.raw(timeout=5) as raw:
            response = raw.ask("GET", "/health")
    except (ConnectionError, EOFError):
        return True  # and not: waited for nothing
    expect.error(response, 503)
    assert response.headers["Retry-After"].isdigit()
    return True


@pytest.mark.tsan
@pytest.mark.parametrize("supervised", ["true", "false"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once(start, supervised, number):
    own = start(AUTO_RESTART_ENABLED=supervised)
    own.put("x", DATA)
    begun = time.monotonic()
    own.signal(number)
    assert own.wait() == 0
    assert time.monotonic() - begun < 8


@pytest.mark.tsan
@pytest.mark.parametrize("supervised", ["true", "false"])
def test_a_running_upload_finishes(start, supervised):
    own = start(AUTO_RESTART_ENABLED=supervised, SHUTDOWN_GRACE="30s")
    raw = begin_upload(own, "running")
    idle = own.raw()
    assert idle.ask("GET", "/health").status_code == 200
    own.signal(signal.SIGTERM)
    expect.until(lambda: takes_nothing_new(own))
    assert idle.is_closed()  # the server itself has begun to end
    raw.send(DATA[MIB // 2 :])
    response = raw.response("PUT")
    expect.uploaded(response, "running", DATA, status=201)
    assert "close" in response.headers["Connection"]
    assert raw.is_closed()
    raw.close()  # else the server lingers for what might still come
    assert own.wait() == 0
    own.start()
    assert own.has("running", DATA)
    assert own.status("running")["status"] == "completed"


def test_a_running_download_finishes(start):
    own = start(SHUTDOWN_GRACE="30s")
    data = random.Random(81).randbytes(24 * MIB)
    own.put("running", data)
    with own.raw(receive_buffer=65536) as raw:
        raw.request("GET", "/download/running")
        assert raw.response_head().status_code == 200
        got = raw.read(100_000)
        own.signal(signal.SIGTERM)
        expect.until(lambda: takes_nothing_new(own))
        got += raw.read(len(data) - len(got))
        assert got == data
    assert own.wait() == 0


def test_one_that_does_not_finish_is_ended_after_the_grace(start):
    own = start(SHUTDOWN_GRACE="1s")
    raw = begin_upload(own, "never")
    begun = time.monotonic()
    own.signal(signal.SIGTERM)
    assert own.wait() == 0
    assert 0.8 < time.monotonic() - begun < 10
    rest = raw.read_to_end()
    if rest:
        assert rest.startswith(b"HTTP/1.1 503 "), rest[:200]
    own.start()
    assert own.lacks("never")
    assert own.status("never")["status"] == "interrupted"
    assert own.files_below("temp") == []


def test_without_grace(start):
    own = start(SHUTDOWN_GRACE="0")
    raw = begin_upload(own, "never")
    begun = time.monotonic()
    own.signal(signal.SIGTERM)
    assert own.wait() == 0
    assert time.monotonic() - begun < 8
    raw.read_to_end()


def test_idle_connections_are_closed_at_once(start):
    own = start(SHUTDOWN_GRACE="30s")
    busy = begin_upload(own, "running")
    idle = own.raw()
    assert idle.ask("GET", "/health").status_code == 200
    silent = own.raw()
    own.signal(signal.SIGTERM)
    assert idle.is_closed()
    assert silent.is_closed()
    busy.send(DATA[MIB // 2 :])
    assert busy.response("PUT").status_code == 201
    busy.close()
    assert own.wait() == 0


def test_a_second_signal_does_no_harm(start):
    own = start(SHUTDOWN_GRACE="1s")
    begin_upload(own, "never")
    own.signal(signal.SIGTERM)
    own.signal(signal.SIGTERM)
    own.wait()
    own.start()
    assert own.get("/health").status_code == 200


def test_a_clean_stop_leaves_a_backup_and_no_lock(start):
    own = start()
    own.put("x", DATA)
    own.stop()
    backups = own.files_below("backups")
    assert backups, "a clean stop makes a backup of the records"
    own.start()
    assert own.has("x", DATA)


def test_the_port_can_be_taken_again_at_once(start):
    own = start()
    port = own.port
    raw = own.raw()
    raw.ask("GET", "/health")
    own.stop()
    own.settings["SERVER_PORT"] = str(port)
    own.start()
    assert own.port == port
    assert own.get("/health").status_code == 200
