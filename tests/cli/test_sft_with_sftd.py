# SPDX-License-Identifier: MIT
"""The client and the real server together."""

import hashlib
import json
import os
import signal
import time

import pytest
import sealed
from conftest import Sft

MIB = 1 << 20


@pytest.fixture
def client(server, tmp_path):
    return Sft(tmp_path, server.url)


@pytest.fixture
def client_of(tmp_path):
    """A client of a server that the test started."""
    return lambda one: Sft(tmp_path, one.url)


def test_there_and_back(client, server, name):
    content = os.urandom(3 * MIB + 17)
    result = client("upload", client.file(name, content))
    assert result.status == 0, result
    assert result.out.startswith(f"uploaded {name} (3.0 MiB")
    assert server.has(name, content)
    result = client("download", name, "-o", "copy")
    assert result.status == 0, result
    assert (client.place / "copy").read_bytes() == content


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, MIB])
def test_sizes(client, server, name, size):
    content = os.urandom(size)
    assert client("upload", client.file(name, content)).status == 0
    result = client("download", name, "-o", "copy")
    assert result.status == 0, result
    assert (client.place / "copy").read_bytes() == content


def test_names(client, server, names):
    for suffix in (".写真 1", " 'q' \"qq\"", "%2F%00", "#?&=;+", " 🎉 é"):
        name = names(suffix)
        result = client("upload", client.file(name, name.encode()))
        assert result.status == 0, result
        assert server.has(name, name.encode())
        result = client("download", name, "-o", "there/")
        assert result.status == 0, result
        path = client.place / "there" / name
        assert path.read_bytes() == name.encode()


def test_a_name_with_folders(client, server, names):
    name = f"{names('')}/some/where/a.txt"
    result = client("upload", client.file("x"), "--filename", name)
    assert result.status == 0, result
    result = client("download", name)
    assert result.status == 0
    assert client.names() == ["a.txt", "x"]


def test_standard_input_and_output(client, server, name):
    content = os.urandom(2 * MIB)
    result = client("upload", "-", "--filename", name, stdin=content)
    assert result.status == 0, result
    assert server.has(name, content)
    process = client.begin("download", name, "-o", "-")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == content


def test_replacing(client, server, name):
    assert client("upload", client.file(name, b"old")).status == 0
    result = client("upload", client.file(name, b"new"))
    assert result.out == f"replaced {name} (3 B)\n"
    again = ("upload", client.file(name, b"newer"), "--if-exists", "error")
    result = client(*again)
    assert result.status == 1
    assert name in result.err
    assert server.has(name, b"new")


def test_json_has_what_the_server_says(client, server, name):
    result = client(
        "upload", "--json", client.file(name, b"hello"),
        "--priority", "7", "--client-id", "a laptop",
    )  # fmt: skip
    one = json.loads(result.out)["files"][0]
    assert one["hash"] == hashlib.sha256(b"hello").hexdigest()
    assert one["priority"] == 7
    assert one["status"] == "completed"
    transfer = json.loads(client("status", "--file", name, "--json").out)
    assert transfer["client_id"] == "a laptop"
    assert transfer["id"] == one["id"]


def test_encrypted_there_and_back(start, client_of, name):
    key = b"0123456789abcdef"
    own = start(ENCRYPTION_KEY=key.decode())
    client = client_of(own)
    content = os.urandom(200_001)
    result = client("upload", "--encrypt", client.file(name, content))
    assert result.status == 0, result
    assert own.status(name)["encryption"] is True
    stored = sealed.object_of(own, name).read_bytes()
    assert content[1000:1100] not in stored
    result = client("download", name, "-o", "copy")
    assert result.status == 0, result
    assert (client.place / "copy").read_bytes() == content
    # the container, for who has a key
    result = client("download", "--raw", name, "-o", "container")
    assert result.status == 5, result
    assert "SFT_API_KEY" in result.err
    assert not (client.place / "container").exists()
    result = client(
        "--key", own.admin_key, "download", "-v", "--raw", name,
        "-o", "container",
    )
    assert result.status == 0, result
    assert "names none to check it against" in result.out
    container = (client.place / "container").read_bytes()
    assert container == stored
    assert sealed.read(container, key) == content


def test_raw_changes_nothing_of_plain_files(client, server, name):
    server.put(name, b"plain")
    result = client("download", "--raw", "-v", name, "-o", "copy")
    assert result.status == 0, result
    assert "names none" not in result.out
    assert (client.place / "copy").read_bytes() == b"plain"


