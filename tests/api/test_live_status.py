# SPDX-License-Identifier: MIT
"""Transfers as they are while they move."""

import random

import pytest

import expect
import form
from live import Stream
from raw import chunk, head

MIB = 1 << 20
DATA = random.Random(50).randbytes(MIB)


def live(server, name, at_least):
    """The status once that many bytes are in."""

    def there():
        status = server.status(name)
        return status["transferred_bytes"] >= at_least and status

    return expect.transfer(expect.until(there))


def test_a_put(server, name):
    with server.raw() as raw:
        fields = (("Content-Length", MIB), ("X-Client-Id", "slow one"))
        target = f"/upload/{name}?priority=8"
        raw.send(head("PUT", target, *fields) + DATA[: MIB // 4])
        status = live(server, name, MIB // 4)
        assert status["status"] == "uploading"
        assert status["transferred_bytes"] == MIB // 4
        assert status["total_bytes"] == MIB
        assert status["progress"] == 25
        assert status["direction"] == "upload"
        assert status["priority"] == 8
        assert status["client_id"] == "slow one"
        assert status["error"] is None
        assert server.lacks(name)
        first_id = status["id"]

        raw.send(DATA[MIB // 4 : MIB // 2])
        status = live(server, name, MIB // 2)
        assert status["progress"] == 50
        assert status["id"] == first_id

        raw.send(DATA[MIB // 2 :])
        expect.uploaded(raw.response("PUT"), name, DATA, status=201)
    status = server.status(name)
    assert (status["status"], status["progress"]) == ("completed", 100)
    assert status["id"] == first_id


def test_speed_and_eta(server, name):
    with server.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", ("Content-Length", MIB)))

        def both():
            nonlocal sent
            raw.send(DATA[sent : sent + 8192])
            sent += 8192
            status = expect.transfer(server.status(name))
            return status["speed"] > 0 and status["eta"] is not None

        sent = 0
        expect.until(both, every=0.1)
        raw.send(DATA[sent:])
        expect.uploaded(raw.response("PUT"), name, DATA, status=201)


def test_a_form(server, name):
    body = form.body(form.file(DATA, name))
    with server.raw() as raw:
        kind = ("Content-Type", form.content_type())
        raw.send(head("POST", "/upload", kind, ("Content-Length", len(body))))
        raw.send(body[: MIB // 2])
        # the parser may hold back what could be a boundary
        status = live(server, name, MIB // 2 - 4096)
        assert status["status"] == "uploading"
        assert 40 <= status["progress"] <= 60 or status["total_bytes"] is None
        raw.send(body[MIB // 2 :])
        expect.uploaded(raw.response("POST"), name, DATA)


def test_a_chunked_body_has_no_total_yet(server, name):
    with server.raw() as raw:
        coding = ("Transfer-Encoding", "chunked")
        raw.send(head("PUT", f"/upload/{name}", coding))
        raw.send(chunk(DATA[:200_000]))
        status = live(server, name, 200_000)
        assert status["status"] == "uploading"
        assert status["total_bytes"] is None
        assert status["progress"] < 100
        raw.send(chunk(DATA[200_000:]) + b"0\r\n\r\n")
        expect.uploaded(raw.response("PUT"), name, DATA, status=201)
    status = server.status(name)
    assert (status["total_bytes"], status["progress"]) == (MIB, 100)


def in_queue(server, transfer_id):
    queue = server.get("/status").json()["queue"]
    found = [e for e in queue if e["id"] == transfer_id]
    assert len(found) <= 1
    return found[0] if found else None


def test_it_is_in_the_queue_and_in_the_list(server, name):
    with server.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", ("Content-Length", MIB)))
        raw.send(DATA[:300_000])
        status = live(server, name, 300_000)
        assert in_queue(server, status["id"])["status"] == "uploading"
        listed = server.get("/status").json()["transfers"]
        (entry,) = [t for t in listed if t["id"] == status["id"]]
        assert entry["status"] == "uploading"
        # newest first
        assert listed.index(entry) <= 20
        raw.send(DATA[300_000:])
        raw.response("PUT")
    expect.until(
        lambda: in_queue(server, status["id"])["status"] == "completed"
    )


def test_one_that_fails_does_not_hide_that_the_file_is_there(server, name):
    server.put(name, b"old")
    raw = server.raw()
    raw.send(head("PUT", f"/upload/{name}", ("Content-Length", MIB)))
    raw.send(DATA[:300_000])
    status = live(server, name, 300_000)
    assert status["status"] == "uploading"
    raw.close()
    expect.until(lambda: server.status(name)["status"] == "interrupted")
    status = expect.transfer(server.status(name))
    assert status["error"]
    assert status["transferred_bytes"] == 300_000
    assert server.has(name, b"old")


def downloads_of(server, name):
    queue = server.get("/status").json()["queue"]
    uploads = {t["id"] for t in server.get("/status").json()["transfers"]}
    return [
        e for e in queue if e["filename"] == name and e["id"] not in uploads
    ]


def test_a_slow_download(server, name):
    data = random.Random(51).randbytes(32 * MIB)
    server.put(name, data)
    with server.raw(receive_buffer=65536) as raw:
        raw.request("GET", f"/download/{name}")
        answer = raw.response_head()
        got = raw.read(100_000)
        (entry,) = expect.until(lambda: downloads_of(server, name))
        assert entry["status"] == "downloading"
        # what the sockets hold is not delivered: it stays under way
        got += raw.read(len(data) - len(got) - 1)
        assert answer.headers["ETag"] == f'"{expect.sha256(data)}"'
        got += raw.read(1)
        assert got == data
    expect.until(
        lambda: downloads_of(server, name)[0]["status"] == "completed"
    )


def test_a_download_that_the_client_breaks_off(server, name):
    data = random.Random(52).randbytes(32 * MIB)
    server.put(name, data)
    raw = server.raw(receive_buffer=65536)
    raw.request("GET", f"/download/{name}")
    raw.response_head()
    raw.read(100_000)
    raw.reset()
    expect.until(
        lambda: downloads_of(server, name)[0]["status"] == "interrupted"
    )


def test_delivered_is_not_handed_over(server, name):
    """A file that fits into the sockets is not completed before the client
    took it."""
    data = random.Random(53).randbytes(600_000)
    server.put(name, data)
    with server.raw(receive_buffer=4096) as raw:
        raw.request("GET", f"/download/{name}")
        raw.response_head()
        (entry,) = expect.until(lambda: downloads_of(server, name))
        assert entry["status"] == "downloading"
        raw.read(len(data))
    expect.until(
        lambda: downloads_of(server, name)[0]["status"] == "completed"
    )


def newest_download(server, name):
    query = f"/history?direction=download&limit=1&filename={name}"
    (entry,) = server.get(query).json()["entries"]
    return expect.transfer(entry)


@pytest.mark.parametrize("query", ["", "?encryption=true"])
@pytest.mark.parametrize("size", [600_000, 6 * MIB])
def test_progress_is_what_the_client_has(server, name, query, size):
    """Not what the sockets hold: all of a small file, megabytes of others.
    So it does not fall when the client goes."""
    data = random.Random(54).randbytes(size)
    server.put(name, data, query)
    in_sockets = 200_000  # on the client's side
    with Stream(server, f"?file={name}") as stream:
        with server.raw(receive_buffer=4096) as raw:
            raw.request("GET", f"/download/{name}")
            raw.response_head()
            for step in (10_000, size // 2):
                raw.read(step)
                expect.until(
                    lambda: newest_download(server, name)["transferred_bytes"]
                    >= step
                )
                found = newest_download(server, name)
                assert found["status"] == "downloading"
                assert found["transferred_bytes"] <= (
                    10_000 + step + in_sockets
                )
                assert found["progress"] < 100
        events = stream.until(lambda t: t["status"] == "interrupted")
    seen = [
        t["transferred_bytes"]
        for _, _, t in events
        if t["direction"] == "download"
    ]
    assert seen[-1] >= size // 2
    assert seen == sorted(seen)


def test_progress_of_an_archive(server, admin, name):
    server.put(name, random.Random(55).randbytes(6 * MIB))
    fields = (*admin.items(), ("X-Client-Id", name))
    query = f"/history?direction=download&client={name}"
    with server.raw(receive_buffer=4096) as raw:
        raw.send(head("GET", f"/download_batch?file={name}", *fields))
        raw.response_head()
        raw.read(100_000)
        entry = expect.until(
            lambda: [
                e
                for e in server.get(query).json()["entries"]
                if e["transferred_bytes"] >= 100_000
            ]
        )[0]
        assert entry["status"] == "downloading"
        assert entry["transferred_bytes"] <= 400_000


def test_health_answers_at_once_while_transfers_move(server, names):
    raws = []
    for _ in range(20):
        raw = server.raw()
        raw.send(head("PUT", f"/upload/{names()}", ("Content-Length", MIB)))
        raw.send(DATA[:100_000])
        raws.append(raw)
    with server.raw() as one:
        for _ in range(50):
            assert one.ask("GET", "/health").status_code == 200
    for raw in raws:
        raw.close()
