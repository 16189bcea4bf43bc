# SPDX-License-Identifier: MIT
"""sft upload --chunked: what is sent, how, and what is not sent twice."""

import hashlib
import json
import os
import signal
import threading
import time

import pytest
from fake_server import Handler, answered, error, hang, reset

MIB = 1 << 20
KIB = 1 << 10


def numbers(fake):
    return sorted(number for number, _, _ in fake.chunks)


def paths(fake):
    return [(method, path) for method, path, _ in fake.requests]


def in_chunks(fake, name, content, size, there=()):
    """An upload under way on the server, of which these chunks are there."""
    total = -(-len(content) // size)
    fake.sessions[name] = {
        "total": total,
        "chunks": {i: content[i * size : (i + 1) * size] for i in there},
    }


def failing(times, behave):
    """The first so many requests are dealt with so, the rest are not."""
    lock = threading.Lock()
    left = [times]

    def behaviour(handler):
        with lock:
            left[0] -= 1
            is_one = left[0] >= 0
        if is_one:
            behave(handler)
        else:
            handler.upload_chunk("", {})

    return behaviour


def test_sends_chunks(sft, fake):
    content = os.urandom(10 * KIB + 7)
    name = sft.file("写真 a.bin", content)
    result = sft("upload", name, "--chunk-size", "4096", "--parallel", "3")
    assert result.status == 0, result
    assert result.out == f"uploaded {name} (10.0 KiB)\n"
    assert result.err == ""
    assert fake.files == {name: content}
    assert numbers(fake) == [0, 1, 2]
    for number, size, fields in fake.chunks:
        assert size == (4096 if number < 2 else 10 * KIB + 7 - 8192)
        assert fields["filename"] == name
        assert fields["total_chunks"] == "3"
        assert fields["total_size"] == str(len(content))
        assert fields["encryption"] == "false"
        assert "priority" not in fields
        assert "client_id" not in fields
    hashes = {f.get("file_hash") for _, _, f in fake.chunks} - {None}
    assert hashes == {hashlib.sha256(content).hexdigest()}


def test_passes_options_on(sft, fake):
    result = sft(
        *("upload", sft.file("a"), "--chunked", "--encrypt"),
        *("--priority", "7", "--client-id", "me", "--filename", "x/b"),
    )
    assert result.status == 0, result
    (_, _, fields) = fake.chunks[0]
    assert fields["filename"] == "x/b"
    assert fields["encryption"] == "true"
    assert fields["priority"] == "7"
    assert fields["client_id"] == "me"


def test_an_empty_file_is_one_chunk(sft, fake):
    result = sft("upload", sft.file("empty", b""), "--chunked")
    assert result.status == 0, result
    assert fake.files == {"empty": b""}
    assert [(n, size) for n, size, _ in fake.chunks] == [(0, 0)]


def test_without_advice_8_mib(sft, fake):
    content = os.urandom(MIB) * 20
    result = sft("upload", sft.file("a", content), "--chunked")
    assert result.status == 0, result
    sizes = sorted(size for _, size, _ in fake.chunks)
    assert sizes == [4 * MIB, 8 * MIB, 8 * MIB]
    assert fake.files["a"] == content


def test_as_the_server_advises(sft, fake):
    advice = {"recommended_chunk_size": 2 * MIB, "recommended_parallel": 1}
    fake.on("POST", "/ping", answered(200, advice))
    content = os.urandom(MIB) * 5
    result = sft("upload", sft.file("a", content), "--chunked")
    assert result.status == 0, result
    assert [n for n, _, _ in fake.chunks] == [0, 1, 2]
    assert fake.chunks[0][1] == 2 * MIB


class Counting:
    """/upload_chunk, slow enough for several to come at once, and /ping, whose
    advice changes when it is asked again."""

    def __init__(self, fake, *advised):
        self.lock = threading.Lock()
        self.advised = list(advised)
        self.active = 0
        self.most = [0]  # at once, since each advice
        fake.on("POST", "/ping", self.ping)
        fake.on("POST", "/upload_chunk", self.chunk)

    def ping(self, handler):
        handler.read_body()
        with self.lock:
            n = self.advised.pop(0) if self.advised else None
            self.most.append(0)
        if n is None:
            handler.answer(404, error("not_found", "there is no such path"))
            return
        advice = {"recommended_chunk_size": 65536, "recommended_parallel": n}
        handler.answer(200, advice)

    def chunk(self, handler):
        with self.lock:
            self.active += 1
            self.most[-1] = max(self.most[-1], self.active)
        time.sleep(0.1)
        with self.lock:
            self.active -= 1
        Handler.upload_chunk(handler, "", {})


def test_it_follows_the_advice_while_it_runs(sft, fake):
    counting = Counting(fake, 1, 6)
    content = os.urandom(65536) * 80
    result = sft("upload", sft.file("a", content), "--chunked", "-v")
    assert result.status == 0, result
    assert fake.files["a"] == content
    assert counting.most[1] == 1
    assert 4 <= counting.most[2] <= 6
    assert "the server advises 6 chunks at once" in result.err
    # the first ones first, however many wait for their turns
    order = [n for n, _, _ in fake.chunks]
    assert max(abs(n - i) for i, n in enumerate(order)) <= 8
    # every chunk has the size that it began with
    assert {size for _, size, _ in fake.chunks} == {65536}


def test_a_given_number_at_once_stays(sft, fake):
    counting = Counting(fake, 6, 6)
    content = os.urandom(65536) * 80
    result = sft(
        *("upload", sft.file("a", content), "--chunked"), "--parallel=2"
    )
    assert result.status == 0, result
    assert counting.most == [0, 2]


def test_a_server_without_advice_is_asked_once(sft, fake):
    counting = Counting(fake)
    content = os.urandom(65536) * 160
    result = sft(
        *("upload", sft.file("a", content)), "--chunk-size=64K"
    )
    assert result.status == 0, result
    assert counting.most == [0, 4]


def test_a_server_that_hangs_at_ping_is_no_trouble(sft, fake):
    fake.on("POST", "/ping", hang)
    began = time.monotonic()
    assert sft("upload", sft.file("a"), "--chunked").status == 0
    assert time.monotonic() - began < 20


def test_advice_is_not_asked_for_without_need(sft, fake):
    result = sft(
        *("upload", sft.file("a"), "--chunk-size", "1024"),
        *("--parallel", "1"),
    )
    assert result.status == 0, result
    assert paths(fake) == [
        ("GET", "/resume_info/a"),
        ("POST", "/upload_chunk"),
    ]


@pytest.mark.parametrize("size,is_chunked", [(64, True), (63, False)])
def test_large_files_go_in_chunks_by_themselves(
    sft, fake, size, is_chunked
):
    path = sft.place / "large"
    with path.open("wb") as f:
        f.truncate(size * MIB)
    result = sft("upload", "large")
    assert result.status == 0, result
    assert bool(fake.chunks) == is_chunked
    assert len(fake.files["large"]) == size * MIB


@pytest.mark.parametrize("word", ["error", "replace"])
def test_files_that_must_be_new_go_in_chunks_too(sft, fake, word):
    data = os.urandom(3000)
    sft.file("a", data)
    command = ("upload", "a", "--chunk-size", "1K", "--if-exists", word)
    result = sft(*command)
    assert result.status == 0, result
    assert fake.files["a"] == data
    assert [form["if_exists"] for _, _, form in fake.chunks] == [word] * 3
    sentence = "a file named 'a' exists already"
    refused = answered(409, error("file_exists", sentence))
    fake.on("POST", "/upload_chunk", refused)
    result = sft(*command)
    assert result.status == 1
    assert sentence in result.err


@pytest.mark.parametrize(
    "options,words",
    [
        (("-", "--filename", "a", "--chunked"), "without --chunked"),
        (("a", "--chunk-size", "1023"), "--chunk-size"),
        (("a", "--chunk-size", "1025M"), "--chunk-size"),
        (("a", "--parallel", "0"), "--parallel"),
        (("a", "--parallel", "17"), "--parallel"),
        (("a", "--retry", "1001"), "--retry"),
    ],
)
def test_what_makes_no_sense(sft, fake, options, words):
    sft.file("a")
    result = sft("upload", *options)
    assert result.status == 2
    assert words in result.err
    assert fake.requests == []


@pytest.mark.parametrize("extra,status", [(0, 0), (1, 1)])
def test_a_million_chunks_at_most(sft, fake, extra, status):
    """One more is refused before anything is sent."""
    fake.on("POST", "/upload_chunk", answered(507, error("storage_full", "x")))
    with (sft.place / "huge").open("wb") as f:
        f.truncate(1_000_000 * 1024 + extra)
    result = sft(
        *("upload", "huge", "--chunk-size", "1024", "--parallel", "1"),
        "--json",
    )
    code = json.loads(result.out)["files"][0]["code"]
    assert code == ("usage" if extra else "storage_full")


def test_sends_only_what_is_missing(sft, fake):
    content = os.urandom(10 * 4096)
    in_chunks(fake, "a", content, 4096, there=(0, 1, 5, 9))
    result = sft("upload", sft.file("a", content), "--chunk-size", "4096")
    assert result.status == 0, result
    assert numbers(fake) == [2, 3, 4, 6, 7, 8]
    assert fake.files["a"] == content


@pytest.mark.parametrize("options", [(), ("--chunk-size", "65536")])
def test_goes_on_with_the_chunk_size_that_was_begun(sft, fake, options):
    content = os.urandom(10 * 4096)
    in_chunks(fake, "a", content, 4096, there=(0, 3))
    result = sft("upload", sft.file("a", content), "--chunked", *options)
    assert result.status == 0, result
    assert numbers(fake) == [1, 2, 4, 5, 6, 7, 8, 9]
    assert fake.files["a"] == content


def test_goes_on_with_the_chunk_size_that_the_server_says(sft, fake):
    content = os.urandom(7 * 5000)
    in_chunks(fake, "a", content, 5000, there=(6,))
    info = {
        "can_resume": True,
        "total_chunks": 7,
        "chunks_received": 1,
        "received_ranges": [[6, 6]],
        "chunk_size": 5000,
    }
    fake.on("GET", "/resume_info/a", answered(200, info))
    result = sft("upload", sft.file("a", content), "--chunked")
    assert result.status == 0, result
    assert numbers(fake) == [0, 1, 2, 3, 4, 5]
    assert fake.files["a"] == content


def test_another_upload_is_in_the_way(sft, fake):
    fake.sessions["a"] = {"total": 7000, "chunks": {}}
    result = sft("upload", sft.file("a"), "--chunked")
    assert result.status == 1
    assert "another upload of that file is under way" in result.err
    assert "'sft cancel NAME' ends the other upload" in result.err
    assert len(fake.chunks) == 1


def test_cancel(sft, fake):
    in_chunks(fake, "x y", b"12", 1)
    result = sft("cancel", "x y")
    assert result.status == 0, result
    assert result.out == "x y cancelled\n"
    result = sft("cancel", "x y")
    assert result.status == 4
    assert "nothing is under way for 'x y'" in result.err


def test_cancel_as_json(sft, fake):
    in_chunks(fake, "a", b"12", 1)
    result = sft("--json", "cancel", "a")
    assert json.loads(result.out)["cancelled"] == 1
    assert sft("-q", "cancel", "a").out == ""


@pytest.mark.parametrize("what", [reset, answered(503, b"busy")])
def test_a_chunk_that_failed_is_sent_again(sft, fake, what):
    content = os.urandom(16 * 4096)
    fake.on("POST", "/upload_chunk", failing(3, what))
    result = sft("upload", sft.file("a", content), "--chunk-size", "4096")
    assert result.status == 0, result
    assert fake.files["a"] == content
    assert numbers(fake) == list(range(16))


def test_gives_up_and_says_how_to_go_on(sft, fake):
    content = os.urandom(3 * 1024)

    def behave(handler):
        if len(fake.chunks) < 2:
            handler.upload_chunk("", {})
        else:
            reset(handler)

    fake.on("POST", "/upload_chunk", behave)
    options = ("--chunk-size", "1024", "--parallel", "1", "--retry", "1")
    result = sft("upload", sft.file("it's", content), *options)
    assert result.status == 1
    command = "sft upload 'it'\\''s' " + " ".join(options)
    assert result.err.endswith(f"goes on with the rest: {command}\n")
    fake.behaviours.clear()
    assert sft("upload", "it's", *options).status == 0
    assert numbers(fake) == [0, 1, 2]
    assert fake.files["it's"] == content


def test_what_will_fail_again_is_not_sent_again(sft, fake):
    full = answered(507, error("storage_full", "the disk is full"))
    fake.on("POST", "/upload_chunk", full)
    result = sft("upload", sft.file("a"), "--chunked")
    assert result.status == 1
    assert result.err.endswith("sft: a: the disk is full\n")
    assert paths(fake).count(("POST", "/upload_chunk")) == 1
    assert "goes on" not in result.err


def too_large_for(limit):
    """A proxy that takes no more than that."""

    def behave(handler):
        if int(handler.headers["Content-Length"]) > limit:
            handler.read_body()
            handler.answer(413, b"<html>413</html>")
        else:
            handler.upload_chunk("", {})

    return behave


def test_smaller_chunks_where_a_proxy_wants_them(sft, fake):
    """The last one, which is small enough, does not settle their size."""
    content = os.urandom(MIB) * 10
    fake.on("POST", "/upload_chunk", too_large_for(3 * MIB))
    result = sft("upload", sft.file("a", content), "--chunked")
    assert result.status == 0, result
    assert {size for _, size, _ in fake.chunks} == {2 * MIB}
    assert fake.files["a"] == content


@pytest.mark.parametrize("options", [("--chunk-size", "4M"), ("--chunked",)])
def test_a_proxy_wants_them_smaller_than_can_be(sft, fake, options):
    """The size was given, or the upload was begun already."""
    content = os.urandom(MIB) * 8
    in_chunks(fake, "a", content, 4 * MIB, there=(1,))
    fake.on("POST", "/upload_chunk", too_large_for(3 * MIB))
    result = sft("upload", sft.file("a", content), *options)
    assert result.status == 1
    assert "takes no chunk of 4194304 bytes" in result.err
    assert "'sft cancel NAME'" in result.err
    assert len(paths(fake)) <= 5


def test_the_servers_own_limit_is_no_proxys(sft, fake):
    refusal = error("file_too_large", "too large", max_file_size=1000)
    fake.on("POST", "/upload_chunk", answered(413, refusal))
    result = sft("upload", sft.file("a"), "--chunked")
    assert result.status == 1
    assert "too large (at most 1000 B)" in result.err
    assert paths(fake).count(("POST", "/upload_chunk")) == 1


def test_smaller_chunks_where_connections_break(sft, fake):
    content = os.urandom(MIB) * 4

    def behave(handler):
        if int(handler.headers["Content-Length"]) > 2 * MIB:
            reset(handler)
        else:
            handler.upload_chunk("", {})

    fake.on("POST", "/upload_chunk", behave)
    result = sft("upload", sft.file("a", content), "--chunked")
    assert result.status == 0, result
    assert {size for _, size, _ in fake.chunks} == {MIB}
    assert fake.files["a"] == content


def test_interrupted(sft, fake):
    content = os.urandom(8 * 1024)
    begun = threading.Event()

    def behave(handler):
        if len(fake.chunks) < 3:
            handler.upload_chunk("", {})
        else:
            begun.set()
            hang(handler)

    fake.on("POST", "/upload_chunk", behave)
    command = ("upload", "--chunk-size", "1024", "--parallel", "2", "a")
    sft.file("a", content)
    process = sft.begin(*command)
    assert begun.wait(30)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.decode().endswith(
        "sft: a: interrupted\n"
        "sft: the server keeps what it has; this goes on with the rest: "
        f"sft {' '.join(command)}\n"
    )
    there = numbers(fake)
    fake.behaviours.clear()
    assert sft(*command).status == 0
    assert numbers(fake) == list(range(8))
    assert len(there) >= 3
    assert fake.files["a"] == content


def test_interrupted_while_all_wait_to_try_again(sft, fake):
    """None of them sleeps through it."""
    busy = error("server_busy", "busy")
    refusal = answered(503, busy, Retry_After=120)
    fake.on("POST", "/upload_chunk", refusal)
    sft.file("a", bytes(8 * 1024))
    process = sft.begin(
        *("upload", "-v", "--chunk-size", "1024", "--parallel", "4", "a"),
    )
    for _ in range(4):
        while b"trying again in 120" not in process.stderr.readline():
            pass
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.communicate()


def test_as_json(sft, fake):
    content = os.urandom(5 * 1024)
    result = sft(
        *("--json", "upload", sft.file("a", content)),
        *("--chunk-size", "1024", "--parallel", "4"),
    )
    assert result.status == 0, result
    (one,) = json.loads(result.out)["files"]
    assert one["filename"] == "a"
    assert one["size"] == len(content)
    assert one["hash"] == hashlib.sha256(content).hexdigest()
    assert one["path"] == "a"


def test_progress_of_several_at_once(sft, fake):
    content = bytes(4 * MIB)
    shown = threading.Event()

    def behave(handler):
        if len(fake.chunks) >= 3:
            shown.wait(30)
        handler.upload_chunk("", {})

    fake.on("POST", "/upload_chunk", behave)
    terminal = sft.on_terminal(
        *("upload", sft.file("big", content), "--chunk-size", "1M"),
        *("--parallel", "3"),
    )
    terminal.read("big 100%")
    shown.set()
    assert terminal.end() == 0
    assert "uploaded big (4.0 MiB in " in terminal.text
