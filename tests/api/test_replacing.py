# SPDX-License-Identifier: MIT
"""Uploads to a name that exists."""

import random
import threading

import pytest

import expect
import form
import tus
from chunks import Upload, completed, good
from raw import head

OLD = b"old " * 1000
NEW = b"new " * 2000


def test_a_form_replaces(server, name):
    server.form(name, OLD)
    expect.uploaded(server.form(name, NEW), name, NEW)
    assert server.has(name, NEW)


def test_the_old_file_stays_until_the_new_one_is_whole(server, name):
    expect.uploaded(server.put(name, OLD), name, OLD, status=201)
    data = random.Random(5).randbytes(1 << 20)
    with server.raw() as raw:
        fields = ("Content-Length", len(data))
        raw.send(head("PUT", f"/upload/{name}", fields) + data[: 1 << 19])
        expect.until(
            lambda: server.status(name)["transferred_bytes"] >= 1 << 19
        )
        assert server.has(name, OLD)
        raw.send(data[1 << 19 :])
        expect.uploaded(raw.response(), name, data, status=200)
    assert server.has(name, data)


def test_a_download_under_way_keeps_the_old_bytes(server, name):
    old = random.Random(6).randbytes(24 << 20)
    expect.uploaded(server.put(name, old), name, old, status=201)
    with server.raw(receive_buffer=65536) as raw:
        raw.request("GET", f"/download/{name}")
        answer = raw.response_head()
        assert answer.status_code == 200
        first = raw.read(100_000)
        for _ in range(3):
            expect.uploaded(server.put(name, NEW), name, NEW, status=200)
        assert server.has(name, NEW)
        rest = raw.read(len(old) - len(first))
        assert first + rest == old
        assert raw.ask("GET", f"/download/{name}").content == NEW


ERROR = "if_exists=error"


def test_if_exists_error_in_the_query_of_put(server, name):
    url = f"?{ERROR}"
    expect.uploaded(server.put(name, OLD, url), name, OLD, status=201)
    expect.error(server.put(name, NEW, url), 409, "file_exists")
    assert server.has(name, OLD)


@pytest.mark.parametrize("where", ["before", "after", "query"])
def test_if_exists_error_in_a_form(server, name, where):
    expect.uploaded(server.put(name, OLD), name, OLD, status=201)
    parts = [form.file(NEW, name)]
    path = "/upload"
    if where == "before":
        parts.insert(0, form.part("if_exists", "error"))
    elif where == "after":
        parts.append(form.part("if_exists", "error"))
    else:
        path += f"?{ERROR}"
    expect.error(form.post(server, *parts, path=path), 409, "file_exists")
    assert server.has(name, OLD)


@pytest.mark.parametrize("where", ["field", "query"])
def test_if_exists_error_of_chunks(server, name, where):
    server.put(name, OLD)
    more = {"if_exists": "error"} if where == "field" else {}
    up = Upload(server, name, [NEW, NEW], **more)
    up.path += f"?{ERROR}" if where == "query" else ""
    expect.error(up.send(0), 409, "file_exists")
    assert up.resume_info()["can_resume"] is False
    assert server.status(name)["status"] == "completed"
    assert server.has(name, OLD)
    up.name += "-new"
    good(up.send(0))
    completed(up.send(1), up)
    # whoever sends the last one again is told the same
    completed(up.send(1), up)


def test_if_exists_error_of_chunks_when_a_file_comes_meanwhile(server, name):
    up = Upload(server, name, [NEW, NEW])
    good(up.send(0, if_exists="error"))
    server.put(name, OLD)
    # once said is said
    expect.error(up.send(1), 409, "file_exists")
    assert server.has(name, OLD)
    response = server.get(f"/history?filename={name}&direction=upload")
    ended = [t["status"] for t in response.json()["entries"]]
    assert sorted(ended) == ["completed", "failed"]
    # then it is another upload
    good(up.send(0))
    completed(up.send(1), up)


def test_if_exists_error_of_chunks_survives_a_restart(start):
    own = start()
    up = Upload(own, "a", [NEW, NEW])
    good(up.send(0, if_exists="error"))
    url = tus.begin(own, len(NEW), filename="b", if_exists="error")
    tus.appended(tus.patch(own, url, 0, NEW[:3]), 3)
    own.restart()
    own.put("a", OLD)
    own.put("b", OLD)
    up.server = own
    expect.error(up.send(1), 409, "file_exists")
    expect.error(tus.patch(own, url, 3, NEW[3:]), 409, "file_exists")
    assert own.has("a", OLD)
    assert own.has("b", OLD)


