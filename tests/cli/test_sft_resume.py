# SPDX-License-Identifier: MIT
"""What was begun goes on: chunked uploads and downloads in ranges, over bad
networks and after the client was killed."""

import hashlib
import json
import os
import re
import threading

import expect
import pytest
from chunks import Upload, content
from conftest import Sft
from cutter import Cutter
from fake_server import answered

MIB = 1 << 20
PIECE = 8 * MIB


@pytest.fixture
def client(server, tmp_path):
    return Sft(tmp_path, server.url)


def requests_of(result):
    """What -v says was asked for."""
    return re.findall(
        r"^sft: > (\S+) http://[^/]+(/\S*)$", result.err, re.M
    )


# --- uploads ------------------------------------------------------------------


@pytest.mark.parametrize("encrypt", [False, True])
def test_in_chunks(client, server, name, encrypt):
    data = content(3 * MIB + 5)
    options = ["--encrypt"] if encrypt else []
    result = client(
        "upload",
        client.file(name, data),
        "--chunk-size",
        "256K",
        "--parallel",
        "3",
        "--priority",
        "4",
        "--json",
        *options,
    )
    assert result.status == 0, result
    (one,) = json.loads(result.out)["files"]
    assert one["status"] == "completed"
    assert one["encryption"] is encrypt
    assert one["total_chunks"] == 13
    assert server.has(name, data)
    assert server.status(name)["priority"] == 4


def test_an_empty_file_in_chunks(client, server, name):
    result = client("upload", client.file(name, b""), "--chunked")
    assert result.status == 0, result
    assert server.has(name, b"")


def test_large_files_go_in_chunks_by_themselves(client, server, name):
    data = content(1 * MIB) * 64
    result = client("upload", client.file(name, data), "-v")
    assert result.status == 0, result
    methods = {path for _, path in requests_of(result)}
    assert "/upload_chunk" in methods
    assert server.has(name, data)


def test_only_what_is_missing(client, server, name):
    data = content(2 * MIB)
    pieces = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    up = Upload(server, name, pieces)
    for number in (0, 1, 5, 31):
        assert up.send(number).status_code == 200
    result = client("upload", client.file(name, data), "--chunked", "-v")
    assert result.status == 0, result
    sent = [p for _, p in requests_of(result) if p == "/upload_chunk"]
    assert len(sent) == 28  # in the chunks that the upload began with
    assert server.has(name, data)


def test_another_file_of_that_name(client, server, name, admin):
    up = Upload(server, name, [b"a" * 65536, b"b" * 65536, b"c"])
    up.send(0, file_hash="0" * 64)
    result = client(
        "upload", client.file(name, b"a" * 65536 + b"xyz"), "--chunked"
    )
    assert result.status == 1
    assert "sft cancel" in result.err
    key = admin["X-API-Key"]
    assert client("cancel", name, "--key", key).status == 0
    result = client(
        "upload", client.file(name, b"a" * 65536 + b"xyz"), "--chunked"
    )
    assert result.status == 0, result


@pytest.mark.parametrize("encrypt", [False, True])
def test_an_upload_over_a_bad_network(server, tmp_path, name, encrypt):
    data = content(12 * MIB + 3)
    with Cutter(server, f"up {encrypt}", 10, 4 * MIB) as cutter:
        client = Sft(tmp_path, cutter.url)
        options = ["--encrypt"] if encrypt else []
        result = client(
            "upload",
            client.file(name, data),
            "--chunk-size",
            "1M",
            "--parallel",
            "4",
            "--retry",
            "20",
            "-v",
            *options,
        )
        assert result.status == 0, result
        assert cutter.made > 0
    # No chunk that was acknowledged was sent again.
    status = server.status(name)
    sent = [p for _, p in requests_of(result) if p == "/upload_chunk"]
    again = re.findall(r"^sft: .*; trying again in ", result.err, re.M)
    assert len(sent) <= 13 + len(again)
    assert len(re.findall(r"^sft: < 200", result.err, re.M)) == 14
    assert status["status"] == "completed"
    assert server.has(name, data)


def test_a_plain_upload_over_a_bad_network(server, tmp_path, name):
    data = content(3 * MIB)
    with Cutter(server, "plain", 3, 2 * MIB) as cutter:
        client = Sft(tmp_path, cutter.url)
        result = client(
            "upload", client.file(name, data), "--retry", "10", "-v"
        )
        assert result.status == 0, result
        assert cutter.made > 0
        assert "trying again in" in result.err
    assert server.has(name, data)


