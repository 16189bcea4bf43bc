# SPDX-License-Identifier: MIT
"""GET /events: the same events as Server-Sent Events."""

import subprocess

import pytest

from live import Stream, is_completed


def test_all_transfers(server, name):
    with Stream(server) as stream:
        assert stream.answer.status_code == 200
        kind = stream.answer.headers["Content-Type"]
        assert kind == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        server.put(name, b"x" * 1000)
        seen = stream.until(is_completed(name))
    mine = [e for e in seen if e[2]["filename"] == name]
    assert {e[1] for e in mine} == {"transfer_update"}
    assert mine[0][2]["status"] == "uploading"
    assert mine[-1][2] == server.status(name)


def test_ids_grow(server, names):
    with Stream(server) as stream:
        for name in [names() for _ in range(5)]:
            server.put(name, b"x" * 100000)
        seen = stream.until(is_completed(name))
    ids = [e[0] for e in seen]
    assert ids == sorted(set(ids))
    assert all(0 < i < 2**53 for i in ids)


def test_one_file(server, names):
    name, other = names(), names()
    server.put(name, b"before")
    with Stream(server, f"?file={name}") as stream:
        _, kind, data = stream.event()
        assert kind == "status_update"
        assert data == server.status(name)
        server.put(other, b"x")
        server.put(name, b"after!")
        seen = stream.until(
            lambda t: is_completed(name)(t) and t["id"] != data["id"]
        )
    assert {e[2]["filename"] for e in seen} == {name}


def test_statistics(start):
    server = start()
    with Stream(server, "?stats=1") as stream:
        _, kind, data = stream.event()
        assert kind == "stats_update"
        assert set(data) == set(server.get("/stats").json())
        server.put("a", b"x")
        stream.until(lambda s: s["completed_count"] == 1)


def test_both_at_once(server, name):
    server.put(name, b"x")
    with Stream(server, f"?file={name}&stats=1") as stream:
        kinds = {stream.event()[1], stream.event()[1]}
    assert kinds == {"status_update", "stats_update"}


def test_who_comes_back_gets_what_was_missed(server, names):
    first, second = names(), names()
    with Stream(server) as stream:
        server.put(first, b"x")
        last = stream.until(is_completed(first))[-1][0]
    server.put(second, b"x")
    with Stream(server, "", ("Last-Event-ID", last)) as stream:
        seen = stream.until(is_completed(second))
    assert all(e[0] > last for e in seen)
    assert first not in {e[2]["filename"] for e in seen}
    with Stream(
        server, f"?file={second}", ("Last-Event-ID", last)
    ) as stream:
        seen = stream.until(is_completed(second))
    assert {e[2]["filename"] for e in seen} == {second}


@pytest.mark.parametrize("last", ["", "abc", "-1", "1", "9" * 30])
def test_an_id_of_others_does_no_harm(server, name, last):
    server.put(name, b"x")
    with Stream(
        server, f"?file={name}", ("Last-Event-ID", last)
    ) as stream:
        seen = stream.until(is_completed(name))
    assert seen[-1][2] == server.status(name)


@pytest.mark.parametrize(
    "query,code",
    [
        ("?file=", "invalid_filename"),
        ("?file=../x", "invalid_filename"),
        ("?file=%zz", "invalid_parameter"),
        ("?stats=maybe", "invalid_parameter"),
    ],
)
def test_what_is_refused(server, query, code):
    with server.raw() as raw:
        answer = raw.ask("GET", "/events" + query)
    assert answer.status_code == 400
    assert answer.json()["code"] == code


def test_other_methods(server):
    answer = server.post("/events")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert server.head("/events").status_code == 200


def test_pages_may_read_it(server):
    origin = "http://localhost:3000"
    with Stream(server, "", ("Origin", origin)) as stream:
        allowed = stream.answer.headers["Access-Control-Allow-Origin"]
    assert allowed == origin


def test_curl_shows_it_line_by_line(server, name):
    with subprocess.Popen(
        ["curl", "-sN", f"{server.url}/events?file={name}"],
        stdout=subprocess.PIPE,
        text=True,
    ) as curl:
        assert curl.stdout.readline() == "retry: 2000\n"
        server.put(name, b"x")
        for line in curl.stdout:
            if line.startswith("data: ") and '"completed"' in line:
                break
        curl.terminate()


def test_the_server_ends_them_when_it_stops(start):
    server = start()
    with Stream(server) as stream:
        server.stop()
        with pytest.raises(EOFError):
            while True:
                stream.event()


def test_many_streams_hold_no_threads(start):
    server = start()

    def threads():
        with open(f"/proc/{server.child}/status", encoding="ascii") as f:
            line = next(s for s in f if s.startswith("Threads:"))
        return int(line.split()[1])

    streams = [Stream(server) for _ in range(10)]
    before = threads()
    streams += [Stream(server) for _ in range(100)]
    server.put("a", b"x")
    for stream in streams:
        stream.until(is_completed("a"))
    assert threads() <= before + 2
    for stream in streams:
        stream.raw.close()
