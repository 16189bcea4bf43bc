# SPDX-License-Identifier: MIT
"""Ranges that one client asks of one file within a minute: one download."""

import time
from concurrent.futures import ThreadPoolExecutor

import expect
from chunks import content, good
from movers import Mover
from raw import head

KIB = 1024
MIB = 1024 * KIB


def get(server, name, first, last, **headers):
    response = server.get(
        f"/download/{name}",
        headers={"Range": f"bytes={first}-{last}", **headers},
    )
    assert response.status_code == 206
    return response.content


def downloads(server):
    return good(server.get("/history?direction=download"))["entries"]


def becomes(server, *wanted):
    """What is on record of downloads, newest first: (status, bytes).  A
    delivery is known a little later, and recorded later still."""
    expect.until(
        lambda: [
            (e["status"], e["transferred_bytes"]) for e in downloads(server)
        ]
        == list(wanted)
    )
    return downloads(server)


def count_becomes(server, count):
    expect.until(lambda: len(downloads(server)) == count)


def test_parts_are_one_download(start):
    server = start()
    data = content(300 * KIB)
    server.put("file", data)
    for first in range(0, len(data), 100 * KIB):
        last = first + 100 * KIB - 1
        assert get(server, "file", first, last) == data[first : last + 1]
        (entry,) = becomes(server, ("completed", last + 1))
        assert entry["total_bytes"] == last + 1
        assert entry["retry_count"] == 0
    sums = good(server.get("/stats"))
    assert (sums["downloads"], sums["completed_count"]) == (1, 2)
    assert sums["total_bytes"] == 2 * len(data)
    (client,) = good(server.get("/clients"))["clients"]
    assert client["total_downloads"] == 1


def test_parts_at_once_are_one_download(start):
    server = start()
    data = content(4 * MIB)
    server.put("file", data)
    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(
            lambda i: get(server, "file", i * MIB, (i + 1) * MIB - 1), range(4)
        )
        assert b"".join(parts) == data
    becomes(server, ("completed", len(data)))


def test_they_have_one_place(start):
    server = start(MAX_ACTIVE_TRANSFERS=2)
    data = content(200 * KIB)
    server.put("file", bytes(64 * MIB))
    server.put("other", data)
    with Mover(server, "first"), server.raw(receive_buffer=16 * KIB) as raw:
        raw.send(head("GET", "/download/file", ("Range", "bytes=0-60000000")))
        raw.read(64 * KIB)
        assert len(get(server, "file", 0, MIB - 1)) == MIB


def test_whom_they_are_not_one_with(start):
    server = start()
    data = content(100 * KIB)
    server.put("file", data)
    server.put("sealed", data, "?encryption=true")
    get(server, "file", 0, 9)
    count_becomes(server, 1)
    # Another client, the whole, another file, its container.
    get(server, "file", 0, 9, **{"X-Client-ID": "me"})
    count_becomes(server, 2)
    assert server.download("file").content == data
    count_becomes(server, 3)
    get(server, "sealed", 0, 9)
    count_becomes(server, 4)
    get(server, "sealed?decrypt=false", 0, 9, **server.as_admin)
    count_becomes(server, 5)
    # Other bytes under the name.
    server.put("file", data[::-1])
    get(server, "file", 0, 9)
    count_becomes(server, 6)


def test_one_that_broke_goes_on(start):
    server = start()
    server.put("file", bytes(64 * MIB))
    with server.raw(receive_buffer=16 * KIB) as raw:
        raw.send(head("GET", "/download/file", ("Range", "bytes=0-60000000")))
        raw.read(MIB)
        raw.reset()
    expect.until(
        lambda: [e["status"] for e in downloads(server)] == ["interrupted"]
    )
    (entry,) = downloads(server)
    moved = entry["transferred_bytes"]
    # over TLS a record that is under way has not arrived
    assert MIB - (20000 if server.ca else 1000) < moved < 60000000
    get(server, "file", MIB, 2 * MIB - 1)
    becomes(server, ("completed", moved + MIB))


def test_a_cancelled_one_does_not_go_on(start):
    server = start()
    server.put("file", bytes(64 * MIB))
    with server.raw(receive_buffer=16 * KIB) as raw:
        raw.send(head("GET", "/download/file", ("Range", "bytes=0-60000000")))
        raw.read(MIB)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(
                server.post, "/cancel/file", headers=server.as_admin
            )
            raw.read_to_end()
            assert good(answer.result())["cancelled"] == 1
    get(server, "file", 0, MIB - 1)
    expect.until(
        lambda: [e["status"] for e in downloads(server)]
        == ["completed", "cancelled"]
    )


def test_a_part_that_waits(start):
    server = start(MAX_ACTIVE_TRANSFERS=1)
    data = content(200 * KIB)
    server.put("file", data)
    with Mover(server, "first") as first, ThreadPoolExecutor(1) as pool:
        part = pool.submit(get, server, "file", 0, 99999)

        becomes(server, ("queued", 0))
        assert not part.done()
        first.finish()
        assert part.result() == data[:100000]
    becomes(server, ("completed", 100000))


def test_a_part_that_waits_in_vain(start):
    server = start(MAX_ACTIVE_TRANSFERS=1)
    server.put("file", content(200 * KIB))
    ranged = head("GET", "/download/file", ("Range", "bytes=0-99999"))

    def queue():
        return [
            e["status"]
            for e in good(server.get("/status"))["queue"]
            if e["filename"] == "file"
        ]

    with Mover(server, "first"):
        with server.raw() as raw:
            raw.send(ranged)
            expect.until(lambda: "queued" in queue())
            answer = server.post("/cancel/file", headers=server.as_admin)
            assert good(answer)["cancelled"] == 1
            expect.error(raw.response(), 409, "cancelled")
        with server.raw() as raw:
            raw.send(ranged)
            expect.until(lambda: "queued" in queue())
            raw.reset()
        expect.until(lambda: "queued" not in queue())
    becomes(server, ("interrupted", 0), ("cancelled", 0))


def test_waiting_is_not_slow(start):
    server = start(MAX_ACTIVE_TRANSFERS=1)
    server.put("file", bytes(8 * MIB))
    with Mover(server, "first") as first, ThreadPoolExecutor(1) as pool:
        part = pool.submit(get, server, "file", 0, 8 * MIB - 2)
        becomes(server, ("queued", 0))
        since = time.monotonic()
        expect.until(lambda: time.monotonic() - since > 2)
        first.finish()
        part.result()
    (entry,) = becomes(server, ("completed", 8 * MIB - 1))
    assert entry["speed"] > 8 * MIB  # four would be what was waited as well


def test_one_that_left_the_records_does_not_go_on(start):
    server = start(HISTORY_KEEP="2s", QUEUE_KEEP_SECONDS=0)
    server.put("file", bytes(300 * KIB))
    get(server, "file", 0, 100 * KIB - 1)
    expect.until(
        lambda: good(server.get("/history"))["total_count"] == 0, within=40
    )
    get(server, "file", 100 * KIB, 200 * KIB - 1)
    becomes(server, ("completed", 100 * KIB))
    assert good(server.get("/stats"))["total_bytes"] == 500 * KIB
    (client,) = good(server.get("/clients"))["clients"]
    assert client["total_bytes"] == 500 * KIB
