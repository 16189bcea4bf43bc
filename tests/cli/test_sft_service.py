# SPDX-License-Identifier: MIT
"""sft status, health and key: what is asked and what is shown."""

import json
import signal
import threading
import time

import pytest
from conftest import Sft
from fake_server import KEY, NOW, answered, error, transfer


def moving(name, **more):
    return transfer(
        name,
        **{
            "status": "uploading",
            "progress": 45,
            "speed": 2 << 20,
            "eta": 95,
            "transferred_bytes": 450 << 20,
            "total_bytes": 1000 << 20,
            **more,
        },
    )


def test_health(sft, fake):
    result = sft("health")
    assert result.status == 0
    assert result.out == "ok, version 0.1.0, up for 3 h 12 min\n"
    assert result.err == ""


def test_health_json(sft, fake):
    result = sft("health", "--json")
    assert json.loads(result.out) == {
        "status": "ok",
        "timestamp": NOW,
        "version": "0.1.0",
        "uptime_seconds": 11520,
    }


def test_health_that_is_none(sft, fake):
    fake.on("GET", "/health", answered(200, {"status": "failing"}))
    result = sft("health")
    assert result.status == 1
    assert "not well" in result.err


def test_status_without_transfers(sft, fake):
    result = sft("status")
    assert result.status == 0
    assert result.out == "No transfers yet.\n"


def test_status(sft, fake):
    fake.set_status(
        [
            moving("写真.jpg"),
            transfer("a.txt", direction="download"),
            transfer("b", status="failed", progress=10, total_bytes=None),
        ],
        [
            {
                "filename": "写真.jpg",
                "priority": 9,
                "status": "uploading",
                "id": "1",
                "position": None,
            },
            {
                "filename": "c",
                "priority": 3,
                "status": "queued",
                "id": "2",
                "position": 1,
            },
        ],
    )
    result = sft("status")
    assert result.status == 0, result
    lines = result.out.splitlines()
    assert lines[0].split() == (
        "NAME WAY STATUS DONE SIZE RATE LEFT CHANGED (UTC)".split()
    )
    assert lines[1].split() == [
        "写真.jpg", "up", "uploading", "45%", "1000.0", "MiB", "2.0",
        "MiB/s", "1:35", "2026-11-24", "07:30",
    ]  # fmt: skip
    assert lines[2].split()[:6] == [
        "a.txt", "down", "completed", "100%", "2.0", "KiB",
    ]  # fmt: skip
    assert lines[3].split()[:3] == ["b", "up", "failed"]
    queue = lines.index("TURN  PRIORITY  STATUS     NAME")
    assert lines[queue + 1].split() == ["-", "9", "uploading", "写真.jpg"]
    assert lines[queue + 2].split() == ["1", "3", "queued", "c"]


def test_status_json_is_the_servers(sft, fake):
    fake.set_status([moving("a")])
    result = sft("status", "--json")
    assert json.loads(result.out) == fake.status


def test_status_says_when_there_is_more(sft, fake):
    fake.set_status(
        [transfer("a")], next_cursor="abc", total_transfers=1234
    )
    assert "The newest 1 of 1234." in sft("status").out


def test_status_of_one_file(sft, fake):
    fake.set_status([moving("x/写真 1.jpg", client_id="laptop")])
    result = sft("status", "--file", "x/写真 1.jpg")
    assert result.status == 0, result
    fields = dict(line.split(None, 1) for line in result.out.splitlines())
    assert fields["name"] == "x/写真 1.jpg"
    assert fields["status"] == "uploading"
    assert fields["moved"] == "450.0 MiB of 1000.0 MiB, 45%"
    assert fields["rate"] == "2.0 MiB/s"
    assert fields["left"] == "1:35"
    assert fields["client"] == "laptop"
    assert fields["sha256"] == "ab" * 32


def test_status_of_no_file(sft, fake):
    result = sft("status", "--file", "nowhere")
    assert result.status == 4
    assert "nowhere" in result.err


def test_status_of_a_bad_name(sft, fake):
    assert sft("status", "--file", "../x").status == 2
    assert fake.requests == []


