# SPDX-License-Identifier: MIT
"""sft upload: what arrives, what is said, and what is done when not all goes
well."""

import hashlib
import json
import os
import signal
import threading
import time

import pytest
from fake_server import answered, error, hang, refuse_early, reset

BIG = 40 << 20


def test_sends_a_file(sft, fake):
    result = sft("upload", sft.file("a.txt", b"hello"))
    assert result.status == 0, result
    assert fake.files == {"a.txt": b"hello"}
    assert result.out == "uploaded a.txt (5 B)\n"
    assert result.err == ""
    method, path, headers = fake.requests[0]
    assert (method, path) == ("PUT", "/upload/a.txt")
    assert headers["Content-Length"] == "5"
    assert "Transfer-Encoding" not in headers


def test_says_when_it_replaced_one(sft, fake):
    fake.files["a.txt"] = b"old"
    result = sft("upload", sft.file("a.txt", b"new"))
    assert result.status == 0
    assert result.out == "replaced a.txt (3 B)\n"
    assert fake.files["a.txt"] == b"new"


def test_sends_an_empty_file(sft, fake):
    result = sft("upload", sft.file("empty", b""))
    assert result.status == 0, result
    assert fake.files == {"empty": b""}


def test_sends_a_big_file(sft, fake):
    content = os.urandom(1 << 20) * 20
    result = sft("upload", sft.file("big", content))
    assert result.status == 0, result
    assert fake.files["big"] == content


@pytest.mark.parametrize(
    "name",
    [
        "写真 2026年.jpg",
        "it's \"quoted\" & 100% + ?#;=.txt",
        "-v",
        "a~b!c(d)[e]{f}.bin",
        "emoji 🎉.txt",
    ],
)
def test_any_name_arrives(sft, fake, name):
    result = sft("upload", "--", sft.file(name, b"x"))
    assert result.status == 0, result
    assert fake.files == {name: b"x"}
    assert name in result.out


def test_names_are_composed(sft, fake):
    """A Mac writes か and a mark; the server keeps one character."""
    result = sft("upload", sft.file("か\u3099.txt", b"x"))
    assert result.status == 0, result
    assert list(fake.files) == ["が.txt"]


def test_the_folder_is_no_part_of_the_name(sft, fake):
    result = sft("upload", sft.file("some/where/a.txt", b"x"))
    assert result.status == 0
    assert list(fake.files) == ["a.txt"]


def test_filename_option(sft, fake):
    result = sft("upload", sft.file("a"), "--filename", "x/y z/文書.pdf")
    assert result.status == 0, result
    assert list(fake.files) == ["x/y z/文書.pdf"]
    assert fake.requests[0][1] == (
        "/upload/x/y%20z/%E6%96%87%E6%9B%B8.pdf"
    )


def test_filename_is_for_one_file(sft, fake):
    result = sft("upload", sft.file("a"), sft.file("b"), "--filename", "c")
    assert result.status == 2
    assert "--filename names one file" in result.err
    assert fake.requests == []


def test_several_files(sft, fake):
    result = sft("upload", sft.file("a", b"1"), sft.file("b", b"22"))
    assert result.status == 0
    assert fake.files == {"a": b"1", "b": b"22"}
    assert result.out == "uploaded a (1 B)\nuploaded b (2 B)\n"


def test_one_bad_file_does_not_stop_the_rest(sft, fake):
    fake.on("PUT", "/upload/b", answered(500, error("io", "a disk broke")))
    files = [sft.file(n, n.encode()) for n in "abc"]
    result = sft("upload", *files, "--retry", "0")
    assert result.status == 1
    assert list(fake.files) == ["a", "c"]
    assert result.err == "sft: b: a disk broke\n"


def test_a_missing_file(sft, fake):
    result = sft("upload", "nowhere", sft.file("a"))
    assert result.status == 1
    assert "nowhere" in result.err
    assert "No such file" in result.err
    assert list(fake.files) == ["a"]


def test_a_file_that_may_not_be_read(sft, fake):
    if os.geteuid() == 0:
        pytest.skip("root reads all")
    name = sft.file("secret")
    (sft.place / name).chmod(0)
    assert sft("upload", name).status == 1


