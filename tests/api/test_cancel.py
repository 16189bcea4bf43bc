# SPDX-License-Identifier: MIT
"""POST /cancel/<filename>: whatever is under way for a name ends at once."""

import threading
from urllib.parse import quote

import pytest

import expect
import form
from chunks import Upload, content, good

BIG = 50_000_000


def cancel(server, name, headers):
    return server.post(f"/cancel/{quote(name)}", headers=headers)


def hang_put(server, name, data, length=BIG, query=""):
    raw = server.raw()
    raw.send(
        f"PUT /upload/{quote(name)}{query} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {length}\r\n\r\n".encode() + data
    )
    return raw


def hang_form(server, name, data, length=BIG):
    raw = server.raw()
    body = form.body(form.part("filename", name), form.file(data, name))
    missing = length - len(data)
    raw.send(
        f"POST /upload HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: {form.content_type()}\r\n"
        f"Content-Length: {len(body) + missing}\r\n\r\n".encode()
        + body[: -len(form.BOUNDARY) - 8]
    )
    return raw


def moving(server, name):
    response = server.get(f"/status/{quote(name)}")
    return response.ok and response.json()["status"] in (
        "uploading",
        "downloading",
    )


@pytest.mark.parametrize("encryption", ["false", "true"])
@pytest.mark.parametrize("kind", ["put", "form"])
def test_an_upload_in_the_middle(server, name, admin, kind, encryption):
    server.put(name, b"the old one")
    data = content(200_000)
    raw = (
        hang_put(server, name, data, query=f"?encryption={encryption}")
        if kind == "put"
        else hang_form(server, name, data)
    )
    with raw:
        expect.until(
            lambda: server.status(name)["status"] == "uploading"
        )
        answer = good(cancel(server, name, admin))
        assert answer == {
            "success": True,
            "message": f"{name} cancelled",
            "cancelled": 1,
        }
        expect.error(raw.response(), 409, "cancelled")
    assert server.status(name)["status"] == "cancelled"
    assert server.has(name, b"the old one")
    expect.error(cancel(server, name, admin), 404, "no_active_transfer")


@pytest.mark.parametrize("hang", [hang_put, hang_form])
def test_a_small_upload_in_the_middle(server, name, admin, hang):
    """It is whole within the loop's memory, mostly; not when it is slow."""
    with hang(server, name, content(2_000), 3_000) as raw:
        expect.until(lambda: moving(server, name))
        assert server.status(name)["transferred_bytes"] <= 2_000
        assert good(cancel(server, name, admin))["cancelled"] == 1
        expect.error(raw.response(), 409, "cancelled")
    assert server.lacks(name)


def test_a_small_upload_that_is_slow(server, name):
    data = content(3_000)
    with hang_put(server, name, data[:1_000], 3_000) as raw:
        expect.until(lambda: moving(server, name))
        raw.send(data[1_000:])
        assert raw.response("PUT").status_code == 201
        # and the connection goes on
        answer = raw.ask("PUT", f"/upload/{quote(name)}", body=b"next")
        assert answer.status_code == 200
    assert server.has(name, b"next")


def test_nothing_of_it_stays(start):
    server = start()
    with hang_put(server, "a", content(3_000_000)) as raw:
        expect.until(lambda: moving(server, "a"))
        good(cancel(server, "a", server.as_admin))
        assert server.files_below("temp") == []
        expect.error(raw.response(), 409, "cancelled")
    up = Upload(server, "b", [content(70_000), b"two"], encryption="true")
    good(up.send(1))
    good(up.send(0, data=None))
    part = Upload(server, "c", [b"one", b"two", b"three"])
    good(part.send(2))
    good(cancel(server, "c", server.as_admin))
    assert server.files_below("temp") == []