def test_watch_prints_a_line_for_each_change(sft, fake):
    fake.set_status([moving("b"), transfer("a")])
    process = sft.begin("status", "--watch")
    first = process.stdout.readline() + process.stdout.readline()
    assert first.decode() == (
        "a: up completed, 100%, 2.0 KiB of 2.0 KiB\n"
        "b: up uploading, 45%, 450.0 MiB of 1000.0 MiB, 2.0 MiB/s, "
        "1:35 left\n"
    )
    fake.set_status([moving("b", progress=46), transfer("a")])
    fake.tell()
    assert b"b: up uploading, 46%" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err) == (b"", b"")


def test_watch_of_one_file(sft, fake):
    fake.set_status([moving("a"), transfer("b")])
    process = sft.begin("status", "--file", "a", "-w")
    assert process.stdout.readline().startswith(b"a: up uploading, 45%")
    assert ("GET", "/events?file=a") in [r[:2] for r in fake.requests]
    fake.set_status([transfer("a"), transfer("b")])
    fake.tell()
    assert process.stdout.readline().startswith(b"a: up completed, 100%")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_watch_json_is_a_document_a_line(sft, fake):
    fake.set_status([moving("a")])
    process = sft.begin("status", "--watch", "--json")
    for _ in range(2):
        assert json.loads(process.stdout.readline()) == fake.status
        fake.tell()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert all(json.loads(line) == fake.status for line in out.splitlines())


def looks(fake):
    return sum(target.startswith("/status") for _, target, _ in fake.requests)


def test_watch_looks_only_when_something_changed(sft, fake):
    fake.set_status([moving("a")])
    process = sft.begin("status", "--watch", "--json")
    process.stdout.readline()
    # None of these is an event.
    for beat in (":\n\n", "retry: 2000\n\n", "event: transfer_update\n\n"):
        fake.tell(beat)
    fake.tell()
    process.stdout.readline()
    assert looks(fake) == 2
    # Many at once make it look no more often than one can see.
    for _ in range(100):
        fake.tell()
    fake.set_status([moving("a", progress=99)])
    fake.tell()
    while b'"progress":99' not in process.stdout.readline():
        pass
    assert looks(fake) < 20
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_watch_connects_again(sft, fake):
    fake.set_status([moving("a")])
    process = sft.begin("status", "--watch")
    process.stdout.readline()
    fake.tell("id: 41\nevent: transfer_update\ndata: {}\n\n")
    fake.tell(None)
    assert b"looking again every second" in process.stderr.readline()
    assert process.stderr.readline() == b"sft: the server is there again\n"
    fake.set_status([transfer("a")])
    fake.tell()
    assert b"a: up completed" in process.stdout.readline()
    heard = [h for _, target, h in fake.requests if target == "/events"]
    assert "Last-Event-ID" not in heard[0]
    assert heard[-1]["Last-Event-ID"] == "41"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


@pytest.mark.parametrize(
    "answer, status, words",
    [
        (answered(404, error("not_found", "no path")), 1, "no live events"),
        (answered(200, {}), 1, "other than events"),
        (answered(403, error("forbidden", "another key")), 5, "another key"),
        (answered(503, error("server_busy", "full")), 1, "full"),
    ],
)
def test_watch_needs_events(sft, fake, answer, status, words):
    fake.on("GET", "/events", answer)
    result = sft("status", "--watch")
    assert result.status == status
    assert words in result.err
    assert result.out == ""


def test_watch_of_the_real_server(start, tmp_path):
    server = start()
    client = Sft(tmp_path, server.url)
    every = client.begin("status", "--watch", "--json")
    assert json.loads(every.stdout.readline())["transfers"] == []
    for name in ("a", "b"):
        server.put(name, b"x" * 1000)
        while True:
            newest = json.loads(every.stdout.readline())["transfers"]
            if newest and newest[0]["filename"] == name:
                if newest[0]["status"] == "completed":
                    break
    one = client.begin("status", "--watch", "--file", "a")
    assert b"a: up completed" in one.stdout.readline()
    server.put("a", b"y" * 3000)
    line = one.stdout.readline()
    while b"a: up completed" not in line or b"2.9 KiB" not in line:
        line = one.stdout.readline()
    for process in (every, one):
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_watch_ends_when_its_reader_goes(sft, fake):
    fake.set_status([moving("a")])
    process = sft.begin("status", "--watch", "--json")
    process.stdout.readline()
    process.stdout.close()
    fake.tell()
    assert process.wait(60) == 1
    assert process.stderr.read() == b""