def test_a_directory_is_refused_before_anything_is_sent(sft, fake):
    sft.file("dir/x")
    result = sft("upload", sft.file("a"), "dir")
    assert result.status == 2
    assert "'dir' is a directory" in result.err
    assert fake.requests == []


@pytest.mark.parametrize("name", ["a\\b", "bad\x1bname", "a\x7fb"])
def test_a_name_no_server_takes(sft, fake, name):
    result = sft("upload", sft.file(name))
    assert result.status == 2
    assert "--filename" in result.err
    assert "\x1b" not in result.err
    assert fake.requests == []


def test_a_name_that_is_no_utf8(sft, fake):
    (sft.place / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    result = sft("upload", b"caf\xe9")
    assert result.status == 2
    assert "--filename" in result.err
    result = sft("upload", b"caf\xe9", "--filename", "café")
    assert result.status == 0, result
    assert list(fake.files) == ["café"]


def test_options_reach_the_server(sft, fake):
    result = sft(
        "upload", sft.file("a"), "--priority", "7",
        "--client-id", "laptop & co", "--if-exists", "replace",
    )  # fmt: skip
    assert result.status == 0, result
    assert fake.queries["a"] == {
        "priority": ["7"],
        "client_id": ["laptop & co"],
        "if_exists": ["replace"],
    }


def test_priority_nought_is_sent(sft, fake):
    sft("upload", sft.file("a"), "--priority=0")
    assert fake.queries["a"] == {"priority": ["0"]}


@pytest.mark.parametrize("value", ["11", "-1", "high", "", "1.5"])
def test_a_bad_priority(sft, fake, value):
    result = sft("upload", sft.file("a"), f"--priority={value}")
    assert result.status == 2
    assert "--priority" in result.err
    assert "0 to 10" in result.err
    assert fake.requests == []


def test_if_exists_error(sft, fake):
    fake.files["a"] = b"old"
    result = sft("upload", sft.file("a"), "--if-exists", "error")
    assert result.status == 1
    assert "there already" in result.err
    assert fake.files["a"] == b"old"


def test_if_exists_takes_two_words(sft, fake):
    result = sft("upload", sft.file("a"), "--if-exists", "maybe")
    assert result.status == 2
    assert "it must be replace or error" in result.err


def test_encrypt_passes_on_what_the_server_says(sft, fake):
    result = sft("upload", sft.file("a"), "--encrypt")
    assert result.status == 1
    assert "encryption is not built into this server yet" in result.err
    assert fake.files == {}


def test_standard_input(sft, fake):
    result = sft("upload", "-", "--filename", "in", stdin=b"from a pipe")
    assert result.status == 0, result
    assert fake.files == {"in": b"from a pipe"}
    assert fake.requests[0][2]["Transfer-Encoding"] == "chunked"


def test_standard_input_from_a_file_has_a_length(sft, fake):
    sft.file("a", b"twelve bytes")
    with open(sft.place / "a", "rb") as file:
        process = sft.begin("upload", "-", "--filename", "in", stdin=file)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert fake.files == {"in": b"twelve bytes"}
    assert fake.requests[0][2]["Content-Length"] == "12"


def test_standard_input_from_the_middle_of_a_file(sft, fake):
    sft.file("a", b"twelve bytes")
    with open(sft.place / "a", "rb", buffering=0) as file:
        file.read(7)
        process = sft.begin("upload", "-", "--filename", "in", stdin=file)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert fake.files == {"in": b"bytes"}


def test_standard_input_that_takes_its_time(sft, fake):
    """Waiting for our own input is no time-out of the server's."""
    process = sft.begin("upload", "-", "--filename", "in", "--timeout", "1")
    process.stdin.write(b"one")
    process.stdin.flush()
    time.sleep(2.5)
    out, err = process.communicate(b"two", 60)
    assert process.returncode == 0, err
    assert fake.files == {"in": b"onetwo"}


def test_standard_input_needs_a_name(sft, fake):
    result = sft("upload", "-", stdin=b"x")
    assert result.status == 2
    assert "--filename" in result.err
    assert fake.requests == []


def test_an_answer_is_heard_while_the_input_waits(sft, fake):
    """tail -f | sft upload - does not wait for ever for a refusal."""
    refusal = refuse_early(401, error("unauthorized", "a key is needed"))
    fake.on("PUT", "/upload/in", refusal)
    process = sft.begin("upload", "-", "--filename", "in")
    process.stdin.write(b"first line\n")
    process.stdin.flush()
    try:
        assert process.wait(30) == 5
    finally:
        process.kill()
    assert b"a key is needed" in process.stderr.read()


def test_a_fifo(sft, fake):
    os.mkfifo(sft.place / "fifo")
    process = sft.begin("upload", "fifo")

    def write():
        with open(sft.place / "fifo", "wb") as fifo:
            fifo.write(b"through a fifo")

    writer = threading.Thread(target=write)
    writer.start()
    process.communicate(timeout=60)
    writer.join(10)
    assert process.returncode == 0
    assert fake.files == {"fifo": b"through a fifo"}


def test_a_file_that_shrinks(sft, fake):
    """The announced length cannot be kept: never a good end."""
    name = sft.file("a", b"x" * BIG)

    def shrink(handler):
        handler.rfile.read(1 << 20)
        os.truncate(sft.place / name, 2 << 20)
        handler.read_body()

    fake.on("PUT", "/upload/a", shrink)
    result = sft("upload", name)
    assert result.status == 1
    assert "became shorter" in result.err


def test_a_file_that_grows_is_sent_as_it_was(sft, fake):
    name = sft.file("a", b"x" * (4 << 20))

    def grow(handler):
        with open(sft.place / name, "ab") as file:
            file.write(b"more")
        fake.behaviours.clear()
        handler.upload("a", {})

    fake.on("PUT", "/upload/a", grow)
    result = sft("upload", name)
    assert result.status == 0, result
    assert fake.files["a"] == b"x" * (4 << 20)


def test_a_wrong_hash_is_a_failure(sft, fake):
    answer = {"success": True, "filename": "a", "hash": "00" * 32, "size": 5}
    fake.on("PUT", "/upload/a", answered(201, answer))
    result = sft("upload", sft.file("a", b"hello"))
    assert result.status == 1
    assert "other bytes than were sent" in result.err
    assert hashlib.sha256(b"hello").hexdigest() in result.err


def test_a_missing_hash_is_a_failure(sft, fake):
    fake.on("PUT", "/upload/a", answered(201, {"success": True}))
    assert sft("upload", sft.file("a")).status == 1


@pytest.mark.parametrize("then", ["drain", "close", "ignore"])
@pytest.mark.parametrize("expect", [True, False])
def test_an_early_refusal_is_read(sft, fake, then, expect):
    """The server answers before the body was sent, and stops reading."""
    document = error(
        "file_too_large", "the file is too large", max_file_size=10 << 20
    )
    early = refuse_early(413, document, then)

    def behave(handler):
        if not expect:  # let it begin to send
            handler.rfile.read(3 << 20)
        early(handler)

    fake.on("PUT", "/upload/big", behave)
    name = sft.file("big", b"x" * BIG)
    for _ in range(5):
        result = sft("upload", name)
        assert result.status == 1
        assert result.err == (
            "sft: big: the file is too large (at most 10.0 MiB)\n"
        )


def test_a_refusal_without_reading_anything(sft, fake):
    """Not even Expect was asked for: the body is under way already."""
    fake.on(
        "PUT",
        "/upload/a",
        refuse_early(409, error("file_exists", "it is there"), "close"),
    )
    for _ in range(20):
        result = sft("upload", sft.file("a", b"x" * 900_000))
        assert result.status == 1
        assert "a: it is there" in result.err


@pytest.mark.parametrize(
    "status,code,exit_status",
    [
        (400, "invalid_parameter", 1),
        (401, "unauthorized", 5),
        (401, "invalid_api_key", 5),
        (403, "forbidden", 5),
        (404, "not_found", 1),
        (409, "file_exists", 1),
        (409, "cancelled", 1),
        (413, "file_too_large", 1),
        (422, "hash_mismatch", 1),
        (429, "too_many_requests", 1),
        (500, "internal", 1),
        (501, "not_implemented", 1),
        (503, "server_busy", 1),
        (507, "storage_full", 1),
        (418, "of_a_newer_server", 1),
        (404, "of_a_newer_server", 4),
        (403, "of_a_newer_server", 5),
    ],
)
def test_what_the_server_refuses(sft, fake, status, code, exit_status):
    refusal = answered(status, error(code, "no, for a reason"))
    fake.on("PUT", "/upload/a", refusal)
    result = sft("upload", sft.file("a"), "--retry", "0")
    assert result.status == exit_status
    assert result.err.startswith("sft: a: no, for a reason\n")
    assert result.out == ""


def test_when_to_try_again(sft, fake):
    busy = error("server_busy", "the server is busy")
    fake.on("PUT", "/upload/a", answered(503, busy, Retry_After=7))
    result = sft("upload", sft.file("a"), "--retry", "0")
    assert result.err == "sft: a: the server is busy (try again in 7 s)\n"


def test_no_key_stops_at_once(sft, fake):
    fake.key_needed = True
    result = sft("upload", sft.file("a"), sft.file("b"))
    assert result.status == 5
    assert len(fake.requests) == 1
    assert "SFT_API_KEY" in result.err
    assert "storage/admin.key" in result.err


def test_a_broken_connection(sft, fake):
    fake.on("PUT", "/upload/a", reset)
    result = sft("upload", sft.file("a", b"x" * BIG))
    assert result.status == 1
    assert "broke" in result.err or "closed" in result.err


def test_a_server_that_hangs(sft, fake):
    fake.on("PUT", "/upload/a", hang)
    begin = time.monotonic()
    name = sft.file("a", b"x" * BIG)
    result = sft("upload", name, "--timeout", "1", "--retry", "0")
    assert result.status == 1
    assert 0.9 < time.monotonic() - begin < 20
    assert "nothing came" in result.err
    assert "--timeout" in result.err


def test_json(sft, fake):
    result = sft("upload", "--json", sft.file("a", b"1"), sft.file("b"))
    assert result.status == 0
    document = json.loads(result.out)
    assert document["success"] is True
    assert [f["filename"] for f in document["files"]] == ["a", "b"]
    assert document["files"][0]["path"] == "a"
    assert document["files"][0]["size"] == 1
    assert document["files"][0]["hash"] == hashlib.sha256(b"1").hexdigest()


def test_json_of_failures(sft, fake):
    fake.on("PUT", "/upload/a", answered(500, error("io", "a disk broke")))
    result = sft("--json", "upload", sft.file("a"), sft.file("b"))
    assert result.status == 1
    document = json.loads(result.out)
    assert document["success"] is False
    bad, good = document["files"]
    assert bad["success"] is False
    assert bad["error"] == "a disk broke"
    assert bad["path"] == "a"
    assert good["success"] is True


def test_quiet_says_nothing(sft, fake):
    result = sft("upload", "-q", sft.file("a"))
    assert (result.status, result.out, result.err) == (0, "", "")


def test_verbose_shows_requests_but_no_key(sft, fake):
    env = {"SFT_API_KEY": "sft_secret"}
    result = sft("upload", "-v", sft.file("a"), env=env)
    assert result.status == 0
    assert f"> PUT {fake.url}/upload/a" in result.err
    assert "< 201 Created" in result.err
    assert "sft_secret" not in result.err
    assert hashlib.sha256(b"some bytes\n").hexdigest() in result.out


@pytest.mark.parametrize(
    "number,status",
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_interrupted(sft, fake, number, status):
    begun = threading.Event()

    def behave(handler):
        handler.rfile.read(1 << 20)
        begun.set()
        hang(handler)

    fake.on("PUT", "/upload/a", behave)
    process = sft.begin("upload", sft.file("a", b"x" * BIG), sft.file("b"))
    assert begun.wait(30)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"with --chunked it could be gone on with" in err
    assert "b" not in fake.files


def test_interrupted_while_the_input_waits(sft, fake):
    process = sft.begin("upload", "-", "--filename", "in")
    while not fake.requests:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(30) == 130
    finally:
        process.kill()
    err = process.stderr.read()
    # a stream has no chunks
    assert b"interrupted, and nothing was kept\n" in err
