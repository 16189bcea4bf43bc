# SPDX-License-Identifier: MIT
"""A key bound to a prefix: what lies outside of it does not exist for it, on
any route.  Each is asked for names that are there and for names that are not,
and must answer alike; and nothing outside may have changed."""

import json
import re

import pytest

import chunks
import expect
import images
import routes
from live import PATH, Polling, Stream, WebSocket, is_completed
from raw import head
from sftd import Sftd
from test_tus import BYTES, V, begin, metadata, patch

THERE, ABSENT = "secret", "absent"
CLASSIFIED = b"classified " * 100
SIZE = 300_000
PARTIAL = {"Upload-Concat": "partial"}


class World:
    """A server where somebody else has files, and uploads of every kind under
    way, below secret/; and a team that knows only team/."""

    def __init__(self, place):
        self.server = own = Sftd(place, {"STALL_TIMEOUT": "10m"}).start()
        self.admin = own.as_admin
        made = own.post(
            "/generate_key",
            json={"prefix": "team/", "scopes": ["read", "write"]},
            headers=self.admin,
        ).json()
        self.team = {"X-API-Key": made["api_key"]}
        for name in ("secret/x", "team/a"):
            assert own.put(name, CLASSIFIED).status_code == 201
        own.put("secret/pic.jpg", images.jpeg())
        assert own.get("/thumbnail/secret/pic.jpg").status_code == 200
        own.download("secret/x")
        self.chunked = chunks.Upload(own, "secret/s", [b"one", b"two"])
        chunks.good(self.chunked.send(0))
        self.tus = begin(own, 6, filename="secret/t")
        assert patch(own, self.tus, 0, b"abc").status_code == 204
        self.part = begin(own, 2, PARTIAL)
        assert patch(own, self.part, 0, b"ab").status_code == 204
        self.live = own.raw()
        self.live.send(
            head(
                "PUT",
                "/upload/secret/live?priority=7",
                ("Content-Length", SIZE),
            )
            + bytes(SIZE - 1)
        )
        expect.until(lambda: own.status("secret/live"))

    def url(self, place, kind="tus"):
        """Of an upload that is there, or a guess."""
        return getattr(self, kind) if place == THERE else "/tus/" + "5" * 32

    def check(self):
        """All of it is as it was."""
        own = self.server
        assert own.has("secret/x", CLASSIFIED)
        assert own.get("/thumbnail/secret/pic.jpg").status_code == 200
        assert self.chunked.resume_info()["received_chunks"] == [0]
        for url, offset in ((self.tus, "3"), (self.part, "2")):
            answer = own.head(url, headers=V)
            assert answer.status_code == 200
            assert answer.headers["Upload-Offset"] == offset
        status = own.status("secret/live")
        assert (status["status"], status["priority"]) == ("uploading", 7)
        listed = own.get("/files", headers=self.admin).json()["files"]
        names = {f["filename"] for f in listed}
        assert {"secret/x", "secret/pic.jpg"} <= names
        assert not any(n.startswith(("absent", "secret/new")) for n in names)
        own.check()

    def end(self):
        self.live.close()
        self.server.end()

    # asking as the team

    def ask(self, method, path, headers=None, **options):
        return self.server.ask(
            method, path, headers={**self.team, **(headers or {})}, **options
        )

    def alike(self, do, *statuses):
        """do(place) is answered with one of statuses, and in the same words
        for what is there and for what is not."""
        said = []
        for place in (THERE, ABSENT):
            response = do(place)
            assert response.status_code in statuses, response.text
            assert b"classified" not in response.content
            text = response.text.replace(place, "*")
            said.append((response.status_code, text))
            fields = {
                name: re.sub(r"[0-9a-f]{32}|\d", "", value)
                for name, value in response.headers.items()
                if name.lower() not in ("date", "content-length")
            }
            said[-1] += (fields,)
        assert said[0] == said[1]
        return said[0]

    def tells_nothing(self, response, status=200):
        assert response.status_code == status, response.text
        for word in ("secret", "classified"):
            assert word not in response.text
            assert word not in str(response.headers)
        return response.json()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.end()


