# SPDX-License-Identifier: MIT
"""sft queue, priority, history, stats, clients and ping: what is asked, what
is shown, and that the real server understands it."""

import json
import os
import signal
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Sft
from fake_server import NOW, answered, error, hang, reset, transfer
from test_sft_service import moving

MIB = 1 << 20


def entry(filename, status="queued", **more):
    return {
        "filename": filename,
        "priority": 0,
        "status": status,
        "id": f"id-{filename}",
        "position": None,
        **more,
    }


QUEUE = [
    entry("late", priority=7, position=3),
    entry("done", "completed", priority=5),
    entry("first", priority=4, position=1),
    entry("写真.jpg", "uploading", priority=3),
    entry("next", position=2),
    entry("fetched", "downloading"),
]


def asked_of(fake, path):
    """The query of the newest request for that path."""
    urls = [urlsplit(target) for _, target, _ in fake.requests]
    return parse_qs([u for u in urls if u.path == path][-1].query)


# --- queue --------------------------------------------------------------------


def test_an_empty_queue(sft, fake):
    result = sft("queue")
    assert result.status == 0
    assert result.out == "Nothing moves, nothing waits.\n"


def test_queue(sft, fake):
    fake.set_status([moving("写真.jpg")], QUEUE)
    lines = sft("queue").out.splitlines()
    assert lines[0] == "2 moving, 3 waiting, 1 ended just now"
    assert lines[1].split() == (
        "TURN PRIORITY WAY STATUS DONE SIZE RATE LEFT NAME".split()
    )
    assert lines[2].split() == [
        "-", "3", "up", "uploading", "45%", "1000.0", "MiB", "2.0", "MiB/s",
        "1:35", "写真.jpg",
    ]  # fmt: skip
    assert lines[3].split() == ["-", "0", "down", "downloading", "fetched"]
    assert [line.split() for line in lines[4:]] == [
        ["1", "4", "queued", "first"],
        ["2", "0", "queued", "next"],
        ["3", "7", "queued", "late"],
        ["-", "5", "completed", "done"],
    ]


def test_queue_json_is_the_servers(sft, fake):
    fake.set_status([moving("写真.jpg")], QUEUE)
    document = json.loads(sft("queue", "--json").out)
    assert document == {"queue": QUEUE}
    assert asked_of(fake, "/status") == {"limit": ["1"]}


def test_queue_watch_prints_a_line_for_each_change(sft, fake):
    fake.set_status([], [entry("a", position=1), entry("b", position=2)])
    process = sft.begin("queue", "--watch")
    assert process.stdout.readline() == b"a: queued, turn 1, priority 0\n"
    assert process.stdout.readline() == b"b: queued, turn 2, priority 0\n"
    fake.set_status([], [entry("b", "uploading", priority=2)])
    fake.tell()
    assert process.stdout.readline() == b"b: uploading, priority 2\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err) == (b"", b"")


def test_queue_watch_waits_for_a_server_that_goes(sft, fake):
    fake.set_status([], [entry("a", position=1)])
    process = sft.begin("queue", "--watch")
    process.stdout.readline()
    fake.on("GET", "/status", reset)
    fake.tell()
    assert b"looking again every second" in process.stderr.readline()
    fake.set_status([], [entry("a", "uploading")])
    fake.on("GET", "/status", None)
    assert process.stderr.readline() == b"sft: the server is there again\n"
    assert process.stdout.readline() == b"a: uploading, priority 0\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_queue_watch_of_a_server_that_never_was(sft, fake):
    fake.end()
    assert sft("queue", "--watch").status == 3


def test_queue_watch_ends_when_it_may_not_look(sft, fake):
    fake.set_status([], [entry("a")])
    process = sft.begin("queue", "--watch")
    process.stdout.readline()
    refusal = answered(403, error("forbidden", "another key is needed"))
    fake.on("GET", "/status", refusal)
    fake.tell()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"another key" in err


def test_queue_watch_draws_in_place(sft, fake):
    fake.set_status([], [entry(f"file-{i:02}") for i in range(30)])
    terminal = sft.on_terminal("queue", "--watch", size=(12, 60))
    terminal.read("file-08")
    fake.on("GET", "/status", reset)
    fake.tell()
    terminal.read("looking again")
    fake.set_status([], [entry("other")])
    fake.on("GET", "/status", None)
    terminal.read("other")
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert "file-09" not in terminal.text
    last = terminal.text.split("\x1b[H")[-1]
    assert "looking again" not in last and "file-00" not in last
    assert terminal.text.endswith("\r\x1b[K")


# --- priority -----------------------------------------------------------------


def test_priority(sft, fake):
    def behave(handler):
        fake.asked = json.loads(handler.read_body())
        handler.answer(200, transfer("x y", status="queued", priority=9))

    fake.on("PATCH", "/status/x y", behave)
    result = sft("priority", "x y", "9")
    assert result.status == 0, result
    assert fake.asked == {"priority": 9}
    assert result.out == "x y has priority 9 now (queued)\n"
    assert sft("priority", "x y", "0", "-q").out == ""
    document = json.loads(sft("priority", "x y", "0", "--json").out)
    assert document["priority"] == 9