def test_an_upload_whose_client_is_killed(server, client, name):
    data = content(20 * MIB)
    path = client.file(name, data)
    arguments = ("upload", path, "--chunk-size", "64K", "--parallel", "2")
    process = client.begin(*arguments)

    def some_are_there():
        info = server.get(f"/resume_info/{name}").json()
        return info.get("chunks_received", 0) > 10

    expect.until(some_are_there)
    process.kill()
    process.communicate()
    there = server.get(f"/resume_info/{name}").json()["chunks_received"]
    result = client(*arguments, "-v")
    assert result.status == 0, result
    sent = [p for _, p in requests_of(result) if p == "/upload_chunk"]
    # What was under way when it was killed may have arrived since.
    assert 320 - there - 2 <= len(sent) <= 320 - there
    assert server.has(name, data)


def test_interrupted_chunks_say_how_to_go_on(fake, sft):
    begun = threading.Event()

    def behave(handler):
        begun.set()
        handler.rfile.read(1000)
        threading.Event().wait(5)

    fake.on("GET", "/resume_info/a", answered(200, {}))
    fake.on("POST", "/upload_chunk", behave)
    process = sft.begin("upload", sft.file("a", b"x" * MIB), "--chunked")
    assert begun.wait(30)
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith(b"goes on with the rest: sft upload a --chunked\n")


def test_a_proxy_that_takes_only_small_bodies(fake, sft):
    """413 without our max_file_size: smaller chunks."""
    sizes = []

    def behave(handler):
        n = int(handler.headers["Content-Length"])
        handler.rfile.read(n)
        if n > 3 * MIB:
            handler.answer(413, {"message": "Request Entity Too Large"}, {})
            return
        sizes.append(n)
        done = sum(sizes) >= 10 * MIB
        handler.answer(
            200,
            {
                "success": True,
                "status": "completed" if done else "uploading",
                "hash": digest,
            },
            {},
        )

    data = content(10 * MIB)
    digest = hashlib.sha256(data).hexdigest()
    fake.on("GET", "/resume_info/a", answered(200, {}))
    fake.on("POST", "/upload_chunk", behave)
    result = sft(
        "upload", sft.file("a", data), "--chunked", "--parallel", "1"
    )
    assert result.status == 0, result
    assert max(sizes) < 3 * MIB
    assert len(sizes) == 5


def test_a_stream_cannot_be_chunked(sft):
    result = sft("upload", "-", "--filename", "a", "--chunked", stdin=b"x")
    assert result.status == 2
    assert "cannot be sent in chunks" in result.err


# --- downloads ----------------------------------------------------------------


@pytest.mark.parametrize("parallel", ["1", "4"])
@pytest.mark.parametrize("query", ["", "?encryption=true"])
def test_a_download_over_a_bad_network(
    server, tmp_path, name, parallel, query
):
    data = content(5 * PIECE + 77)
    server.put(name, data, query)
    with Cutter(server, f"down {parallel}", 8, 6 * MIB) as cutter:
        client = Sft(tmp_path, cutter.url)
        result = client(
            "download", name, "--parallel", parallel, "--retry", "20", "-v"
        )
        assert result.status == 0, result
        assert cutter.made > 0
    assert (client.place / name).read_bytes() == data
    assert client.names() == [name]


def test_in_parallel(client, server, name):
    data = content(4 * PIECE)
    server.put(name, data)
    result = client("download", name, "--parallel", "4", "-v")
    assert result.status == 0, result
    assert len(requests_of(result)) == 5  # HEAD, and four ranges
    assert (client.place / name).read_bytes() == data


def test_a_file_that_is_not_there_in_parallel(client, server, name):
    """An answer to HEAD has no words of its own."""
    result = client("download", name, "--parallel", "4")
    assert result.status == 4
    assert result.err == f"sft: {name}: There is no file '{name}'\n"


def test_a_wrong_key_in_parallel(client, server, name):
    assert client("upload", client.file(name)).status == 0
    options = ("--parallel", "4", "--key", "sft_wrong", "-o", "copy")
    result = client("download", name, *options)
    assert result.status == 5
    assert "proxy" not in result.err


def test_small_files_in_parallel(client, server, name):
    server.put(name, b"small")
    result = client("download", name, "--parallel", "4")
    assert result.status == 0, result
    assert (client.place / name).read_bytes() == b"small"