@pytest.mark.parametrize("segment", [0, 2])
def test_an_encrypted_file_that_is_damaged(start, client_of, name, segment):
    own = start()
    content = os.urandom(4 * 65536)
    own.put(name, content, "?encryption=true")
    path = sealed.object_of(own, name)
    stored = path.read_bytes()
    sealed.overwrite(path, sealed.flip(stored, 80 + segment * 65568 + 99))
    client = client_of(own)
    result = client("download", name, "--retry", "0")
    assert result.status == 1, result
    assert "damaged" in result.err, result
    if segment:
        assert "sftd verify" in result.err
    assert list(client.place.glob(f"*{name}*")) == []


def test_what_is_not_there(client, server, name):
    assert client("download", name).status == 4
    assert client("status", "--file", name).status == 4
    assert client.names() == []


def test_status(client, server, name):
    assert client("upload", client.file(name, b"x" * 2048)).status == 0
    result = client("status")
    assert result.status == 0
    line = next(x for x in result.out.splitlines() if x.startswith(name))
    assert line.split()[:6] == [
        name, "up", "completed", "100%", "2.0", "KiB",
    ]  # fmt: skip


def test_status_of_what_is_under_way(client, server, name):
    process = client.begin("upload", "-", "--filename", name)
    process.stdin.write(b"x" * MIB)
    process.stdin.flush()
    end = time.monotonic() + 60
    while True:
        result = client("status", "--file", name)
        if "1.0 MiB" in result.out:
            break
        assert time.monotonic() < end, result
    assert "status     uploading" in result.out
    process.communicate(timeout=60)
    assert process.returncode == 0
    result = client("status", "--file", name)
    assert "status     completed" in result.out


def test_health(client, server):
    result = client("health")
    assert result.status == 0
    assert result.out.startswith("ok, version 0.1.0, up for ")


def test_the_life_of_a_key(start, client_of):
    server = start(REQUIRE_API_KEY="true")
    client = client_of(server)
    result = client("status")
    assert result.status == 5
    assert "SFT_API_KEY" in result.err
    assert client("health").status == 0

    client.file("admin.key", server.admin_key.encode() + b"\n")
    as_admin = ("--key-file", "admin.key")
    result = client(
        "key", "new", "--name", "reader", "--scopes", "read",
        "--expires", "1h", *as_admin,
    )  # fmt: skip
    assert result.status == 0, result
    env = {"SFT_API_KEY": result.out.strip()}
    assert client("status", env=env).status == 0
    assert client("upload", client.file("a"), env=env).status == 5
    assert client("key", "list", env=env).status == 5

    result = client("key", "list", *as_admin)
    line = next(x for x in result.out.splitlines() if "reader" in x)
    key_id = line.split()[0]
    assert client("key", "revoke", key_id, *as_admin).status == 0
    assert client("status", env=env).status == 5
    assert client("key", "revoke", key_id, *as_admin).status == 4


def test_too_large(start, client_of):
    """The refusal is read, whether it comes before the body or amid it."""
    client = client_of(start(MAX_FILE_SIZE="1M"))
    name = client.file("big", bytes(30 * MIB))
    for _ in range(3):
        result = client("upload", name)
        assert result.status == 1
        assert "larger" in result.err
        assert "1.0 MiB" in result.err
    with open(client.place / name, "rb") as file:
        process = client.begin(
            "upload", "-", "--filename", "stream", stdin=file
        )
        process.communicate(timeout=60)
    assert process.returncode == 1
    result = client("upload", "-", "--filename", "s", stdin=bytes(30 * MIB))
    assert result.status == 1
    assert "larger" in result.err


def test_a_full_disk_is_the_servers_word(start, client_of):
    client = client_of(start(MIN_FREE_SPACE=str(1 << 60)))
    result = client("upload", client.file("a"))
    assert result.status == 1
    assert result.err.startswith("sft: a: ")


def test_a_server_that_has_ended(start, client_of):
    server = start()
    client = client_of(server)
    assert client("health").status == 0
    server.stop()
    result = client("health")
    assert result.status == 3
    assert server.url in result.err


def test_a_server_that_ends_amid_a_download(start, client_of):
    server = start(AUTO_RESTART_ENABLED="false")
    client = client_of(server)
    content = bytes(64 * MIB)
    assert client("upload", client.file("big", content)).status == 0
    process = client.begin("download", "big", "-o", "-")
    process.stdout.read(MIB)
    server.kill()
    process.stdout.read()
    assert process.wait(60) == 1
    assert b"broke" in process.stderr.read()


def test_interrupted_uploads_leave_nothing(client, server, name):
    process = client.begin("upload", "-", "--filename", name)
    process.stdin.write(b"x" * MIB)
    process.stdin.flush()
    while client("status", "--file", name).status != 0:
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted" in err
    assert server.lacks(name)
