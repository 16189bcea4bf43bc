# SPDX-License-Identifier: MIT
"""sft batch: files and folders in one request."""

import json
import os
import signal

import expect
import pytest
from conftest import Sft
from fake_server import answered, error, hang, reset

MIB = 1 << 20


@pytest.fixture
def client(server, admin, tmp_path):
    one = Sft(tmp_path, server.url)
    one.env["SFT_API_KEY"] = server.admin_key
    return one


@pytest.fixture
def folder(names):
    """The name of a folder that no other test has."""
    return names("")


def tree(client, folder):
    """Files in folders: {name: content}."""
    files = {
        f"{folder}/a.txt": b"a",
        f"{folder}/empty": b"",
        f"{folder}/.hidden": b"h",
        f"{folder}/sub/large": os.urandom(3 * MIB + 17),
        f"{folder}/sub/deep/写真 1.jpg": b"deep",
        f"{folder}/z/\"it's\" 100% #?&=;+": b"odd",
    }
    for name, data in files.items():
        client.file(name, data)
    return files


def test_a_folder_with_all_that_is_in_it(client, server, folder):
    files = tree(client, folder)
    (client.place / folder / "nothing").mkdir()
    result = client("batch", folder)
    assert result.status == 0, result
    assert result.err == ""
    for name, data in files.items():
        assert server.has(name, data)
        assert f"  {name}\n" in result.out
    assert "6 of 6 files sent (3.0 MiB" in result.out
    listed = server.get(f"/files?prefix={folder}/").json()["files"]
    assert len(listed) == len(files)


@pytest.mark.parametrize("way", ["{}/", "./{}", "../{}/{}/.."])
def test_how_a_folder_is_called_does_not_matter(client, server, folder, way):
    name = f"{folder}/a"
    client.file(name, b"a")
    here = client.place.name
    path = way.format(folder) if "{}/{}" not in way else f"../{here}/{folder}"
    assert client("batch", path).status == 0
    assert server.has(name, b"a")


@pytest.mark.parametrize("way", [".", "./", "sub/.."])
def test_what_is_here_has_no_folder_in_front(client, server, folder, way):
    where = client.place / "work"
    (where / "sub").mkdir(parents=True)
    (where / folder).write_bytes(b"x")
    assert client("batch", way, cwd=where).status == 0
    assert server.has(folder, b"x")


def test_files_and_folders(client, server, folder, names):
    one, two = names(), names()
    client.file(f"some/where/{one}", b"1")
    client.file(two, b"2")
    client.file(f"{folder}/three", b"3")
    result = client("batch", f"some/where/{one}", folder, "--", two)
    assert result.status == 0, result
    assert server.has(one, b"1") and server.has(two, b"2")
    assert server.has(f"{folder}/three", b"3")


def test_options(client, server, folder):
    client.file(f"{folder}/a", b"a")
    result = client(
        "batch", "--encrypt", "--priority", "7", "--client-id", "me", folder
    )
    assert result.status == 0, result
    status = server.status(f"{folder}/a")
    assert status["encryption"] is True
    assert (status["priority"], status["client_id"]) == (7, "me")


def test_without_a_word_on_encryption(client, server, folder):
    client.file(f"{folder}/a", b"a")
    assert client("batch", folder).status == 0
    assert server.status(f"{folder}/a")["encryption"] is False


def test_only_new_ones(client, server, folder):
    client.file(f"{folder}/old", b"new content")
    client.file(f"{folder}/other", b"other")
    server.put(f"{folder}/old", b"old")
    result = client("batch", "--if-exists", "error", folder)
    assert result.status == 1
    assert f"sft: {folder}/old: " in result.err
    assert "1 of 2 files sent" in result.out
    assert server.has(f"{folder}/old", b"old")
    assert server.has(f"{folder}/other", b"other")


# --- what is left out, and what cannot be sent --------------------------------


