# SPDX-License-Identifier: MIT
"""Keys that are no more, in whatever goes on by them."""

import pytest

import batches
import expect
import form
from keys import made, revoke
from live import Polling, Stream, WebSocket
from movers import Mover
from queueing import BODY, one_place, put, queue, queued
from raw import head
from survival import works
from tus import begin, patch

SECRET = b"of another owner"


def test_a_revoked_key_on_an_open_stream(closed):
    """A key is revoked while it listens, polls, and is about to upload."""
    # Fails without bus_close_key() in engine/bus.c.
    k = made(closed)
    field = ("X-API-Key", k["api_key"])
    polling = Polling(closed)
    polling.connect({"apiKey": k["api_key"]})
    url = begin(closed, 5, dict([field]), filename="late")
    with WebSocket(closed) as ws, Stream(closed, "", field) as stream:
        ws.connect({"apiKey": k["api_key"]})
        ws.emit("subscribe_all", ack=1)
        ws.text()
        revoke(closed, k)
        closed.put("afterwards", SECRET, headers=closed.as_admin)
        assert ws.event("error")["code"] == "invalid_api_key"
        assert ws.closed()[0] == 1008
        heard = read_all(stream)
        assert "afterwards" not in heard
    packets = polling.packets()
    assert "afterwards" not in "".join(packets)
    got = patch(closed, url, 0, b"x", X_API_Key=k["api_key"])
    expect.error(got, 401, "invalid_api_key")
    got = closed.download("afterwards", headers=dict([field]))
    expect.error(got, 401, "invalid_api_key")
    assert works(closed)


WAITS = ("Expect", "100-continue")


def starts(server, key, method, path, n):
    """A request that was let in, and whose body of n bytes is waited for."""
    raw = server.raw()
    field = ("X-API-Key", key)
    raw.send(head(method, path, field, WAITS, ("Content-Length", n)))
    assert raw.response_head().status_code == 100
    return raw


def test_a_revoked_key_in_a_request_that_was_begun(closed):
    """Requests are begun with a key, and their bodies sent after it was
    revoked: one makes another key, one listens."""
    # Fails without check_again() in api/app.c.
    k = made(closed, scopes=["admin"])
    with (
        starts(closed, k["api_key"], "POST", "/generate_key", 2) as making,
        starts(closed, k["api_key"], "GET", "/events", 1) as listening,
        starts(closed, k["api_key"], "DELETE", "/files/x", 1) as removing,
    ):
        closed.put("x", SECRET, headers=closed.as_admin)
        revoke(closed, k)
        for raw, method, body in (
            (making, "POST", b"{}"),
            (listening, "GET", b"x"),
            (removing, "DELETE", b"x"),
        ):
            raw.send(body)
            expect.error(raw.response(method), 401, "invalid_api_key")
    assert closed.has("x", SECRET)
    assert works(closed)


def test_a_revoked_key_in_a_batch_that_was_begun(closed):
    """The key is revoked while the first of two files comes."""
    # Fails without tenants_evict_key() in api/h_keys.c.
    k = made(closed)
    # more than is read before its handler runs
    parts = {"first": b"1" * 200_000, "second": SECRET}
    body = form.body(*batches.files(parts))
    cut = len(body) // 2
    fields = (
        ("X-API-Key", k["api_key"]),
        ("Content-Type", form.content_type()),
        ("Content-Length", len(body)),
    )
    with closed.raw() as raw:
        raw.send(head("POST", "/upload_batch", *fields) + body[:cut])
        expect.until(lambda: is_known(closed, "first"))
        revoke(closed, k)
        expect.error(raw.response("POST"), 401, "invalid_api_key")
    assert closed.lacks("first") and closed.lacks("second")
    assert works(closed)


HELD = 300_000


def hang_put(server, *fields):
    return server.raw(), head("PUT", "/upload/late", *fields)


def hang_form(server, *fields):
    kind = ("Content-Type", form.content_type())
    begins = form.body(form.file(b"", "late"))[: -len(form.BOUNDARY) - 8]
    return server.raw(), head("POST", "/upload", kind, *fields) + begins


def hang_tus(server, *fields):
    url = begin(server, HELD, server.as_admin, filename="late")
    fields += (
        ("Tus-Resumable", "1.0.0"),
        ("Content-Type", "application/offset+octet-stream"),
        ("Upload-Offset", "0"),
    )
    return server.raw(), head("PATCH", url, *fields)


@pytest.mark.parametrize("hang", [hang_put, hang_form, hang_tus])
def test_a_revoked_key_in_an_upload_that_moves(closed, hang):
    """The key is revoked while its upload's bytes come."""
    # Fails without tenants_evict_key() in api/h_keys.c.
    k = made(closed)
    length = ("Content-Length", HELD)
    raw, begins = hang(closed, ("X-API-Key", k["api_key"]), length)
    with raw:
        raw.send(begins + bytes(HELD // 2))
        expect.until(lambda: moves(closed, "late"))
        revoke(closed, k)
        expect.error(raw.response("PUT"), 401, "invalid_api_key")
    assert closed.lacks("late")
    assert works(closed)


def test_a_revoked_key_in_a_download_that_moves(closed):
    """The key is revoked while its client still has most of a file to
    come."""
    # Fails without tenants_evict_key() in api/h_keys.c.
    size = 40_000_000
    closed.put("large", bytes(size), headers=closed.as_admin)
    k = made(closed)
    with closed.raw(receive_buffer=65536) as raw:
        field = ("X-API-Key", k["api_key"])
        raw.send(head("GET", "/download/large", field))
        assert raw.response_head().status_code == 200
        revoke(closed, k)
        assert len(raw.read_to_end()) < size
    assert works(closed)


def test_an_expired_key_in_an_upload_that_moves(closed):
    """The key expires while its upload's bytes come."""
    # Fails without tenants_evict_expired() in sftd/maintenance.c.
    k = made(closed, expires_in=1)
    length = ("Content-Length", HELD)
    raw, begins = hang_put(closed, ("X-API-Key", k["api_key"]), length)
    with raw:
        raw.send(begins + bytes(HELD // 2))
        expect.error(raw.response("PUT"), 401, "invalid_api_key")
    assert closed.lacks("late")


def moves(server, name):
    got = server.get(f"/status/{name}", headers=server.as_admin)
    return got.ok and got.json()["transferred_bytes"] > 0


def test_a_revoked_key_in_a_request_that_waits(start):
    """The key is revoked while an upload and a download wait for their
    turns."""
    # Fails without tenants_evict_key() in api/h_keys.c.
    server = one_place(start)
    server.put("theirs", BODY)
    k = made(server)
    field = ("X-API-Key", k["api_key"])
    with Mover(server, "first") as first, server.raw() as down:
        up = put(server, "late", "", BODY, field)
        queued(server, "late")
        down.send(head("GET", "/download/theirs", field))
        expect.until(lambda: "theirs" in queue(server))
        revoke(server, k)
        first.finish()
        expect.error(up.response("PUT"), 401, "invalid_api_key")
        expect.error(down.response(), 401, "invalid_api_key")
        up.close()
    assert server.lacks("late")
    assert works(server)


def is_known(server, name):
    got = server.get(f"/status/{name}", headers=server.as_admin)
    return got.status_code == 200


def read_all(stream):
    seen = []
    with pytest.raises(EOFError):
        while True:
            seen.append(str(stream.event()))
    return "".join(seen)
