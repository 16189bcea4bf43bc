# SPDX-License-Identifier: MIT
"""HISTORY_KEEP: old transfers leave the records, and stay in the sums."""

import expect
from chunks import Upload, completed, content, cut, good

KIB = 1024


def total(server, query=""):
    return good(server.get(f"/history{query}"))["total_count"]


def test_old_transfers_go_and_sums_stay(start):
    server = start(HISTORY_KEEP="2s", QUEUE_KEEP_SECONDS=0)
    up = Upload(server, "goes on", cut(content(200 * KIB), 100 * KIB))
    good(up.send(0))
    server.put("a.txt", b"abc")
    server.put("b.txt", b"x", "?encryption=true")
    server.download("a.txt")
    expect.error(
        server.put("a.txt", b"", headers={"Content-Digest": "sha-256=:AA==:"}),
        400,
    )
    server.kill()
    server.start()
    before = good(server.get("/stats"))
    clients = good(server.get("/clients"))["clients"]
    # All but the one that its client may still go on with.
    expect.until(lambda: total(server) == 1, within=30)
    assert total(server, "?status=interrupted") == 1
    assert total(server, "?status=completed") == 0
    after = good(server.get("/stats"))
    for sums in (before, after):
        del sums["uptime_seconds"]
    assert after == before
    assert after["total_transfers"] >= 4
    (client,) = good(server.get("/clients"))["clients"]
    assert client["total_uploads"] == clients[0]["total_uploads"]
    assert client["files"] == ["goes on"]
    expect.error(server.get("/status/a.txt"), 404, "transfer_not_found")
    assert server.has("a.txt", b"abc")
    completed(up.send(1), up)
    assert server.status("goes on")["retry_count"] == 1


def test_nothing_goes_when_all_is_kept(start):
    server = start(HISTORY_KEEP="0")
    server.put("a", b"x")
    server.restart()
    assert total(server) == 1