@pytest.mark.parametrize("value", ["11", "x", "1.5", "", "+1"])
def test_a_priority_that_is_none(sft, fake, value):
    result = sft("priority", "a", value)
    assert result.status == 2
    assert "from 0 to 10" in result.err
    assert fake.requests == []


# --- history, stats, clients, ping --------------------------------------------


def page(entries, total=None, offset=0):
    return {
        "transfers": {e["filename"]: e for e in entries},
        "entries": entries,
        "total_count": len(entries) if total is None else total,
        "returned_count": len(entries),
        "offset": offset,
        "limit": 100,
    }


def test_history(sft, fake):
    entries = [
        transfer("写真.jpg", speed=3 * MIB, client_id="laptop"),
        transfer("b", direction="download", status="failed"),
    ]
    fake.on("GET", "/history", answered(200, page(entries)))
    result = sft("history")
    assert result.status == 0, result
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[1] == [
        "2026-11-24", "07:30", "up", "completed", "2.0", "KiB", "3.0",
        "MiB/s", "laptop", "写真.jpg",
    ]  # fmt: skip
    assert lines[2] == [
        "2026-11-24", "07:30", "down", "failed", "2.0", "KiB", "127.0.0.1",
        "b",
    ]  # fmt: skip
    assert len(lines) == 3
    assert json.loads(sft("history", "--json").out) == page(entries)


def test_history_passes_every_filter_on(sft, fake):
    fake.on("GET", "/history", answered(200, page([])))
    filters = {
        "status": "failed",
        "client": "a laptop & more",
        "from": "2026-11-01",
        "to": "2026-11-26",
        "direction": "upload",
        "filename": "x/写真 1.jpg",
        "limit": "17",
        "offset": "4",
    }
    words = [f"--{name}={value}" for name, value in filters.items()]
    result = sft("history", *words)
    assert result.out == "No such transfers.\n"
    assert asked_of(fake, "/history") == {k: [v] for k, v in filters.items()}


@pytest.mark.parametrize("word", ["--limit=0", "--limit=1001", "--offset=-1"])
def test_history_limits(sft, fake, word):
    assert sft("history", word).status == 2
    assert fake.requests == []


def test_history_says_how_to_go_on(sft, fake):
    fake.on("GET", "/history", answered(200, page([transfer("a")], 9, 4)))
    assert "\n5 to 5 of 9; the next ones: --offset 5\n" in sft("history").out
    fake.on("GET", "/history", answered(200, page([transfer("a")], 9, 8)))
    assert sft("history").out.endswith("\n9 to 9 of 9\n")
    fake.on("GET", "/history", answered(200, page([], 9, 20)))
    assert "none from --offset 20 on" in sft("history").out


STATS = {
    "total_transfers": 1234,
    "total_bytes": 3 << 30,
    "total_size_mb": 3072.0,
    "completed_count": 1000,
    "failed_count": 250,
    "active_count": 3,
    "success_rate": 80.0,
    "average_speed_mbps": 12.5,
    "total_clients": 7,
    "file_types": {".txt": 3, ".jpg": 30, "": 1, "*": 2},
    "encrypted_count": 5,
    "queue_length": 2,
    "uptime_seconds": 7200,
    "uploads": 1200,
    "downloads": 34,
}


def test_stats(sft, fake):
    fake.on("GET", "/stats", answered(200, STATS))
    result = sft("stats")
    assert result.status == 0, result
    assert "1234 (1200 up, 34 down)" in result.out
    assert "3.0 GiB, 12.5 MiB/s on average" in result.out
    assert "80.0%" in result.out
    assert "3, 2 waiting" in result.out
    assert ".jpg 30, .txt 3, others 2, none 1\n" in result.out
    assert "2 h 0 min" in result.out
    assert json.loads(sft("stats", "--json").out) == STATS


def test_clients(sft, fake):
    one = {
        "ip": "10.0.0.7",
        "files": ["a"],
        "total_uploads": 12,
        "total_downloads": 3,
        "last_activity": NOW,
        "client_agent": "curl/8.0 " + "x" * 200,
        "client_id": None,
        "total_bytes": 5 * MIB,
    }
    fake.on("GET", "/clients", answered(200, {"clients": [one]}))
    line = sft("clients").out.splitlines()[1].split()
    assert line[:9] == [
        "2026-11-24", "07:30", "10.0.0.7", "-", "12", "3", "5.0", "MiB",
        "curl/8.0",
    ]  # fmt: skip
    terminal = sft.on_terminal("clients", size=(24, 80))
    assert terminal.end() == 0
    assert max(len(row) for row in terminal.text.split("\r\n")) == 80
    assert json.loads(sft("clients", "--json").out) == {"clients": [one]}
    fake.on("GET", "/clients", answered(200, {"clients": []}))
    assert sft("clients").out == "No clients yet.\n"


