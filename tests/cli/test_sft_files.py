# SPDX-License-Identifier: MIT
"""sft ls and sft rm, with the real server."""

import json

import images
import pytest
from conftest import Sft


@pytest.fixture
def filled(start):
    server = start()
    server.put("b/1", b"x" * 2048)
    server.put("a 1", b"x" * 3000)
    server.put("é", b"")
    return server


@pytest.fixture
def client(filled, tmp_path):
    one = Sft(tmp_path, filled.url)
    one.env["SFT_API_KEY"] = filled.admin_key
    return one


def lines(result):
    assert result.status == 0, result
    return [line.split(maxsplit=4) for line in result.out.splitlines()]


def test_list(client):
    got = lines(client("ls"))
    assert [line[4] for line in got] == ["a 1", "b/1", "é"]
    assert [line[:2] for line in got] == [
        ["2.9", "KiB"],
        ["2.0", "KiB"],
        ["0", "B"],
    ]
    got = lines(client("ls", "b/"))
    assert [line[4] for line in got] == ["b/1"]
    got = lines(client("ls", "--sort", "newest"))
    assert [line[4] for line in got] == ["é", "a 1", "b/1"]


def test_list_of_nothing(client):
    result = client("ls", "none")
    assert result.status == 0
    assert result.out == ""
    assert "there are no files whose names begin so" in result.err
    assert client("-q", "ls", "none").err == ""


def test_list_as_json(client):
    result = client("--json", "ls")
    got = json.loads(result.out)["files"]
    assert [f["filename"] for f in got] == ["a 1", "b/1", "é"]
    assert got[0]["size"] == 3000
    assert json.loads(client("--json", "ls", "x").out) == {"files": []}


def test_list_of_many_pages(filled, client):
    for i in range(1003):
        filled.put(f"many/{i:04}", b"")
    got = lines(client("ls", "many/"))
    assert [line[4] for line in got] == [f"many/{i:04}" for i in range(1003)]
    got = json.loads(client("--json", "ls").out)["files"]
    assert len(got) == 1006


def test_list_names_and_limit(filled, client):
    for i in range(1003):
        filled.put(f"many/{i:04}", b"")
    every = [f"many/{i:04}" for i in range(1003)]
    for limit in (1, 999, 1000, 1001, 1003, 5000):
        result = client("ls", "-1", "--limit", str(limit), "many/")
        assert result.out.splitlines() == every[:limit]
    got = json.loads(client("--json", "ls", "--limit", "2").out)["files"]
    assert [f["filename"] for f in got] == ["a 1", "b/1"]
    assert client("ls", "--names", "a").out == "a 1\n"


def test_bad_lists(client):
    result = client("ls", "--sort", "colour")
    assert result.status == 2
    assert "'--sort' is 'colour': it must be name, newest or size" in result.err
    assert client("ls", "--limit", "0").status == 2
    assert client("ls", "a", "b").status == 2


def test_remove(filled, client):
    result = client("rm", "a 1", "é")
    assert result.status == 0, result
    assert result.out == "removed a 1\nremoved é\n"
    assert filled.lacks("a 1") and filled.lacks("é")
    assert filled.has("b/1", b"x" * 2048)


def test_remove_goes_on(filled, client):
    result = client("rm", "none", "b/1")
    assert result.status == 4
    assert "none: There is no file 'none'" in result.err
    assert result.out == "removed b/1\n"
    assert filled.lacks("b/1")


def test_remove_as_json(client):
    result = client("--json", "rm", "none", "b/1")
    got = json.loads(result.out)
    assert got["success"] is False
    assert got["files"][0]["code"] == "file_not_found"
    assert got["files"][0]["filename"] == "none"
    assert got["files"][1] == {"success": True, "filename": "b/1"}


def test_remove_needs_a_key(filled, client):
    client.env.pop("SFT_API_KEY")
    result = client("rm", "a 1", "b/1")
    assert result.status == 5
    assert "SFT_API_KEY" in result.err
    assert filled.has("a 1", b"x" * 3000)
    assert client("rm").status == 2


# --- sft metadata ----------------------------------------------------------------


def test_metadata(filled, client):
    filled.put("a 1", b"x" * 3000, query="?encryption=yes")
    result = client("metadata", "a 1")
    assert result.status == 0, result
    got = dict(line.split("  ", 1) for line in result.out.splitlines())
    got = {key: value.strip() for key, value in got.items()}
    assert got["name"] == "a 1" and got["type"] == "text/plain"
    assert got["size"] == "2.9 KiB (3000 bytes)"
    assert got["encrypted"] == "yes" and got["preview"] == "-"
    assert len(got["SHA-256"]) == 64 and "image" not in got


def test_metadata_of_an_image(filled, client):
    filled.put("i.png", images.saved(images.quarters(30, 20), "PNG"))
    result = client("metadata", "i.png")
    assert "image        30 x 20 pixels\n" in result.out
    assert "preview      i.png.thumb.jpg\n" in result.out
    got = json.loads(client("--json", "metadata", "i.png").out)
    assert (got["width"], got["height"]) == (30, 20)


def test_metadata_of_nothing(client):
    result = client("metadata", "none")
    assert result.status == 4
    assert "There is no file 'none'" in result.err
    assert client("metadata").status == 2