@pytest.fixture
def world(shared_world):
    shared_world.check()
    yield shared_world
    shared_world.check()


# --- a probe for each route


def public(w, route):
    """Nothing of anybody's is in it."""
    with w.server.raw() as raw:
        answer = raw.ask(
            route.method,
            route.target(),
            *route.fields,
            *w.team.items(),
            body=route.body,
        )
    assert b"secret" not in answer.content


def admins(w, route):
    answer = w.ask(route.method, route.target())
    expect.error(answer, 403, "forbidden")


def sums(w, route):
    expect.error(w.ask("GET", route.path), 403, "forbidden")


def upload_form(w, route):
    for fields in ({}, {"if_exists": "error"}, {"encryption": "true"}):
        w.alike(
            lambda place: w.ask(
                "POST",
                route.path,
                files={"file": ("x", b"new")},
                data={"filename": f"{place}/x", **fields},
            ),
            403,
        )
    # the name of the part itself has no folder, so it lies outside, too
    answer = w.ask("POST", route.path, files={"file": ("secret/x", b"new")})
    expect.error(answer, 403, "forbidden")


def upload_raw(w, route):
    for query in ("", "?if_exists=error"):
        for name in ("x", "x%2e", "live", "s"):
            w.alike(
                lambda place, n=name, q=query: w.ask(
                    "PUT", f"/upload/{place}/{n}{q}", data=b"new"
                ),
                403,
            )
    expect.error(w.ask("PUT", "/upload/team", data=b"new"), 403)
    expect.error(w.ask("PUT", "/upload/team/../secret/x", data=b"n"), (400, 403))
    with w.server.raw() as raw:
        answer = raw.ask(
            "PUT", "/upload/team/..%2Fsecret/x", *w.team.items(), body=b"new"
        )
        expect.error(answer, 400, "invalid_filename")


def upload_batch(w, route):
    def send(place):
        return w.ask(
            "POST",
            "/upload_batch?paths=keep",
            files=[("files", (f"{place}/x", b"new"))],
        )

    _, text, _ = w.alike(send, 200)
    (result,) = json.loads(text)["results"]
    assert (result["status"], result["code"]) == ("failed", "forbidden")


def upload_chunk(w, route):
    def send(place):
        one = chunks.Upload(
            w.server, f"{place}/s", [b"one", b"two"], headers=w.team
        )
        return one.send(1)

    w.alike(send, 403)


def resume_info(w, route):
    _, text, _ = w.alike(
        lambda place: w.ask("GET", f"/resume_info/{place}/s"), 200
    )
    assert json.loads(text)["received_chunks"] == []


def cancel(w, route):
    for name in ("s", "t", "live", "x"):
        w.alike(
            lambda place, n=name: w.ask("POST", f"/cancel/{place}/{n}"), 403
        )


def tus_create(w, route):
    def create(name=None, **fields):
        headers = {**V, **fields}
        if name is not None:
            headers["Upload-Metadata"] = metadata(filename=name)
        return w.ask("POST", route.path, headers)

    length = {"Upload-Length": "3"}
    w.alike(lambda place: create(f"{place}/new", **length), 403)
    expect.error(create(**length), 403)
    expect.error(create(**length, **PARTIAL), 403)
    # somebody else's bytes in a file of one's own
    for kind in ("part", "tus"):
        w.alike(
            lambda place, k=kind: create(
                "team/joined",
                **{"Upload-Concat": f"final;{w.url(place, k)}"},
            ),
            400,
            404,
        )
    expect.error(w.ask("GET", "/download/team/joined"), 404)


def tus_upload(w, route):
    method = route.override or route.method
    data = b"def" if method == "PATCH" else None
    headers = dict(route.fields)
    if method == "PATCH":
        headers |= {**BYTES, "Upload-Offset": "3"}
    for kind in ("tus", "part"):
        w.alike(
            lambda place, k=kind: w.ask(
                route.method, w.url(place, k), headers, data=data
            ),
            404,
        )