@pytest.mark.parametrize("value", ["ask", "ERROR", "error,replace"])
def test_if_exists_of_chunks_is_one_of_two(server, name, value):
    server.put(name, OLD)
    up = Upload(server, name, [NEW])
    expect.error(up.send(0, if_exists=value), 400, "invalid_parameter")
    up.path += "?if_exists=replace"
    answer = up.send(0, if_exists="error")
    expect.error(answer, 400, "invalid_parameter")
    assert server.has(name, OLD)
    completed(up.send(0, if_exists="replace"), up)


@pytest.mark.parametrize("where", ["metadata", "query"])
def test_if_exists_error_of_tus(server, name, where):
    server.put(name, OLD)
    pairs = {"filename": name}
    if where == "metadata":
        pairs["if_exists"] = "error"
    path = f"/tus/?{ERROR}" if where == "query" else "/tus/"

    def create(length, headers=None):
        fields = {**tus.V, **(headers or {})}
        fields["Upload-Metadata"] = tus.metadata(**pairs)
        if length is not None:
            fields["Upload-Length"] = str(length)
        return server.post(path, headers=fields)

    expect.error(create(len(NEW)), 409, "file_exists")
    # a part is no file; what is made of it is
    part = create(len(NEW), tus.PARTIAL)
    assert part.status_code == 201
    part = part.headers["Location"]
    tus.appended(tus.patch(server, part, 0, NEW), len(NEW))
    concat = {"Upload-Concat": f"final;{part}"}
    expect.error(create(None, concat), 409, "file_exists")
    assert server.has(name, OLD)
    pairs["filename"] += "-new"
    assert create(None, concat).status_code == 201
    assert server.has(name + "-new", NEW)


@pytest.mark.parametrize("path", ["/tus/?if_exists=ask", "/tus/"])
def test_if_exists_of_tus_is_one_of_two(server, name, path):
    pairs = {"filename": name}
    if "?" not in path:
        pairs["if_exists"] = "ask"
    fields = {
        **tus.V,
        "Upload-Length": "3",
        "Upload-Metadata": tus.metadata(**pairs),
    }
    answer = server.post(path, headers=fields)
    expect.error(answer, 400, "invalid_parameter")


def test_if_exists_replace_replaces(server, name):
    expect.uploaded(server.put(name, OLD), name, OLD, status=201)
    response = server.put(name, NEW, "?if_exists=replace")
    expect.uploaded(response, name, NEW, status=200)


def test_if_exists_error_looks_at_the_normalised_name(server, names):
    top = names("")
    server.put(f"{top}/\u00e9", OLD)
    response = server.put(f"{top}/e\u0301", NEW, f"?{ERROR}")
    expect.error(response, 409, "file_exists")


@pytest.mark.tsan
def test_of_many_at_once_with_if_exists_error_one_wins(server, name):
    n = 8
    bodies = [bytes([65 + i]) * 200_000 for i in range(n)]
    answers = [None] * n
    barrier = threading.Barrier(n)

    def upload(i):
        barrier.wait()
        answers[i] = server.put(name, bodies[i], f"?{ERROR}")

    threads = [threading.Thread(target=upload, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    winners = [i for i in range(n) if answers[i].status_code == 201]
    assert len(winners) == 1, [a.status_code for a in answers]
    for i in range(n):
        if i not in winners:
            expect.error(answers[i], 409, "file_exists")
    assert server.has(name, bodies[winners[0]])


@pytest.mark.tsan
def test_readers_see_one_whole_version_while_writers_replace(server, name):
    versions = [bytes([65 + i]) * 300_000 for i in range(4)]
    server.put(name, versions[0])
    done = threading.Event()
    bad = []

    def read():
        while not done.is_set():
            content = server.download(name).content
            if content not in versions:
                bad.append(content[:100])

    readers = [threading.Thread(target=read) for _ in range(3)]
    for t in readers:
        t.start()
    for i in range(24):
        data = versions[i % 4]
        expect.uploaded(server.put(name, data), name, data, status=200)
    done.set()
    for t in readers:
        t.join()
    assert not bad
