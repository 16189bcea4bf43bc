# SPDX-License-Identifier: MIT
"""Places, turns, priorities: who may move, and when."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import expect
import form
from chunks import Upload, completed, content, cut, good
from movers import Mover
from queueing import BODY, KIB, MIB, finished, one_place, patch, put, queue, queued
from raw import head

# --- the order -----------------------------------------------------------------


def test_the_highest_priority_first(start):
    server = one_place(start)
    with Mover(server, "first") as first:
        raws = []
        for name, priority in (("one", 1), ("ten", 10), ("five", 5)):
            raws.append(put(server, name, f"?priority={priority}"))
            queued(server, name)
        assert queue(server) == {"ten": 1, "five": 2, "one": 3}
        stats = good(server.get("/stats"))
        assert (stats["queue_length"], stats["active_count"]) == (3, 1)
        expect.uploaded(first.finish(), "first", first.data, status=201)
        for raw, name in zip(raws, ("one", "ten", "five")):
            expect.uploaded(raw.response("PUT"), name, BODY, status=201)
            raw.close()
    assert finished(server, "ten", "five", "one")
    assert server.status("one")["priority"] == 1


def test_first_come_among_equals(start):
    server = one_place(start)
    names = [f"n{i}" for i in range(6)]
    with Mover(server, "first") as first:
        raws = []
        for name in names:
            raws.append(put(server, name, "?priority=3"))
            queued(server, name)
        assert queue(server) == {n: i + 1 for i, n in enumerate(names)}
        first.finish()
        for raw in raws:
            assert raw.response("PUT").status_code == 201
            raw.close()
    assert finished(server, *names)


def test_a_priority_that_is_changed_while_it_waits(start):
    server = one_place(start)
    with Mover(server, "first") as first:
        raws = [put(server, "a", "?priority=5"), put(server, "b")]
        queued(server, "a")
        queued(server, "b")
        answer = good(patch(server, "b", json={"priority": 9}))
        assert expect.transfer(answer)
        assert (answer["priority"], answer["status"]) == (9, "queued")
        assert queue(server) == {"b": 1, "a": 2}
        # One that moves keeps its place, and its new priority.
        assert good(patch(server, "first", json={"priority": 0}))
        assert good(patch(server, "first", json={"priority": 7}))
        assert server.status("first")["priority"] == 7
        first.finish()
        for raw in raws:
            assert raw.response("PUT").status_code == 201
            raw.close()
    assert finished(server, "b", "a")
    assert server.status("b")["priority"] == 9


def test_downloads_wait_as_uploads_do(start):
    server = one_place(start)
    data = content(300 * KIB)
    server.put("file", data)
    with Mover(server, "first") as first, ThreadPoolExecutor(2) as pool:
        got = pool.submit(server.download, "file")
        expect.until(lambda: "file" in queue(server))
        (entry,) = expect.until(
            lambda: good(server.get("/history?direction=download"))["entries"]
        )
        assert entry["status"] == "queued"
        # What is small needs no place, and neither does a HEAD.
        assert server.get(
            "/download/file", headers={"Range": "bytes=0-65535"}
        ).content == (data[: 64 * KIB])
        assert server.head("/download/file").status_code == 200
        assert not got.done()
        first.finish()
        assert got.result().content == data


def test_small_bodies_need_no_place(start):
    server = one_place(start)
    with Mover(server, "first"):
        assert server.put("small", b"x" * 64 * KIB).status_code == 201
        up = Upload(server, "chunks", cut(content(90 * KIB), 30 * KIB))
        for response in up.send_all():
            good(response)
        with put(server, "large", data=b"x" * (64 * KIB + 1)):
            queued(server, "large")


def test_a_form_waits_at_its_file(start):
    server = one_place(start)
    body = form.body(
        form.part("priority", "4"),
        form.part("filename", "form"),
        form.file(BODY, "other"),
        form.part("client_id", "later"),
    )
    with Mover(server, "first") as first, server.raw() as raw:
        raw.send(
            head(
                "POST",
                "/upload",
                ("Content-Type", form.content_type()),
                ("Content-Length", len(body)),
            )
            + body
        )
        queued(server, "form")
        status = server.status("form")
        assert (status["priority"], status["transferred_bytes"]) == (4, 0)
        assert status["speed"] == 0
        first.finish()
        expect.uploaded(raw.response("POST"), "form", BODY, status=200)
    status = server.status("form")
    assert (status["client_id"], status["status"]) == ("later", "completed")


def test_a_form_whose_options_come_behind_its_file(start):
    server = one_place(start)
    with Mover(server, "first") as first, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            form.post,
            server,
            form.file(BODY, "early"),
            form.part("filename", "late"),
            form.part("priority", "9"),
        )
        expect.until(lambda: list(queue(server)) == ["early"])
        first.finish()
        expect.uploaded(answer.result(), "late", BODY, status=200)
    assert server.status("late")["priority"] == 9


# --- chunks and tus ------------------------------------------------------------


def test_chunks_of_one_file_share_a_place(start):
    server = start(MAX_ACTIVE_TRANSFERS=2)
    up = Upload(
        server, "chunks", cut(content(1600 * KIB), 200 * KIB), priority=6
    )
    with Mover(server, "first"):
        # Four at once have the other place between them.
        for response in up.send_all(range(7), at_once=4):
            good(response)
        with Mover(server, "second") as second:
            with ThreadPoolExecutor(1) as pool:
                last = pool.submit(up.send, 7)
                queued(server, "chunks")
                assert server.status("chunks")["priority"] == 6
                assert not last.done()
                second.finish()
                completed(last.result(), up)


def test_a_tus_upload_waits(start):
    server = one_place(start)
    tus = {"Tus-Resumable": "1.0.0"}
    made = server.post(
        "/tus/",
        headers={
            **tus,
            "Upload-Length": str(len(BODY)),
            "Upload-Metadata": "filename dHVz",
        },
    )
    with Mover(server, "first") as first, ThreadPoolExecutor(2) as pool:
        more = pool.submit(
            server.ask,
            "PATCH",
            made.headers["Location"],
            data=BODY,
            headers={
                **tus,
                "Upload-Offset": "0",
                "Content-Type": "application/offset+octet-stream",
            },
        )
        queued(server, "tus")
        both = pool.submit(
            server.post,
            "/tus/",
            data=BODY,
            headers={
                **tus,
                "Upload-Length": str(len(BODY)),
                "Upload-Metadata": "filename Ym90aA==",
                "Content-Type": "application/offset+octet-stream",
            },
        )
        queued(server, "both")
        assert queue(server) == {"tus": 1, "both": 2}
        first.finish()
        assert more.result().status_code == 204
        assert both.result().status_code == 201
        assert both.result().headers["Upload-Offset"] == str(len(BODY))
    assert server.has("tus", BODY)
    assert server.has("both", BODY)


def test_a_chunk_that_comes_before_its_fields(start):
    server = one_place(start)
    up = Upload(server, "loose", cut(content(300 * KIB), 150 * KIB))
    with Mover(server, "first") as first, ThreadPoolExecutor(2) as pool:
        answers = pool.map(up.send_chunk_first, (0, 1))
        # Whose they are is not known, so there is nothing to show but this.
        expect.until(
            lambda: good(server.get("/stats"))["queue_length"] == 2
        )
        assert queue(server) == {}
        first.finish()
        assert {r.status_code for r in answers} == {200}
    assert server.has("loose", up.data())


# --- bad wishes ----------------------------------------------------------------


@pytest.mark.parametrize(
    "body, code",
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_parameter"),
        (b"{}", "invalid_parameter"),
        (b'{"priority": 11}', "invalid_parameter"),
        (b'{"priority": -1}', "invalid_parameter"),
        (b'{"priority": 1.0}', "invalid_parameter"),
        (b'{"priority": "1"}', "invalid_parameter"),
        (b'{"priority": true}', "invalid_parameter"),
        (b'{"priority": null}', "invalid_parameter"),
        pytest.param(b" " * 9000, "invalid_json", id="long"),
    ],
)
def test_what_is_no_priority(start, body, code):
    server = one_place(start)
    with Mover(server, "moves", query="?priority=4"):
        expect.error(patch(server, "moves", data=body), 400, code)
        assert server.status("moves")["priority"] == 4


def test_whose_priority_may_be_changed(start):
    server = one_place(start)
    wish = {"json": {"priority": 1}}
    expect.error(patch(server, "none", **wish), 404, "no_active_transfer")
    server.put("done", b"x")
    expect.error(patch(server, "done", **wish), 404, "no_active_transfer")
    expect.error(patch(server, "done", headers={}, **wish), 401)

    with Mover(server, "moves"):
        reader = server.key(scopes=["read"])
        expect.error(patch(server, "moves", headers=reader, **wish), 403)
        elsewhere = server.key(scopes=["write"], prefix="team/")
        expect.error(patch(server, "moves", headers=elsewhere, **wish), 403)
        writer = server.key(scopes=["write", "read"])
        assert good(patch(server, "moves", headers=writer, **wish))


# --- many ----------------------------------------------------------------------


def test_many_wait_without_threads(start):
    server = start(MAX_ACTIVE_TRANSFERS=1, MAX_CONNECTIONS_PER_CLIENT=0)
    count = 150

    def threads():
        with open(f"/proc/{server.child}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith("Threads:"):
                    return int(line.split()[1])

    with Mover(server, "first") as first:
        raws = [put(server, f"w{i}") for i in range(count)]
        expect.until(lambda: len(queue(server)) == count)
        # Who let go of its exchange ends when nothing comes for a while.
        expect.until(lambda: threads() < 60, within=30)
        assert sorted(queue(server).values()) == list(range(1, count + 1))
        first.finish()
        for raw in raws:
            assert raw.response("PUT").status_code == 201
            raw.close()
    assert queue(server) == {}


@pytest.mark.tsan
def test_all_at_once(start):
    """Clients that come, go, cancel and change priorities, with two places."""
    server = start(MAX_ACTIVE_TRANSFERS=2)
    data = content(150 * KIB)
    errors = []

    def client(n):
        try:
            for i in range(12):
                name = f"f{n}-{i}"
                if i % 4 == 3:
                    raw = put(server, name, data=data + bytes(MIB))
                    raw.close()
                elif i % 4 == 2:
                    with Mover(server, name, size=4 * MIB):
                        patch(server, name, json={"priority": i % 11})
                        server.post(
                            f"/cancel/{name}", headers=server.as_admin
                        )
                else:
                    answer = server.put(name, data, f"?priority={n}")
                    assert answer.status_code == 201, answer.text
                    assert server.download(name).content == data
        except Exception as e:  # pylint: disable=broad-except
            errors.append(e)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == []
    expect.until(lambda: queue(server) == {})
    expect.until(lambda: good(server.get("/stats"))["active_count"] == 0)