def test_watch_draws_in_place(sft, fake):
    fake.set_status([moving(f"file-{i:02}") for i in range(30)])
    terminal = sft.on_terminal("status", "--watch", size=(12, 60))
    terminal.read("file-09")
    fake.set_status([moving("file-00", progress=77)])
    fake.tell()
    terminal.read("77%")
    terminal.type(b"\x03")
    assert terminal.end() == 130
    frames = terminal.text.split("\x1b[H")[2:]
    for frame in frames:
        lines = frame.replace("\x1b[J", "").split("\r\n")
        assert len(lines) <= 12
        for line in lines:
            assert len(line.removesuffix("\x1b[K")) <= 60
    assert "file-11" not in terminal.text
    assert "\x1b[J" in frames[-1]
    assert terminal.text.endswith("\r\x1b[K")


def test_a_table_fits_the_terminal(sft, fake):
    name = "ものすごく長い名前のファイル" * 5 + ".txt"
    fake.set_status([moving(name)])
    terminal = sft.on_terminal("status", size=(24, 100))
    assert terminal.end() == 0
    line = terminal.text.split("\r\n")[1]
    assert "…" in line
    assert sum(2 if ord(c) > 0x3000 else 1 for c in line) <= 100
    assert name in sft("status").out


def test_key_new(sft, fake):
    result = sft(
        "key", "new", "--name", "デスク", "--scopes", "read, admin",
        "--expires", "12h",
    )  # fmt: skip
    assert result.status == 0, result
    assert result.out == "sft_brand-new\n"
    assert fake.asked == {
        "name": "デスク",
        "scopes": ["read", "admin"],
        "expires_in": 43200,
    }
    for words in ("only now", "k1", "デスク", "read admin", "2027-01-01"):
        assert words in result.err


def test_key_new_leaves_the_rest_to_the_server(sft, fake):
    result = sft("key", "new", "-q")
    assert (result.out, result.err) == ("sft_brand-new\n", "")
    assert fake.asked == {}


def test_key_new_json(sft, fake):
    result = sft("key", "--json", "new")
    assert json.loads(result.out)["api_key"] == "sft_brand-new"
    assert result.err == ""


@pytest.mark.parametrize("value", ["soon", "", "-5", "0", "1x", "99999999d"])
def test_key_new_with_a_bad_time(sft, fake, value):
    result = sft("key", "new", f"--expires={value}")
    assert result.status == 2
    assert "--expires" in result.err
    assert fake.requests == []


def test_key_list(sft, fake):
    sft("key", "new", "--name", "first")
    sft("key", "new", "--expires", "30d")
    result = sft("key", "list")
    assert result.status == 0
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[1] == [
        "k1", "first", "read", "write", "2026-11-24", "07:30", "never",
        "never",
    ]  # fmt: skip
    assert lines[2][:4] == ["k2", "-", "read", "write"]
    assert lines[2][6:8] == ["2027-01-01", "00:00"]
    document = json.loads(sft("key", "list", "--json").out)
    assert [k["id"] for k in document["keys"]] == ["k1", "k2"]


def test_key_list_without_keys(sft, fake):
    fake.on("GET", "/keys", answered(200, {"keys": []}))
    assert sft("key", "list").out == "No keys but the admin key of the server.\n"


def test_key_revoke(sft, fake):
    sft("key", "new")
    result = sft("key", "revoke", "k1")
    assert result.status == 0
    assert fake.keys == []
    assert "revoked" in result.err
    assert result.out == ""
    result = sft("key", "revoke", "k1")
    assert result.status == 4
    assert "no key 'k1'" in result.err


def test_key_revoke_json(sft, fake):
    sft("key", "new")
    result = sft("key", "revoke", "k1", "--json")
    assert json.loads(result.out) == {"success": True, "id": "k1"}


def test_keys_need_a_key(sft, fake):
    fake.key_needed = True
    result = sft("key", "list")
    assert result.status == 5
    assert "storage/admin.key" in result.err
    assert sft("key", "list", env={"SFT_API_KEY": KEY}).status == 0


def test_interrupted_between_requests(sft, fake):
    process = sft.begin("status", "--watch")
    threading.Event().wait(0.01)
    while not fake.requests:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