def download(w, route):
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
        w.alike(
            lambda place, h=headers: w.ask(
                route.method, f"/download/{place}/x", h
            ),
            404,
        )
    w.alike(
        lambda place: w.ask(
            route.method, f"/download/{place}/x?decrypt=false"
        ),
        404,
    )


def thumbnail(w, route):
    for suffix in ("", ".thumb.jpg"):
        w.alike(
            lambda place, s=suffix: w.ask(
                route.method, f"/thumbnail/{place}/pic.jpg{s}"
            ),
            404,
        )


def batch_get(w, route):
    for names in ("team/a,{}/x", "{}/x", "{}/x,{}/pic.jpg"):
        w.alike(
            lambda place, n=names: w.ask(
                route.method,
                f"/download_batch?files={n.replace('{}', place)}",
            ),
            404,
        )


def batch_post(w, route):
    w.alike(
        lambda place: w.ask(
            "POST",
            "/download_batch",
            json={"filenames": ["team/a", f"{place}/x"]},
        ),
        404,
    )


def described(w, route):
    for name in ("x", "pic.jpg"):
        w.alike(
            lambda place, n=name: w.ask(
                route.method, f"/metadata/{place}/{n}"
            ),
            404,
        )


def listing(w, route):
    if route.method == "HEAD":
        lengths = {
            w.ask("HEAD", f"/files?prefix={p}/").headers["Content-Length"]
            for p in (THERE, ABSENT)
        }
        assert len(lengths) == 1
        return
    for query in ("", "?sort=size", "?sort=newest", "?limit=1", "?prefix="):
        answer = w.tells_nothing(w.ask("GET", "/files" + query))
        found = [f["filename"] for f in answer["files"]]
        assert all(n.startswith("team/") for n in found)
    w.alike(lambda place: w.ask("GET", f"/files?prefix={place}/"), 200)


def remove(w, route):
    for name in ("x", "live", "pic.jpg"):
        w.alike(
            lambda place, n=name: w.ask("DELETE", f"/files/{place}/{n}"), 404
        )


def status_all(w, route):
    if route.method == "HEAD":
        return
    for query in ("", "?limit=1", "?limit=1000"):
        answer = w.tells_nothing(w.ask("GET", "/status" + query))
        names = {t["filename"] for t in answer["transfers"]}
        assert all(n.startswith("team/") for n in names)
        assert all(t["filename"].startswith("team/") for t in answer["queue"])
        assert answer["metadata"]["returned"] == len(names)
        assert answer["metadata"]["next_cursor"] is None


def status_one(w, route):
    for name in ("x", "live", "s", "t"):
        w.alike(
            lambda place, n=name: w.ask(route.method, f"/status/{place}/{n}"),
            404,
        )


def status_change(w, route):
    for name in ("live", "s", "t", "x"):
        w.alike(
            lambda place, n=name: w.ask(
                "PATCH", f"/status/{place}/{n}", json={"priority": 1}
            ),
            403,
            404,
        )


def history(w, route):
    if route.method == "HEAD":
        return
    own = w.tells_nothing(w.ask("GET", "/history"))
    names = [e["filename"] for e in own["entries"]]
    assert all(n.startswith("team/") for n in names)
    assert own["total_count"] == len(names)
    for query in ("?status=uploading", "?offset=1000"):
        w.tells_nothing(w.ask("GET", "/history" + query))
    w.alike(lambda place: w.ask("GET", f"/history?filename={place}/x"), 200)


