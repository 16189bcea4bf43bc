# SPDX-License-Identifier: MIT
"""GET /files and DELETE /files/<filename>."""

import threading
import time
from urllib.parse import quote

import pytest

import expect


def files(server, query="", **options):
    response = server.get(f"/files{query}", **options)
    assert response.status_code == 200, response.text
    return expect.is_json(response)


def names(answer):
    return [f["filename"] for f in answer["files"]]


def pages(server, query, between=lambda: None, **options):
    """All names, page by page."""
    got = []
    cursor = None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        answer = files(server, query + more, **options)
        got.append(names(answer))
        cursor = answer["next_cursor"]
        if cursor is None:
            return got
        between()


def remove(server, name, **options):
    options.setdefault("headers", server.as_admin)
    return server.delete(f"/files/{quote(name)}", **options)


@pytest.fixture
def filled(start):
    server = start()
    assert files(server) == {"files": [], "next_cursor": None}
    for name, size in [
        ("b/2.txt", 30),
        ("B", 0),
        ("a", 20),
        ("b/1", 30),
        ("é", 10),
        ("b", 5),
    ]:
        assert server.put(name, b"x" * size).status_code == 201
        # so that no two have the same time
        now = time.time_ns() // 10**6
        expect.until(lambda: time.time_ns() // 10**6 > now, every=0.0005)
    return server


def test_fields(filled):
    data = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    filled.put("a", b"before")
    filled.put("a", data, "?encryption=true")
    (one,) = files(filled, "?prefix=a")["files"]
    assert one["filename"] == "a"
    assert one["size"] == len(data)
    assert one["hash"] == expect.sha256(data)
    assert one["mime_type"] == "image/png"
    assert one["encryption"] is True
    assert expect.is_time(one["created"]) and expect.is_time(one["modified"])
    assert one["created"] < one["modified"]
    assert one["thumbnail"] == "a.thumb.jpg"
    (other,) = files(filled, "?prefix=b/1")["files"]
    assert other["thumbnail"] is None


@pytest.mark.parametrize(
    "query, found",
    [
        ("", ["B", "a", "b", "b/1", "b/2.txt", "é"]),
        ("?sort=name", ["B", "a", "b", "b/1", "b/2.txt", "é"]),
        ("?sort=newest", ["b", "é", "b/1", "a", "B", "b/2.txt"]),
        ("?sort=size", ["b/2.txt", "b/1", "a", "é", "b", "B"]),
        ("?prefix=", ["B", "a", "b", "b/1", "b/2.txt", "é"]),
        ("?prefix=b", ["b", "b/1", "b/2.txt"]),
        ("?prefix=b/", ["b/1", "b/2.txt"]),
        ("?prefix=b%2F&sort=newest", ["b/1", "b/2.txt"]),
        ("?prefix=b/2.", ["b/2.txt"]),
        ("?prefix=b/2.txt", ["b/2.txt"]),
        ("?prefix=%C3%A9", ["é"]),
        ("?prefix=e%CC%81", ["é"]),
        ("?prefix=.", []),
        ("?prefix=c", []),
        ("?limit=1000", ["B", "a", "b", "b/1", "b/2.txt", "é"]),
    ],
)
def test_orders_and_prefixes(filled, query, found):
    answer = files(filled, query)
    assert names(answer) == found
    assert answer["next_cursor"] is None


@pytest.mark.parametrize("order", ["name", "newest", "size"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_are_the_whole(filled, order, limit):
    whole = names(files(filled, f"?sort={order}"))
    got = pages(filled, f"?sort={order}&limit={limit}")
    assert [len(p) for p in got[:-1]] == [limit] * (len(got) - 1)
    assert [n for p in got for n in p] == whole
    assert got[-1]


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=1001",
        "?limit=-1",
        "?limit=x",
        "?sort=oldest",
        "?sort=NAME",
        "?cursor=x",
        "?cursor=00",
        "?cursor=6e303a",  # n0:
        "?cursor=74313a61",  # of another order
        "?cursor=6e303aff",  # not UTF-8
        "?cursor=6e783a61",  # no number
        "?cursor=6e303a" + "61" * 2000,
        "?cursor=%FF",
        "?prefix=a%00",
    ],
)
def test_bad_questions(filled, query):
    expect.error(filled.get(f"/files{query}"), 400, "invalid_parameter")


@pytest.mark.parametrize("prefix", ["%FF", "/", "a//", "../", "a%5C"])
def test_what_no_name_begins_with(filled, prefix):
    response = filled.get(f"/files?prefix={prefix}")
    expect.error(response, 400, "invalid_filename")


def test_stable_under_changes(start):
    """No file that stays is missed or shown twice."""
    server = start()
    staying = {f"s{i:03}" for i in range(120)}
    for name in sorted(staying):
        assert server.put(name, name.encode() * (hash(name) % 7)).ok
    stop = threading.Event()
    changes = 0

    def change():
        nonlocal changes
        while not stop.is_set():
            name = f"s{changes * 37 % 120:03}-{changes % 10}"
            assert server.put(name, b"x" * (changes % 30)).ok
            if changes % 3:
                assert remove(server, name).status_code == 204
            changes += 1

    thread = threading.Thread(target=change)
    thread.start()

    def something_changes():
        before = changes
        expect.until(lambda: changes > before)

    try:
        for order in ("name", "newest", "size"):
            got = pages(
                server, f"?sort={order}&limit=7", between=something_changes
            )
            seen = [n for p in got for n in p]
            kept = [n for n in seen if n in staying]
            assert len(kept) == len(set(kept))
            assert set(kept) == staying
    finally:
        stop.set()
        thread.join()


def test_removing(filled):
    data = b"something new" * 100
    filled.put("a", data)
    response = remove(filled, "a")
    assert response.status_code == 204
    assert response.content == b""
    assert filled.lacks("a")
    assert "a" not in names(files(filled))
    expect.error(remove(filled, "a"), 404, "file_not_found")
    # what was moved stays on record
    assert filled.status("a")["status"] == "completed"
    # only that one
    assert filled.has("b", b"x" * 5)
    assert remove(filled, "b").status_code == 204
    assert filled.has("b/1", b"x" * 30)
    # and the name is free again
    assert filled.put("a", b"again", "?if_exists=error").status_code == 201


@pytest.mark.parametrize("query", ["", "?encryption=true"])
def test_the_bytes_go(start, query):
    server = start()
    server.put("a", b"x" * 5000, query)
    assert len(server.files_below("objects")) == 1
    assert remove(server, "a").status_code == 204
    expect.until(lambda: server.files_below("objects") == [])
    server.restart()
    assert server.lacks("a")
    assert files(server)["files"] == []


def test_downloads_go_on(start):
    server = start()
    data = bytes(range(256)) * 40000
    server.put("a", data)
    response = server.get("/download/a", stream=True)
    first = response.raw.read(1000)
    assert remove(server, "a").status_code == 204
    assert server.lacks("a")
    assert first + response.raw.read() == data
    expect.until(lambda: server.files_below("objects") == [])


def test_bad_names(server, admin):
    for name in ("/files/a%5Cb", "/files/a%00", "/files/a//b", "/files/%FF"):
        response = server.delete(name, headers=admin)
        expect.error(response, 400, "invalid_filename")


def new_key(server, **wishes):
    response = server.post(
        "/generate_key", json=wishes, headers=server.as_admin
    )
    return {"X-API-Key": response.json()["api_key"]}


def test_rights(filled):
    expect.error(remove(filled, "a", headers={}), 401)
    reader = new_key(filled, scopes=["read"])
    writer = new_key(filled, scopes=["write"])
    expect.error(remove(filled, "a", headers=reader), 403)
    expect.error(filled.get("/files", headers=writer), 403)
    assert filled.has("a", b"x" * 20)
    assert len(files(filled, headers=reader)["files"]) == 6
    assert remove(filled, "a", headers=writer).status_code == 204


def test_keys_with_a_prefix(filled):
    key = new_key(filled, prefix="b/")
    assert names(files(filled, headers=key)) == ["b/1", "b/2.txt"]
    got = pages(filled, "?sort=size&limit=1", headers=key)
    assert got == [["b/2.txt"], ["b/1"]]
    assert files(filled, "?prefix=a", headers=key)["files"] == []
    assert names(files(filled, "?prefix=b/2", headers=key)) == ["b/2.txt"]
    for name in ("a", "b", "none"):
        response = remove(filled, name, headers=key)
        expect.error(response, 404, "file_not_found")
    assert filled.has("a", b"x" * 20)
    assert remove(filled, "b/1", headers=key).status_code == 204


def test_a_key_for_all(start):
    server = start(REQUIRE_API_KEY="true")
    expect.error(server.get("/files"), 401)
    assert files(server, headers=server.as_admin)["files"] == []


def test_methods(server):
    response = server.post("/files")
    expect.error(response, 405)
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    response = server.get("/files/a")
    expect.error(response, 405)
    assert response.headers["Allow"] == "DELETE, OPTIONS"
    response = server.head("/files")
    assert response.status_code == 200 and response.content == b""