def test_a_download_is_cut(server, name, admin):
    server.put(name, content(40_000_000))
    with server.raw(receive_buffer=65536) as raw:
        raw.send(
            f"GET /download/{quote(name)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        raw.response_head()
        expect.until(
            lambda: any(
                t["filename"] == name and t["status"] == "downloading"
                for t in server.get("/status").json()["queue"]
            )
        )
        good(cancel(server, name, admin))
        assert len(raw.read_to_end()) < 40_000_000
    queue = server.get("/status").json()["queue"]
    mine = [t["status"] for t in queue if t["filename"] == name]
    assert "cancelled" in mine
    server.head(f"/download/{quote(name)}")


def test_an_idle_session(server, name, admin):
    up = Upload(server, name, [b"one", b"two"])
    good(up.send(0))
    assert good(cancel(server, name, admin))["cancelled"] == 1
    assert up.resume_info() == {"received_chunks": [], "can_resume": False}
    # Other chunks of that set are told so for a while; 0 begins anew.
    expect.error(up.send(1), 409, "cancelled")
    good(up.send(0))
    good(up.send(1))
    assert server.has(name, b"onetwo")


def test_one_that_was_interrupted(start):
    server = start()
    up = Upload(server, "a", [b"one", b"two"])
    good(up.send(0))
    server.restart()
    up.server = server
    assert server.status("a")["status"] == "interrupted"
    good(cancel(server, "a", server.as_admin))
    assert server.status("a")["status"] == "cancelled"
    assert server.files_below("temp") == []


@pytest.mark.tsan
def test_all_of_a_name(server, name, admin):
    """Two uploads, two chunks under way."""
    raws = []
    up = Upload(server, name, [content(300_000), content(300_000)])
    for number in range(2):
        fields = [
            form.part(k, v)
            for k, v in up.fields_of(number, encryption="false").items()
        ]
        body = form.body(*fields, form.part("chunk", up.chunks[number], "b"))
        raw = server.raw()
        raw.send(
            f"POST /upload_chunk HTTP/1.1\r\nHost: x\r\n"
            f"Content-Type: {form.content_type()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body[:-1000]
        )
        raws.append(raw)
    # Its status is the newest's, so the others come after it.
    expect.until(
        lambda: server.status(name)["transferred_bytes"] > 590_000
    )
    raws += [hang_put(server, name, b"x" * 100_000) for _ in range(2)]
    expect.until(
        lambda: sum(
            t["filename"] == name and t["status"] == "uploading"
            for t in server.get("/status").json()["queue"]
        )
        == 3
    )
    assert good(cancel(server, name, admin))["cancelled"] == 3
    for raw in raws:
        expect.error(raw.response(), 409, "cancelled")
        raw.close()
    server.lacks(name)


def test_cancelling_while_chunks_come(server, name, admin):
    """Whatever the moment: a file, or nothing of it."""
    data = content(4_000_000)
    for i in range(5):
        up = Upload(
            server,
            f"{name}-{i}",
            [data[at : at + 400_000] for at in range(0, len(data), 400_000)],
        )
        statuses = []
        sender = threading.Thread(
            target=lambda: statuses.extend(
                r.status_code for r in up.send_all(at_once=4)
            )
        )
        sender.start()
        response = cancel(server, up.name, admin)
        sender.join()
        assert response.status_code in (200, 404)
        assert set(statuses) <= {200, 409}
        server.post(f"/cancel/{up.name}", headers=admin)


def test_nothing_under_way(server, name, admin):
    expect.error(cancel(server, name, admin), 404, "no_active_transfer")
    server.put(name, b"x")
    expect.error(cancel(server, name, admin), 404, "no_active_transfer")


def test_who_may(server, name, admin):
    expect.error(cancel(server, name, {}), 401, "unauthorized")
    made = server.post(
        "/generate_key", json={"scopes": ["read"]}, headers=admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    expect.error(cancel(server, name, key), 403, "forbidden")
    made = server.post(
        "/generate_key", json={"prefix": "team-a/"}, headers=admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    expect.error(cancel(server, "team-b/x", key), 403, "forbidden")
    expect.error(cancel(server, "team-a/x", key), 404, "no_active_transfer")
    response = server.post("/cancel/a%2F..%2Fx", headers=admin)
    expect.error(response, 400, "invalid_filename")
