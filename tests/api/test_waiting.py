# SPDX-License-Identifier: MIT
"""What those that wait for their turn see, and how it ends otherwise."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

import expect
import form
from chunks import Upload, completed, content, cut, good
from movers import Mover
from queueing import BODY, KIB, MIB, one_place, patch, put, queue, queued, state
from raw import head

# --- what a client sees while it waits -----------------------------------------


def test_a_put_is_told_to_continue_when_its_turn_comes(start):
    server = one_place(start)
    with Mover(server, "first") as first, server.raw() as raw:
        raw.send(
            head(
                "PUT",
                "/upload/asks",
                ("Content-Length", len(BODY)),
                ("Expect", "100-continue"),
            )
        )
        queued(server, "asks")
        assert not raw.is_readable(0.3)
        first.finish()
        assert raw.response_head().status_code == 100
        raw.send(BODY)
        assert raw.response("PUT").status_code == 201


def test_a_form_is_told_to_continue_at_once(start):
    server = one_place(start)
    body = form.body(form.file(BODY, "asks"))
    with Mover(server, "first") as first, server.raw() as raw:
        raw.send(
            head(
                "POST",
                "/upload",
                ("Content-Type", form.content_type()),
                ("Content-Length", len(body)),
                ("Expect", "100-continue"),
            )
        )
        assert raw.response_head().status_code == 100
        raw.send(body)
        queued(server, "asks")
        first.finish()
        assert raw.response("POST").status_code == 200


def test_the_socket_of_one_that_waits_is_unread(start):
    server = one_place(start)
    data = bytes(64 * MIB)
    with Mover(server, "first") as first, server.raw() as raw:
        raw.send(head("PUT", "/upload/big", ("Content-Length", len(data))))
        queued(server, "big")
        sent = raw.send_until_blocked(data)
        assert sent < 32 * MIB
        assert server.status("big")["transferred_bytes"] == 0
        first.finish()
        raw.send(data[sent:])
        assert raw.response("PUT").status_code == 201


def test_what_would_be_refused_is_refused_without_waiting(start):
    server = one_place(start, MAX_FILE_SIZE="1M")
    server.put("there", b"x")
    with Mover(server, "first", size=MIB):
        answer = server.put("there", BODY, "?if_exists=error")
        expect.error(answer, 409, "file_exists")
        expect.error(
            server.put("large", bytes(MIB + 1)), 413, "file_too_large"
        )
        assert queue(server) == {}


def test_nothing_times_out_while_it_waits(start):
    server = one_place(start, STALL_TIMEOUT="1s", IDLE_TIMEOUT="1s")
    with Mover(server, "first") as first:
        with put(server, "patient") as raw:
            queued(server, "patient")
            before = first.moved()
            # Longer than both, by what moves meanwhile.
            expect.until(lambda: first.moved() > before + 5 * 512 * KIB // 2)
            assert state(server, "patient") == "queued"
            first.finish()
            assert raw.response("PUT").status_code == 201


# --- those that do not wait for it ---------------------------------------------


@pytest.mark.parametrize("kind", ["put", "form", "chunk", "download", "tus"])
def test_one_that_waits_is_cancelled(start, kind):
    server = one_place(start)
    server.put("file", BODY)
    tus = {"Tus-Resumable": "1.0.0"}
    up = Upload(server, "file", cut(content(400 * KIB), 200 * KIB))
    made = server.post(
        "/tus/",
        headers={
            **tus,
            "Upload-Length": str(len(BODY)),
            "Upload-Metadata": "filename ZmlsZQ==",
        },
    )
    start_one = {
        "put": lambda: server.put("file", content(200 * KIB, 2)),
        "form": lambda: server.form("file", content(200 * KIB, 2)),
        "chunk": lambda: up.send(0),
        "download": lambda: server.download("file"),
        "tus": lambda: server.ask(
            "PATCH",
            made.headers["Location"],
            data=BODY,
            headers={
                **tus,
                "Upload-Offset": "0",
                "Content-Type": "application/offset+octet-stream",
            },
        ),
    }[kind]
    with Mover(server, "first"), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(start_one)
        expect.until(lambda: "file" in queue(server))
        answer = server.post("/cancel/file", headers=server.as_admin)
        assert good(answer)["cancelled"] >= 1
        expect.error(waiting.result(), 409, "cancelled")
        assert queue(server) == {}
    assert server.has("file", BODY)


def test_a_client_that_goes_while_it_waits(start):
    server = one_place(start)
    with Mover(server, "first") as first:
        for how in ("reset", "close"):
            raw = server.raw()
            # Less than it announced: it can never be whole.  And what fits
            # the window of an unread socket, else its end does not come.
            raw.send(
                head("PUT", f"/upload/{how}", ("Content-Length", MIB))
                + bytes(16 * KIB)
            )
            queued(server, how)
            getattr(raw, how)()
            expect.until(lambda: state(server, how) == "interrupted")
        assert queue(server) == {}
        assert first.finish().status_code == 201
    assert server.lacks("close")


def test_half_a_close_is_legal(start):
    server = one_place(start)
    with Mover(server, "first") as first, put(server, "half") as raw:
        queued(server, "half")
        raw.half_close()
        assert not raw.is_readable(0.3)
        assert state(server, "half") == "queued"
        first.finish()
        assert raw.response("PUT").status_code == 201


def test_the_end_of_the_server_ends_waiting(start):
    server = one_place(start, SHUTDOWN_GRACE="30s")
    with Mover(server, "first") as first, put(server, "late") as raw:
        queued(server, "late")
        server.signal(signal.SIGTERM)
        answer = raw.response("PUT")
        expect.error(answer, 503, "shutting_down")
        assert "Retry-After" in answer.headers
        assert first.finish().status_code == 201
    server.wait()
    server.start()
    status = server.status("late")
    assert (status["status"], status["transferred_bytes"]) == (
        "interrupted",
        0,
    )


def test_the_queue_after_a_kill(start):
    server = one_place(start, QUEUE_KEEP_SECONDS=0)
    up = Upload(
        server, "chunks", cut(content(400 * KIB), 200 * KIB), priority=3
    )
    good(up.send(0))
    with Mover(server, "first"), put(server, "waits", "?priority=2"):
        queued(server, "waits")
        with ThreadPoolExecutor(1) as pool:
            last = pool.submit(up.send, 1)
            queued(server, "chunks")
            server.kill()
            # Between the end of its supervisor and its own it may answer.
            if last.exception() is None:
                assert last.result().status_code == 503
    server.start()
    assert server.status("first")["status"] == "interrupted"
    status = server.status("waits")
    assert (status["status"], status["priority"]) == ("interrupted", 2)
    # Beyond the time of the ended, those that can be gone on with.
    (entry,) = good(server.get("/status"))["queue"]
    assert entry == {
        "filename": "chunks",
        "priority": 3,
        "status": "interrupted",
        "id": server.status("chunks")["id"],
        "position": None,
    }
    assert good(patch(server, "chunks", json={"priority": 8}))["priority"] == 8
    assert server.status("chunks")["status"] == "interrupted"
    completed(up.send(1), up)
    assert server.status("chunks")["priority"] == 8
    assert server.status("chunks")["retry_count"] == 1
