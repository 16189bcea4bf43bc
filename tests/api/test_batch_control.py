# SPDX-License-Identifier: MIT
"""A batch under way: what is seen of it, cancelling one file of it, breaking
it off, its turn, and its plaintext."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

import batches
import expect
import form
from chunks import good
from movers import Mover
from queueing import one_place, patch, put, queue, queued, state
from raw import head

MARK = b"the-plaintext-that-no-disk-may-see-"
WAYS = ["", "?encryption=false", "?encryption=true"]


def data_of(size):
    return random.Random(size).randbytes(size)


def cancel(server, name):
    return server.post(f"/cancel/{name}", headers=server.as_admin)


class Slow:
    """A batch that is sent bit by bit; it has length bytes more than are
    given."""

    def __init__(self, server, query="", length=None, receive=None):
        self.raw = server.raw()
        fields = [
            ("Content-Type", form.content_type()),
            *server.as_admin.items(),
        ]
        if length is None:
            fields.append(("Transfer-Encoding", "chunked"))
        else:
            fields.append(("Content-Length", length))
        self.is_chunked = length is None
        self.raw.send(head("POST", "/upload_batch" + query, *fields))

    def send(self, data):
        if self.is_chunked:
            self.raw.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        else:
            self.raw.send(data)

    def begin(self, name, data):
        """A part, but for its end."""
        text = b"--" + form.BOUNDARY.encode() + b"\r\n"
        self.send(text + form.part("files", data, name))

    def end_part(self):
        self.send(b"\r\n")

    def file(self, name, data):
        self.begin(name, data)
        self.end_part()

    def finish(self):
        self.send(b"--" + form.BOUNDARY.encode() + b"--\r\n")
        self.raw.send(b"0\r\n\r\n")
        return self.raw.response("POST")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


def taken(server, name, n):
    """Has the server taken so much of it?"""
    expect.until(
        lambda: state(server, name) == "uploading"
        and server.status(name)["transferred_bytes"] >= n
    )


@pytest.mark.parametrize("query", WAYS)
def test_each_file_is_seen_and_nothing_is_there_before_the_end(
    server, admin, names, query
):
    first, second = names(), names()
    old = b"the old one"
    server.put(first, old)
    data = data_of(300_000)
    with Slow(server, query) as slow:
        slow.file(first, data)
        slow.begin(second, data[:200_000])
        taken(server, second, 150_000)
        assert state(server, first) == "uploading"
        assert server.status(first)["transferred_bytes"] == len(data)
        assert server.has(first, old) and server.lacks(second)
        slow.send(data[200_000:])
        slow.end_part()
        batches.stored(
            server, slow.finish(), {first: data, second: data}
        )
    assert state(server, first) == state(server, second) == "completed"


@pytest.mark.parametrize("query", WAYS)
@pytest.mark.parametrize("how", ["closed", "reset"])
def test_who_breaks_off_leaves_nothing(start, query, how):
    own = start()
    own.put("kept", b"kept")
    data = data_of(300_000)
    with Slow(own, query) as slow:
        slow.file("kept", data)
        slow.file("small", b"small")
        slow.begin("current", data)
        taken(own, "current", 250_000)
        if how == "reset":
            slow.raw.reset()
    expect.until(lambda: state(own, "current") == "interrupted")
    for name in ("kept", "small"):
        expect.until(lambda: state(own, name) == "interrupted")
    assert own.has("kept", b"kept")
    assert own.lacks("small") and own.lacks("current")
    assert own.files_below("temp") == []
    expect.until(lambda: len(own.files_below("objects")) == 1)


def test_who_stalls_leaves_nothing(start):
    own = start(STALL_TIMEOUT="1s")
    with Slow(own) as slow:
        slow.file("a", b"a")
        slow.begin("b", data_of(100_000))
        expect.until(lambda: state(own, "b") == "interrupted")
    expect.until(lambda: state(own, "a") == "interrupted")
    assert own.lacks("a") and own.files_below("objects") == []


# --- cancelling ---------------------------------------------------------------


@pytest.mark.parametrize("query", WAYS)
def test_one_is_cancelled_while_its_bytes_come(start, query):
    """Though its client is silent; the rest of its bytes is of no use."""
    own = start()
    own.put("b", b"old")
    data = data_of(300_000)
    with Slow(own, query) as slow:
        slow.file("a", data)
        slow.begin("b", data[:200_000])
        taken(own, "b", 150_000)
        assert good(cancel(own, "b"))["cancelled"] == 1
        assert state(own, "b") == "cancelled"
        slow.send(data[200_000:])
        slow.end_part()
        slow.file("c", data)
        body = batches.answer(slow.finish())
    assert [r.get("code") for r in body["results"]] == [
        None,
        "cancelled",
        None,
    ]
    assert own.has("a", data) and own.has("b", b"old") and own.has("c", data)
    assert state(own, "b") == "cancelled"
    assert own.files_below("temp") == []
    expect.until(lambda: len(own.files_below("objects")) == 3)


@pytest.mark.parametrize("query", WAYS)
def test_one_is_cancelled_whose_bytes_have_come(start, query):
    own = start()
    data = data_of(300_000)
    with Slow(own, query) as slow:
        slow.file("a", data)
        slow.file("b", b"b")
        slow.begin("c", data)
        taken(own, "c", 200_000)
        assert good(cancel(own, "a"))["cancelled"] == 1
        assert state(own, "a") == "cancelled"
        slow.end_part()
        body = batches.answer(slow.finish())
    assert [r.get("code") for r in body["results"]] == [
        "cancelled",
        None,
        None,
    ]
    assert own.lacks("a") and own.has("b", b"b") and own.has("c", data)
    expect.error(cancel(own, "a"), 404, "no_active_transfer")
    assert own.files_below("temp") == []
    expect.until(lambda: len(own.files_below("objects")) == 2)


def test_all_of_them_are_cancelled(start):
    own = start()
    with Slow(own) as slow:
        slow.file("a", b"a")
        slow.begin("b", b"b")
        expect.until(lambda: state(own, "b") == "uploading")
        good(cancel(own, "a"))
        good(cancel(own, "b"))
        slow.end_part()
        body = batches.answer(slow.finish())
    assert body["failed"] == 2 and body["success"] is False
    assert own.files_below("objects") == own.files_below("temp") == []


# --- many at once -------------------------------------------------------------


@pytest.mark.tsan
def test_batches_of_the_same_names_do_not_mix(start):
    """Whichever comes last, all of its files are there, and no other's; a
    file that is cancelled meanwhile is missing in none or one."""
    own = start()
    names = [f"f{i}" for i in range(40)]

    def send(i):
        parts = batches.files({n: f"{i}:{n}".encode() * 500 for n in names})
        query = WAYS[i % len(WAYS)]
        body = batches.answer(batches.post(own, *parts, query=query))
        assert all(
            r["status"] == "success" or r["code"] == "cancelled"
            for r in body["results"]
        )
        return body["successful"]

    def disturb(_):
        return cancel(own, names[7]).status_code

    with ThreadPoolExecutor(10) as pool:
        sent = [pool.submit(send, i) for i in range(8)]
        told = [pool.submit(disturb, i) for i in range(8)]
        assert all(f.result() >= len(names) - 1 for f in sent)
        assert {f.result() for f in told} <= {200, 404}
    owners = {
        own.download(n).content.split(b":")[0] for n in names if n != names[7]
    }
    assert len(owners) == 1
    assert own.files_below("temp") == []


# --- its turn -----------------------------------------------------------------


def big(pairs):
    return form.body(*batches.files(pairs))


def post_raw(server, body, query="", cut=0):
    """Its last cut bytes are not sent."""
    raw = server.raw()
    raw.send(
        head(
            "POST",
            "/upload_batch" + query,
            ("Content-Type", form.content_type()),
            ("Content-Length", len(body)),
            *server.as_admin.items(),
        )
        + body[: len(body) - cut]
    )
    return raw


@pytest.fixture
def busy(start):
    """A server whose one place is taken; release() gives it back."""
    own = one_place(start)
    with Mover(own, "held") as held:
        own.release = held.finish
        yield own


class BatchMover(Mover):
    """The same as a batch."""

    method = "POST"

    def request(self, name, size, query):
        files = [(name, bytes(size)), ("second", b"2")]
        self.data = big(files)
        return head(
            "POST",
            "/upload_batch" + query,
            ("Content-Type", form.content_type()),
            ("Content-Length", len(self.data)),
            *self.server.as_admin.items(),
        )


def test_a_batch_counts_as_one(busy):
    data = data_of(100_000)
    files = {f"f{i}": data for i in range(5)}
    with post_raw(busy, big(files)) as raw:
        queued(busy, "f0")
        assert queue(busy) == {"f0": 1}
        busy.release()
        batches.stored(busy, raw.response("POST"), files)


def test_a_small_one_needs_no_place(busy):
    files = {f"f{i}": b"x" * 100 for i in range(5)}
    batches.stored(busy, batches.post(busy, *batches.files(files)), files)


def test_the_first_is_cancelled_while_it_waits(busy):
    data = data_of(100_000)
    pairs = [("a", data), ("b", data), ("c", data)]
    with post_raw(busy, big(pairs)) as raw:
        queued(busy, "a")
        assert good(cancel(busy, "a"))["cancelled"] == 1
        assert state(busy, "a") == "cancelled"
        busy.release()
        body = batches.answer(raw.response("POST"))
    assert [r.get("code") for r in body["results"]] == [
        "cancelled",
        None,
        None,
    ]
    assert busy.lacks("a") and busy.has("b", data) and busy.has("c", data)


def test_who_goes_while_it_waits(busy):
    with post_raw(busy, big([("a", data_of(100_000))]), cut=10):
        queued(busy, "a")
    expect.until(lambda: state(busy, "a") == "interrupted")
    busy.release()
    assert busy.lacks("a")


def test_a_higher_priority_goes_first(busy):
    data = data_of(100_000)
    with post_raw(busy, big([("low", data)])) as low, post_raw(
        busy, big([("high", data)]), "?priority=5"
    ) as high:
        queued(busy, "low")
        queued(busy, "high")
        assert queue(busy) == {"high": 1, "low": 2}
        good(patch(busy, "low", json={"priority": 9}))
        assert queue(busy) == {"low": 1, "high": 2}
        busy.release()
        batches.answer(low.response("POST"))
        batches.answer(high.response("POST"))
    assert busy.status("low")["priority"] == 9


def test_a_put_waits_for_a_batch(start):
    own = one_place(start)
    with BatchMover(own, "first") as first, put(own, "after") as raw:
        queued(own, "after")
        assert batches.answer(first.finish())["successful"] == 2
        assert raw.response("PUT").status_code == 201


# --- plaintext ----------------------------------------------------------------


def marked(size):
    return (MARK * (size // len(MARK) + 1))[:size]


def places_with_plaintext(server):
    return [
        str(path)
        for path in server.place.rglob("*")
        if path.is_file() and MARK in path.read_bytes()
    ]


@pytest.mark.parametrize("query", ["", "?encryption=true"])
@pytest.mark.parametrize("size", [5_000, 3_000_000])
def test_plaintext_reaches_no_file(start, query, size):
    """Though the last part alone says that it is to be encrypted."""
    own = start()
    data = marked(size)
    files = {f"f{i}": data for i in range(20)}
    with Slow(own, query) as slow:
        for name in files:
            slow.file(name, data)
        slow.begin("last", data)
        taken(own, "last", size - 20_000)
        assert places_with_plaintext(own) == []
        slow.end_part()
        slow.send(
            b"--" + form.BOUNDARY.encode() + b"\r\n"
            + form.part("encryption", "true") + b"\r\n"
        )
        batches.stored(own, slow.finish(), files)
    assert places_with_plaintext(own) == []
    own.stop()
    assert places_with_plaintext(own) == []


def test_more_than_memory_holds_of_the_undecided(start):
    """They are stored sealed, and plain in the end."""
    own = start()
    files = {f"f{i}": data_of(1_000_000 + i) for i in range(50)}
    response = batches.post(own, *batches.files(files))
    batches.stored(own, response, files)
    sizes = sorted(len(data) for data in files.values())

    def lying():
        return sorted(
            (own.storage / path).stat().st_size
            for path in own.files_below("objects")
        )

    expect.until(lambda: lying() == sizes)