def test_ping(sft, fake):
    answer = {
        "server_timestamp": 1.5,
        "latency_ms": 12.5,
        "network_quality": "fair",
        "recommended_chunk_size": 2 * MIB,
        "recommended_parallel": 3,
        "rtt_ms": 151.4,
        "retransmits": 1,
    }
    fake.on("POST", "/ping", answered(200, answer))
    assert sft("ping").out == (
        "network     fair\n"
        "round trip  151 ms\n"
        "sent again  1 segment\n"
        "advice      chunks of 2.0 MiB, 3 at once\n"
    )
    assert json.loads(sft("ping", "--json").out) == answer


@pytest.mark.parametrize("command", ["history", "stats", "clients", "ping"])
def test_a_refusal(sft, fake, command):
    method = "POST" if command == "ping" else "GET"
    refusal = answered(403, error("forbidden", "another key is needed"))
    fake.on(method, f"/{command}", refusal)
    result = sft(command)
    assert result.status == 5
    assert result.out == ""
    assert "another key is needed" in result.err


# --- the real server ----------------------------------------------------------


def test_with_a_server(start, tmp_path):
    server = start(MAX_ACTIVE_TRANSFERS="1", BANDWIDTH_LIMIT="256K")
    client = Sft(tmp_path, server.url)
    client.env["SFT_API_KEY"] = server.admin_key
    big = client.file("big.bin", os.urandom(4 * MIB))
    small = client.file("small.txt", b"x")
    assert client("upload", small, "--client-id", "tests").status == 0
    runs = client.begin("upload", big, "-q")
    while server.get("/stats").json()["active_count"] < 1:
        time.sleep(0.02)
    waits = client.begin("upload", big, "--filename", "waits.bin", "-q")
    while "\n   1         0  up   queued" not in client("queue").out:
        time.sleep(0.02)
    result = client("priority", "waits.bin", "9")
    assert result.out == "waits.bin has priority 9 now (queued)\n", result
    assert "\n   1         9  up   queued" in client("queue").out
    assert client("priority", "none", "9").status == 4
    history = client("history", "--client", "tests", "--json")
    assert json.loads(history.out)["entries"][0]["filename"] == "small.txt"
    assert client("history", "--from", "2026-13-01").status == 1
    assert "3 (3 up, 0 down)" in client("stats").out
    assert "tests" in client("clients").out
    assert "excellent" in client("ping").out
    for process in (runs, waits):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.parametrize("how", [[], ["--chunked"]])
def test_waiting_counts_for_no_time_out(start, tmp_path, how):
    server = start(MAX_ACTIVE_TRANSFERS="1", BANDWIDTH_LIMIT="256K")
    client = Sft(tmp_path, server.url)
    first = client.file("first.bin", os.urandom(2 * MIB))
    second = client.file("second.bin", os.urandom(128 * 1024))
    runs = client.begin("upload", first, "-q")
    while server.get("/stats").json()["active_count"] < 1:
        time.sleep(0.02)
    began = time.monotonic()
    result = client("upload", second, "--timeout", "3", "--retry", "0", *how)
    assert time.monotonic() - began > 4
    assert result.status == 0, result
    assert "'second.bin' waits on the server for its turn: number 1" in (
        result.err
    )
    assert result.err.count("waits on the server") == 1
    assert runs.communicate(timeout=60) == (b"", b"")
    assert runs.returncode == 0


@pytest.mark.parametrize("how", [[], ["--parallel", "2"]])
def test_a_download_waits_likewise(start, tmp_path, how):
    server = start(MAX_ACTIVE_TRANSFERS="1", BANDWIDTH_LIMIT="256K")
    client = Sft(tmp_path, server.url)
    data = os.urandom(128 * 1024)
    assert server.put("second.bin", data).status_code == 201
    first = client.file("first.bin", os.urandom(2 * MIB))
    runs = client.begin("upload", first, "-q")
    while server.get("/stats").json()["active_count"] < 1:
        time.sleep(0.02)
    result = client(
        "download", "second.bin", "--timeout", "3", "--retry", "0", *how
    )
    assert result.status == 0, result
    assert "'second.bin' waits on the server for its turn" in result.err
    assert (tmp_path / "second.bin").read_bytes() == data
    assert runs.communicate(timeout=60) == (b"", b"")


def test_what_does_not_wait_times_out(sft, fake):
    fake.on("PUT", "/upload/a", hang)
    result = sft("upload", sft.file("a"), "--timeout", "3", "--retry", "0")
    assert result.status == 1
    assert "/status?limit=1" in [target for _, target, _ in fake.requests]
    assert "waits on the server" not in result.err


def test_queue_watch_survives_a_restart(start, tmp_path):
    server = start()
    port = server.port
    client = Sft(tmp_path, server.url)
    server.put("a.bin", b"x" * 100000)
    process = client.begin("queue", "--watch")
    assert process.stdout.readline() == b"a.bin: completed, priority 0\n"
    server.stop()
    assert b"looking again" in process.stderr.readline()
    server.settings["SERVER_PORT"] = str(port)
    server.start()
    assert process.stderr.readline() == b"sft: the server is there again\n"
    server.put("b.bin", b"x" * 100000)
    assert process.stdout.readline() == b"b.bin: completed, priority 0\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