def test_symbolic_links(client, server, folder):
    client.file(f"{folder}/a", b"a")
    client.file("elsewhere/b", b"b")
    base = client.place / folder
    (base / "to-file").symlink_to("../elsewhere/b")
    (base / "to-folder").symlink_to("../elsewhere")
    (base / "to-itself").symlink_to(".")
    result = client("batch", folder)
    assert result.status == 0, result
    assert server.has(f"{folder}/a", b"a")
    assert server.has(f"{folder}/to-file", b"b")
    for name in ("to-folder", "to-itself"):
        assert (
            f"sft: '{folder}/{name}' is left out: it is a symbolic link to "
            "a folder\n" in result.err
        )
    listed = server.get(f"/files?prefix={folder}/").json()["files"]
    assert len(listed) == 2


def test_a_named_link_is_followed(client, server, folder):
    client.file("elsewhere/b", b"b")
    (client.place / folder).symlink_to("elsewhere")
    assert client("batch", folder).status == 0
    assert server.has(f"{folder}/b", b"b")


def test_what_is_no_file(client, server, folder):
    client.file(f"{folder}/a", b"a")
    os.mkfifo(client.place / folder / "pipe")
    result = client("batch", folder)
    assert result.status == 0, result
    assert "pipe' is left out: it is neither a file nor a folder" in result.err
    assert server.has(f"{folder}/a", b"a")


def test_what_is_not_there_stops_no_other(client, server, folder):
    client.file(f"{folder}/a", b"a")
    (client.place / folder / "broken").symlink_to("nowhere")
    result = client("batch", "absent", folder)
    assert result.status == 1
    assert "sft: absent: " in result.err
    assert f"sft: {folder}/broken: " in result.err
    assert server.has(f"{folder}/a", b"a")
    assert "1 of 3 files sent" in result.out


def test_a_name_that_the_server_would_not_take(client, server, folder):
    client.file(f"{folder}/a", b"a")
    client.file(f"{folder}/line\nbreak", b"x")
    result = client("batch", folder)
    assert result.status == 1
    assert "line" in result.err and "1 of 2 files sent" in result.out
    assert server.has(f"{folder}/a", b"a")


def test_two_of_one_name(sft, fake):
    sft.file("x/same", b"1")
    sft.file("y/same", b"2")
    result = sft("batch", "x/same", "y/same")
    assert result.status == 2
    assert "'x/same' and 'y/same'" in result.err
    assert fake.requests == []


def test_nothing_to_send(sft, fake):
    (sft.place / "empty").mkdir()
    result = sft("batch", "empty")
    assert result.status == 2
    assert "there is no file to send" in result.err
    assert fake.requests == []


def test_too_many(sft, fake):
    (sft.place / "many").mkdir()
    for i in range(10_001):
        (sft.place / "many" / f"{i}").touch()
    result = sft("batch", "many")
    assert result.status == 2
    assert "10001 files" in result.err and "10000" in result.err
    assert fake.requests == []


# --- what is said -------------------------------------------------------------


def test_json(client, folder):
    files = tree(client, folder)
    result = client("--json", "batch", folder, "absent")
    assert result.status == 1
    document = json.loads(result.out)
    assert document["success"] is False
    assert document["total_files"] == len(files) + 1
    assert document["successful"] == len(files)
    assert document["failed"] == 1
    good = {
        r["path"]: r
        for r in document["results"]
        if r["status"] == "success"
    }
    assert set(good) == set(files)
    for name, data in files.items():
        assert good[name]["filename"] == name
        assert good[name]["hash"] == expect.sha256(data)
        assert good[name]["metadata"]["size"] == len(data)
    (bad,) = [r for r in document["results"] if r["status"] == "failed"]
    assert bad["path"] == "absent" and bad["error"] and bad["code"]


def test_quiet(client, folder):
    tree(client, folder)
    result = client("-q", "batch", folder)
    assert (result.status, result.out, result.err) == (0, "", "")