def test_a_download_whose_client_is_killed(start, tmp_path):
    server = start("server")
    data = content(6 * PIECE + 5)
    server.put("a", data)
    reached = threading.Event()
    with Cutter(server, "kill", 0, 1) as gate:
        # All but the last byte of the third piece passes, and then nothing.
        gate.hold_after = 3 * PIECE - MIB
        gate.held = reached
        (tmp_path / "client").mkdir()
        client = Sft(tmp_path / "client", gate.url)
        process = client.begin("download", "a", "--timeout", "60")
        assert reached.wait(30)
        journal = client.place / ".a.sft-journal"
        expect.until(
            lambda: journal.exists()
            and journal.read_bytes().count(b"1\n") >= 0
            and journal.read_bytes().endswith(b"11" + b"0" * 5)
        )
        process.kill()
        process.communicate()
        gate.hold_after = None
        assert client.names() == [".a.sft-journal", ".a.sft-part"]
        before = gate.passed
        result = client("download", "--resume", "a")
        assert result.status == 0, result
        # Only what was missing was fetched.
        assert gate.passed - before < len(data) - 2 * PIECE + 4 * 65536
    assert (client.place / "a").read_bytes() == data
    assert client.names() == ["a"]


def leave_a_part(client, server, name, data, there):
    """As an earlier run would have left it."""
    etag = server.head(f"/download/{name}").headers["ETag"]
    count = -(-len(data) // PIECE)
    digits = "".join("1" if i in there else "0" for i in range(count))
    url = f"{server.url}/download/{name}"
    (client.place / f".{name}.sft-journal").write_text(
        f"sft-journal 1\nurl {url}\netag {etag}\nsize {len(data)}\n"
        f"piece {PIECE}\n\n{digits}"
    )
    part = bytearray(len(data))
    for i in there:
        part[i * PIECE : (i + 1) * PIECE] = data[i * PIECE : (i + 1) * PIECE]
    (client.place / f".{name}.sft-part").write_bytes(part)


def test_a_file_that_was_replaced_starts_over(client, server, name):
    old, new = content(3 * PIECE, "old"), content(3 * PIECE, "new")
    server.put(name, old)
    leave_a_part(client, server, name, old, {0, 2})
    server.put(name, new)
    result = client("download", "--resume", name)
    assert result.status == 0, result
    assert (client.place / name).read_bytes() == new


def test_a_part_that_is_damaged_is_found(client, server, name):
    data = content(3 * PIECE)
    server.put(name, data)
    leave_a_part(client, server, name, data, {0, 1})
    part = client.place / f".{name}.sft-part"
    part.write_bytes(b"!" + part.read_bytes()[1:])
    result = client("download", "--resume", name)
    assert result.status == 1
    assert "damaged" in result.err
    assert client.names() == []
    assert client("download", "--resume", name).status == 0


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"sft-journal 1\n",
        b"sft-journal 2\nurl x\n",
        b"\x00" * 100,
        b"sft-journal 1\nurl x\netag \"y\"\nsize 0\npiece 8\n\n",
        b"sft-journal 1\nurl x\netag \"y\"\nsize 99\npiece 0\n\n1",
        b"sft-journal 1\nurl x\netag \"y\"\nsize 9\npiece 8\n\n1x",
        b"sft-journal 1\nurl x\netag \"y\"\nsize 99\npiece 8388608\n\n10",
    ],
)
def test_journals_that_are_none(client, server, name, journal):
    server.put(name, b"small")
    (client.place / f".{name}.sft-journal").write_bytes(journal)
    (client.place / f".{name}.sft-part").write_bytes(b"x" * 99)
    result = client("download", "--resume", name)
    assert result.status == 0, result
    assert (client.place / name).read_bytes() == b"small"
    assert client.names() == [name]


def test_pieces_of_another_size(client, server, name):
    """As another version might have left them."""
    data = content(2 * PIECE)
    server.put(name, data)
    leave_a_part(client, server, name, data, {0})
    journal = client.place / f".{name}.sft-journal"
    text = journal.read_bytes().replace(b"piece 8388608", b"piece 4194304")
    journal.write_bytes(text + b"11")
    result = client("download", "--resume", name)
    assert result.status == 0, result
    assert (client.place / name).read_bytes() == data


def test_a_part_that_is_somebody_elses(client, server, name):
    """Another name of a file that is none of ours to write to."""
    data = content(2 * PIECE)
    server.put(name, data)
    client.file("precious", b"x" * 100)
    os.link(client.place / "precious", client.place / f".{name}.sft-part")
    result = client("download", "--resume", name)
    assert result.status == 1
    assert "is not ours: remove it" in result.err
    # without --resume another temporary file does
    assert client("download", name).status == 0
    assert (client.place / name).read_bytes() == data
    assert (client.place / "precious").read_bytes() == b"x" * 100


def test_nothing_to_resume(client, server, name):
    data = content(2 * PIECE)
    server.put(name, data)
    result = client("download", "--resume", name)
    assert result.status == 0, result
    assert (client.place / name).read_bytes() == data


def test_two_at_once_do_not_mix(client, server, name):
    data = content(4 * PIECE)
    server.put(name, data)
    processes = [client.begin("download", name, "-f") for _ in range(3)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert (client.place / name).read_bytes() == data
    assert client.names() == [name]