def events(w, route):
    if route.method == "HEAD":
        return
    expect.error(w.ask("GET", "/events?stats=1"), 403, "forbidden")
    # a stream ends with its key, so that one knows that nothing more comes
    for query in ("", "?file=secret/y"):
        made = w.server.post(
            "/generate_key", json={"prefix": "team/"}, headers=w.admin
        ).json()
        with Stream(w.server, query, ("X-API-Key", made["api_key"])) as stream:
            w.server.put("secret/y", b"classified")
            w.server.delete("/files/secret/y", headers=w.admin)
            w.server.put("team/e", b"x")
            if not query:
                stream.until(is_completed("team/e"))
            w.server.delete(f"/keys/{made['id']}", headers=w.admin)
            seen = []
            while not seen or seen[-1][1] != "error":
                seen.append(stream.event())
        assert "secret" not in str(seen)
        if query:
            assert len(seen) == 1


def socket(w, route):
    if route.method == "HEAD":
        return
    names = []
    for client in (Polling(w.server), WebSocket(w.server)):
        assert client.connect({"apiKey": w.team["X-API-Key"]})[:2] == "40"
        if isinstance(client, Polling):
            client.send('42["subscribe_all"]')
            client.send('42["subscribe_status",{"filename":"secret/y"}]')
            w.server.put("secret/y", b"classified")
            w.server.put("team/w", b"x")
            seen = []
            while not any('"team/w"' in p for p in seen):
                seen += client.packets()
            names += seen
            continue
        client.emit("subscribe_stats", ack=1)
        assert client.event("error")["code"] == "forbidden"
        assert client.reply().startswith("431[{")
        client.subscribe("subscribe_all")
        client.emit("subscribe_status", {"filename": "secret/y"}, ack=2)
        names += client.until(lambda p: p.startswith("432"))
        w.server.put("secret/y", b"classified")
        w.server.put("team/v", b"x")
        names += client.until(lambda p: '"team/v"' in p)
        client.close()
    w.server.delete("/files/secret/y", headers=w.admin)
    assert "secret" not in str(names)


def socket_of_another(w, route):
    """A session is its client's alone: who knows its id has it, and nobody
    finds that out."""
    for transport in ("polling", "websocket"):
        answer = w.ask("GET", f"{PATH}{transport}&sid={'A' * 20}")
        assert answer.status_code == 400
    socket(w, route)


PROBES = {
    "GET /health": public,
    "POST /upload": upload_form,
    "POST /upload_batch": upload_batch,
    "PUT /upload/<name>": upload_raw,
    "POST /upload_chunk": upload_chunk,
    "GET /resume_info/<name>": resume_info,
    "POST /cancel/<name>": cancel,
    "OPTIONS /tus": public,
    "OPTIONS /tus/": public,
    "OPTIONS /tus/<id>": public,
    "POST /tus": tus_create,
    "POST /tus/": tus_create,
    "HEAD /tus/<id>": tus_upload,
    "PATCH /tus/<id>": tus_upload,
    "DELETE /tus/<id>": tus_upload,
    "GET /download/<name>": download,
    "GET /thumbnail/<image>": thumbnail,
    "GET /download_batch": batch_get,
    "POST /download_batch": batch_post,
    "GET /metadata/<name>": described,
    "GET /files": listing,
    "DELETE /files/<name>": remove,
    "GET /status": status_all,
    "GET /status/<name>": status_one,
    "PATCH /status/<name>": status_change,
    "GET /history": history,
    "GET /stats": sums,
    "GET /clients": sums,
    "GET /events": events,
    "GET /socket.io/": socket,
    "POST /socket.io/": socket_of_another,
    "POST /ping": public,
    "POST /generate_key": admins,
    "GET /keys": admins,
    "DELETE /keys/<id>": admins,
}


def probe_of(route):
    """A HEAD is probed as its GET, what a POST stands for as that."""
    method = route.override or route.method
    found = PROBES.get(f"{method} {route.path}")
    if found is None and method == "HEAD":
        found = PROBES.get(f"GET {route.path}")
    return found


@pytest.mark.parametrize("route", routes.variants(), ids=str)
def test_what_lies_outside_does_not_exist(world, route):
    probe = probe_of(route)
    assert probe is not None, f"PROBES lacks {route}"
    if route.method == "HEAD" and probe in (sums, admins):
        assert world.ask("HEAD", route.target()).status_code == 403
        return
    probe(world, route)