def test_it_needs_a_key(client, server, folder):
    client.file(f"{folder}/a", b"a")
    del client.env["SFT_API_KEY"]
    result = client("batch", folder)
    assert result.status == 5
    assert "SFT_API_KEY" in result.err
    assert server.lacks(f"{folder}/a")


def test_a_bar_on_a_terminal(client, folder):
    tree(client, folder)
    terminal = client.on_terminal("batch", folder)
    terminal.read("6 files ")
    assert terminal.end() == 0


# --- when it does not go well -------------------------------------------------


def result_of(name, data):
    return {
        "filename": name,
        "status": "success",
        "hash": expect.sha256(data),
        "size": len(data),
    }


def batch_answer(*results):
    failed = sum(r["status"] == "failed" for r in results)
    return {
        "success": failed == 0,
        "total_files": len(results),
        "successful": len(results) - failed,
        "failed": failed,
        "results": list(results),
    }


def posts(fake):
    return [r for r in fake.requests if r[0] == "POST"]


def test_one_request_with_a_length(sft, fake):
    fake.on(
        "POST",
        "/upload_batch",
        answered(200, batch_answer(result_of("a", b"1"), result_of("b", b""))),
    )
    sft.file("a", b"1")
    sft.file("b", b"")
    result = sft("batch", "a", "b")
    assert result.status == 0, result
    ((_, path, headers),) = posts(fake)
    assert path == "/upload_batch?paths=keep&encryption=false"
    assert int(headers["Content-Length"]) > 0
    assert "Transfer-Encoding" not in headers


def test_it_is_repeated_as_a_whole(sft, fake):
    sft.file("a", b"1")
    seen = []

    def behave(handler):
        seen.append(handler.read_body())
        if len(seen) == 1:
            reset(handler)
        elif len(seen) == 2:
            handler.answer(503, error("server_busy", "later"))
        else:
            handler.answer(200, batch_answer(result_of("a", b"1")))

    fake.on("POST", "/upload_batch", behave)
    result = sft("batch", "a")
    assert result.status == 0, result
    assert len(seen) == 3
    # the same bytes, but for what libcurl begins anew by itself
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("status,code", [(400, "invalid_parameter"),
                                         (507, "storage_full")])
def test_what_would_fail_again_is_not_repeated(sft, fake, status, code):
    sft.file("a", b"1")
    fake.on("POST", "/upload_batch", answered(status, error(code, "no, no")))
    result = sft("batch", "a")
    assert result.status == 1
    assert "no, no" in result.err
    assert len(posts(fake)) == 1


def test_the_server_holds_other_bytes(sft, fake):
    sft.file("a", b"1")
    sft.file("b", b"2")
    fake.on(
        "POST",
        "/upload_batch",
        answered(200, batch_answer(result_of("a", b"1"), result_of("b", b"3"))),
    )
    result = sft("batch", "a", "b")
    assert result.status == 1
    assert "sft: b: the server holds other bytes" in result.err
    assert "1 of 2 files sent" in result.out


@pytest.mark.parametrize("answer", [{}, {"results": []}, {"results": 1}])
def test_an_answer_about_other_files(sft, fake, answer):
    sft.file("a", b"1")
    fake.on("POST", "/upload_batch", answered(200, answer))
    result = sft("batch", "a")
    assert result.status == 1
    assert "not for the 1 that" in result.err


def test_no_server(sft):
    sft.file("a", b"1")
    result = sft("--server", "127.0.0.1:1", "batch", "a")
    assert result.status == 3


def test_interrupted(sft, fake):
    sft.file("a", b"1")
    fake.on("POST", "/upload_batch", hang)
    process = sft.begin("batch", "a")
    expect.until(lambda: posts(fake))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"nothing was kept" in err


def test_a_file_that_becomes_shorter(sft, fake):
    path = sft.place / "a"
    path.write_bytes(bytes(64 * MIB))

    def behave(handler):
        os.truncate(path, 10)
        handler.read_body()

    fake.on("POST", "/upload_batch", behave)
    result = sft("batch", "a")
    assert result.status == 1
    assert "became shorter" in result.err
