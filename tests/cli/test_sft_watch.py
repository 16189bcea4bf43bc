# SPDX-License-Identifier: MIT
"""sft watch: changes, while they happen."""

import json
import select
import signal

import expect
from conftest import Sft
from fake_server import answered, error, transfer


def stream(*parts):
    """What /events answers, and then it ends."""

    def behave(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for part in parts:
            handler.wfile.write(part.encode())
        handler.close_connection = True

    return behave


def event(name, document, number=None):
    number = "" if number is None else f"id: {number}\n"
    return f"event: {name}\n{number}data: {json.dumps(document)}\n\n"


def end(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    return out.decode(), err.decode()


def test_lines_of_the_real_server(start, tmp_path):
    server = start()
    port = server.port
    client = Sft(tmp_path, server.url)
    every = client.begin("watch")
    one = client.begin("watch", "b c", "--json")
    # Both listen when they have heard of something.
    for process in (every, one):
        expect.until(
            lambda p=process: server.put("b c", b"x" * 100000).ok
            and select.select([p.stdout], [], [], 0.2)[0]
        )
    line = every.stdout.readline()
    while b"b c: up completed" not in line:
        line = every.stdout.readline()
    while True:
        document = json.loads(one.stdout.readline())
        assert document["filename"] == "b c"
        if document["status"] == "completed":
            break
    server.stop()
    assert b"connecting again every second" in every.stderr.readline()
    server.settings["SERVER_PORT"] = str(port)
    server.start()
    assert every.stderr.readline() == b"sft: the server is there again\n"
    server.put("last", b"x" * 100000)
    while b"last: up completed" not in line:
        line = every.stdout.readline()
    for process in (every, one):
        end(process)


def test_it_goes_on_after_the_last_event(sft, fake):
    moving = {**transfer("a"), "status": "uploading", "id": "1"}
    done = {**transfer("a"), "status": "completed", "id": "1"}
    fake.on(
        "GET",
        "/events",
        stream(
            ": hello\n\n",
            event("transfer_update", moving, 41),
            event("transfer_update", moving, 42),
            event("stats_update", {}, 43),
        ),
    )
    process = sft.begin("watch")
    assert b"a: up uploading" in process.stdout.readline()
    assert b"connecting again" in process.stderr.readline()
    fake.on("GET", "/events", stream(event("transfer_update", done, 44)))
    # Of what has not changed there is one line.
    assert b"a: up completed" in process.stdout.readline()
    asked = [h.get("Last-Event-ID") for _, t, h in fake.requests if t == "/events"]
    assert asked[0] is None and "43" in asked
    end(process)


def test_what_is_refused_is_said(sft, fake):
    fake.on("GET", "/events", answered(401, error("unauthorized", "no key")))
    result = sft("watch")
    assert (result.status, result.out) == (5, "")
    why = {"success": False, "code": "invalid_api_key", "error": "It ended."}
    fake.on("GET", "/events", stream(event("error", why)))
    result = sft("watch")
    assert result.status == 5
    assert "It ended." in result.err
    fake.on("GET", "/events", answered(200, {}))
    result = sft("watch")
    assert result.status == 1
    assert "is it an sftd?" in result.err


def test_a_name_that_is_none(sft, fake):
    result = sft("watch", "../a")
    assert result.status == 2
    assert fake.requests == []


def test_no_server(sft):
    assert sft("watch", "--server", "http://127.0.0.1:1").status == 3
