# SPDX-License-Identifier: MIT
"""sft download: what lies where afterwards, and what does not."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import threading

import pytest
from fake_server import answered, error, hang, reset

BIG = 40 << 20


def test_fetches_a_file(sft, fake):
    fake.files["a.txt"] = b"hello"
    result = sft("download", "a.txt")
    assert result.status == 0, result
    assert result.out == "downloaded a.txt (5 B)\n"
    assert result.err == ""
    assert sft.names() == ["a.txt"]
    assert (sft.place / "a.txt").read_bytes() == b"hello"


def test_the_mode_is_as_umask_says(sft, fake):
    fake.files["a"] = b"x"
    before = os.umask(0o027)
    try:
        assert sft("download", "a").status == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((sft.place / "a").stat().st_mode) == 0o640


def test_fetches_an_empty_file(sft, fake):
    fake.files["empty"] = b""
    assert sft("download", "empty").status == 0
    assert (sft.place / "empty").read_bytes() == b""


def test_fetches_a_big_file(sft, fake):
    fake.files["big"] = os.urandom(1 << 20) * 20
    assert sft("download", "big").status == 0
    assert (sft.place / "big").read_bytes() == fake.files["big"]


@pytest.mark.parametrize(
    "name",
    [
        "写真 2026年.jpg",
        "it's \"quoted\" & 100% + ?#;=.txt",
        "-v",
        "-",
        "é" * 127,
        "n" * 255,
    ],
)
def test_any_name(sft, fake, name):
    fake.files[name] = b"x"
    result = sft("download", "--", name)
    assert result.status == 0, result
    assert sft.names() == [name]


def test_folders_of_a_name_are_not_made(sft, fake):
    fake.files["x/y z/文書.pdf"] = b"x"
    result = sft("download", "x/y z/文書.pdf")
    assert result.status == 0, result
    assert sft.names() == ["文書.pdf"]
    assert result.out == "downloaded x/y z/文書.pdf to 文書.pdf (1 B)\n"


@pytest.mark.parametrize(
    "name", ["../a", "a/..", "/etc/x", "a//b", "", "a\\b", "a\x1b", "a/"]
)
def test_a_name_no_server_has(sft, fake, name):
    result = sft("download", name)
    assert result.status == 2
    assert "\x1b" not in result.err
    assert fake.requests == []
    assert sft.names() == []


def test_the_servers_name_is_no_path(sft, fake):
    def behave(handler):
        disposition = "attachment; filename=../../evil"
        handler.send_file(
            b"x", headers={"Content-Disposition": disposition}
        )

    fake.on("GET", "/download/a", behave)
    assert sft("download", "a").status == 0
    assert sft.names() == ["a"]


def test_to_a_file(sft, fake):
    fake.files["a"] = b"x"
    result = sft("download", "a", "-o", "new name")
    assert result.status == 0, result
    assert sft.names() == ["new name"]
    assert result.out == "downloaded a to new name (1 B)\n"


def test_to_a_folder(sft, fake):
    fake.files["a"] = b"x"
    (sft.place / "dir").mkdir()
    assert sft("download", "a", "--output", "dir").status == 0
    assert sft.names("dir") == ["a"]


def test_to_folders_that_are_missing(sft, fake):
    fake.files.update({"a": b"1", "b": b"2"})
    result = sft("download", "a", "b", "-o", "some/where/")
    assert result.status == 0, result
    assert sft.names("some/where") == ["a", "b"]
    assert "downloaded a to some/where/a (1 B)" in result.out


def test_to_a_file_in_a_folder_that_is_missing(sft, fake):
    fake.files["a"] = b"x"
    result = sft("download", "a", "-o", "nowhere/a")
    assert result.status == 1
    assert "nowhere" in result.err
    assert "No such file or directory" in result.err


def test_several_to_one_file(sft, fake):
    fake.files.update({"a": b"1", "b": b"2"})
    result = sft("download", "a", "b", "-o", "file")
    assert result.status == 2
    assert "need a folder" in result.err
    assert fake.requests == []


def test_two_with_one_last_segment(sft, fake):
    fake.files.update({"x/a": b"1", "y/a": b"2"})
    result = sft("download", "x/a", "y/a", "--force")
    assert result.status == 2
    assert "'x/a' and 'y/a'" in result.err
    assert fake.requests == []


def test_to_standard_output(sft, fake):
    fake.files.update({"a": b"one\n", "b": b"two\n"})
    result = sft("download", "a", "b", "-o", "-")
    assert result.status == 0
    assert result.out == "one\ntwo\n"
    assert sft.names() == []


def test_a_big_one_to_standard_output(sft, fake):
    fake.files["big"] = os.urandom(1 << 20) * 20
    process = sft.begin("download", "big", "-o", "-")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == fake.files["big"]


def test_a_wrong_one_to_standard_output(sft, fake):
    fake.on("GET", "/download/a", lambda h: h.send_file(b"bad", b"good"))
    result = sft("download", "a", "-o", "-")
    assert result.status == 1
    assert result.out == "bad"
    assert "damaged" in result.err


def test_standard_output_that_closes(sft, fake):
    fake.files["big"] = b"x" * BIG
    process = sft.begin("download", "big", "-o", "-")
    process.stdout.read(10)
    process.stdout.close()
    process.wait(60)
    assert process.returncode == 1
    assert b"standard output" in process.stderr.read()


def test_standard_output_and_json(sft, fake):
    result = sft("download", "a", "-o", "-", "--json")
    assert result.status == 2
    assert fake.requests == []


def test_to_a_device(sft, fake):
    """A device is written to, never replaced."""
    fake.files["big"] = b"x" * BIG
    result = sft("download", "big", "--force", "-o", "/dev/null")
    assert result.status == 0, result
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_full_disk(sft, fake):
    fake.files["a"] = b"x" * 100000
    result = sft("download", "a", "-o", "/dev/full")
    assert result.status == 1
    assert "No space left on device" in result.err


def test_what_is_there_stays(sft, fake):
    fake.files["a"] = b"new"
    sft.file("a", b"old")
    result = sft("download", "a")
    assert result.status == 1
    assert "'a' is there already" in result.err
    assert "--force" in result.err
    assert fake.requests == []
    assert (sft.place / "a").read_bytes() == b"old"


def test_one_of_many_is_there(sft, fake):
    """Nothing is fetched when one of them could not be kept."""
    fake.files.update({"a": b"new", "b": b"new"})
    sft.file("b", b"old")
    assert sft("download", "a", "b").status == 1
    assert fake.requests == []


def test_a_broken_link_is_there(sft, fake):
    fake.files["a"] = b"new"
    (sft.place / "a").symlink_to("nowhere")
    assert sft("download", "a").status == 1
    assert fake.requests == []


def test_force(sft, fake):
    fake.files["a"] = b"new"
    sft.file("a", b"old")
    result = sft("download", "a", "--force")
    assert result.status == 0, result
    assert (sft.place / "a").read_bytes() == b"new"
    assert sft.names() == ["a"]


def test_force_replaces_a_link_not_what_it_leads_to(sft, fake):
    fake.files["a"] = b"new"
    sft.file("other", b"old")
    (sft.place / "a").symlink_to("other")
    assert sft("download", "a", "-f").status == 0
    assert (sft.place / "a").read_bytes() == b"new"
    assert (sft.place / "other").read_bytes() == b"old"


def test_force_replaces_no_folder(sft, fake):
    fake.files["a"] = b"new"
    (sft.place / "a").mkdir()
    result = sft("download", "a", "--force")
    assert result.status == 2
    assert "'a' is a directory" in result.err


def test_a_file_that_came_meanwhile(sft, fake):
    def behave(handler):
        sft.file("a", b"somebody's")
        handler.send_file(b"ours")

    fake.on("GET", "/download/a", behave)
    result = sft("download", "a")
    assert result.status == 1
    assert "meanwhile" in result.err
    assert (sft.place / "a").read_bytes() == b"somebody's"
    assert sft.names() == ["a"]


def test_missing_on_the_server(sft, fake):
    result = sft("download", "a")
    assert result.status == 4
    assert result.err == "sft: a: there is no file 'a'\n"
    assert sft.names() == []


def test_some_missing(sft, fake):
    fake.files["b"] = b"x"
    result = sft("download", "a", "b")
    assert result.status == 4
    assert sft.names() == ["b"]


def test_failures_of_two_kinds(sft, fake):
    fake.on("GET", "/download/b", answered(500, error("io", "broken")))
    assert sft("download", "a", "b").status == 1


@pytest.mark.parametrize("kept", ["both", "etag", "digest"])
def test_damage_is_found(sft, fake, kept):
    def behave(handler):
        gone = {}
        if kept == "etag":
            gone["Repr-Digest"] = None
        if kept == "digest":
            gone["ETag"] = '"something else"'
        handler.send_file(b"bad bytes", b"good bytes", gone)

    fake.on("GET", "/download/a", behave)
    result = sft("download", "a")
    assert result.status == 1
    assert "damaged" in result.err
    assert sft.names() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Repr-Digest": None},
        {"ETag": None},
        {"Repr-Digest": "sha-512=:AAAA:, sha-256=:!!!:"},
        {"Repr-Digest": None, "ETag": f'W/"{hashlib.sha256(b"x").hexdigest()}"'},
    ],
)
def test_where_the_digest_may_stand(sft, fake, fields):
    fake.on(
        "GET", "/download/a", lambda h: h.send_file(b"x", headers=fields)
    )
    assert sft("download", "a").status == 0


def test_without_any_digest(sft, fake):
    gone = {"ETag": '"v1"', "Repr-Digest": None}
    fake.on("GET", "/download/a", lambda h: h.send_file(b"x", headers=gone))
    result = sft("download", "a")
    assert result.status == 1
    assert "no SHA-256" in result.err
    assert sft.names() == []


def test_a_short_body(sft, fake):
    def behave(handler):
        handler.close_connection = True
        handler.send_file(
            b"x" * 1000, headers={"Content-Length": "2000"}
        )

    fake.on("GET", "/download/a", behave)
    result = sft("download", "a", "--retry", "0")
    assert result.status == 1
    assert "broke after 1000 bytes" in result.err
    assert "sftd verify" in result.err
    assert sft.names() == []


def test_a_short_body_without_a_length(sft, fake):
    def behave(handler):
        handler.close_connection = True
        digest = hashlib.sha256(b"x" * 2000).hexdigest()
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nETag: \"%s\"\r\n\r\n" % digest.encode()
            + b"x" * 1000
        )

    fake.on("GET", "/download/a", behave)
    result = sft("download", "a", "--retry", "0")
    assert result.status == 1
    assert sft.names() == []


def test_a_broken_connection(sft, fake):
    fake.on("GET", "/download/a", reset)
    assert sft("download", "a", "--retry", "0").status == 1
    assert sft.names() == []


def test_a_server_that_hangs_midway(sft, fake):
    def behave(handler):
        handler.send_response(200)
        handler.send_header("ETag", '"' + "0" * 64 + '"')
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)
        hang(handler)

    fake.on("GET", "/download/a", behave)
    result = sft("download", "a", "--timeout", "1", "--retry", "0")
    assert result.status == 1
    assert "nothing came" in result.err
    assert sft.names() == []


def test_a_page_in_the_place_of_a_file(sft, fake):
    page = answered(200, b"<html>", Content_Type="text/html")
    fake.on("GET", "/download/a", page)
    assert sft("download", "a").status == 1
    assert sft.names() == []


def part_of(handler):
    """The first half of a file; the rest never comes."""
    handler.send_response(200)
    handler.send_header("ETag", '"' + "0" * 64 + '"')
    handler.send_header("Content-Length", str(BIG))
    handler.end_headers()
    handler.wfile.write(b"x" * (BIG // 2))


@pytest.mark.parametrize(
    "number,status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_interrupted(sft, fake, number, status):
    begun = threading.Event()

    def behave(handler):
        part_of(handler)
        begun.set()
        hang(handler)

    fake.on("GET", "/download/a", behave)
    fake.files["0"] = b"x"
    process = sft.begin("download", "0", "a", "b", "-o", "./")
    assert begun.wait(30)
    process.send_signal(number)
    err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == status
    assert err == (
        "sft: a: interrupted\n"
        "sft: what has come is kept; this goes on with the rest: "
        "sft download a b -o ./ --resume\n"
    )
    assert sft.names() == [".a.sft-journal", ".a.sft-part", "0"]


def test_interrupted_while_nobody_reads(sft, fake):
    """Standard output is full, and Ctrl-C is heard all the same."""
    fake.files["big"] = b"x" * BIG
    process = sft.begin("download", "big", "-o", "-")
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(30) == 130
    finally:
        process.kill()


def test_an_ignored_signal_stays_ignored(sft, fake):
    """nohup sft download ... outlives its terminal."""
    begun = threading.Event()
    go_on = threading.Event()

    def behave(handler):
        begun.set()
        go_on.wait(30)
        handler.send_file(b"x")

    fake.on("GET", "/download/a", behave)
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$0" download a']
        + [sft.begin.__globals__["program"]()],
        env=sft.env,
        cwd=sft.place,
        stdout=subprocess.DEVNULL,
    )
    assert begun.wait(30)
    process.send_signal(signal.SIGHUP)
    go_on.set()
    assert process.wait(60) == 0
    assert sft.names() == ["a"]


def test_json(sft, fake):
    fake.files["x/a"] = b"12345"
    result = sft("download", "x/a", "--json")
    assert result.status == 0
    assert json.loads(result.out) == {
        "success": True,
        "files": [
            {
                "success": True,
                "filename": "x/a",
                "path": "a",
                "size": 5,
                "hash": hashlib.sha256(b"12345").hexdigest(),
            }
        ],
    }


def test_json_of_a_failure(sft, fake):
    result = sft("download", "a", "--json")
    assert result.status == 4
    document = json.loads(result.out)
    assert document["success"] is False
    assert document["files"][0]["code"] == "file_not_found"
    assert document["files"][0]["filename"] == "a"


def test_quiet(sft, fake):
    fake.files["a"] = b"x"
    result = sft("download", "a", "--quiet")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_what_the_server_says_moves_no_cursor(sft, fake):
    sentence = "no \x1b[2J\x9b31m \u202e file\n\r"
    fake.on(
        "GET",
        "/download/a",
        answered(404, error("file_not_found", sentence)),
    )
    result = sft("download", "a")
    assert result.status == 4
    for bad in ("\x1b", "\x9b", "\u202e", "\r"):
        assert bad not in result.err
    assert result.err.count("\n") == 1
