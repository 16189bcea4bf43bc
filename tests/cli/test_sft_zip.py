# SPDX-License-Identifier: MIT
"""sft download --zip, with the real server."""

import json
import os
import zipfile

import pytest
from conftest import Sft

MIB = 1 << 20


@pytest.fixture
def filled(start):
    server = start()
    server.put("b/1 &?", b"x" * 2048)
    server.put("a", b"secret", "?encryption=true")
    return server


@pytest.fixture
def client(filled, tmp_path):
    place = tmp_path / "client"
    place.mkdir()
    one = Sft(place, filled.url)
    one.env["SFT_API_KEY"] = filled.admin_key
    return one


def contents(path):
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        return {n: z.read(n) for n in z.namelist()}


FILES = {"b/1 &?": b"x" * 2048, "a": b"secret"}


def test_zip(client):
    result = client("download", "--zip", "b/1 &?", "a", "-o", "x.zip")
    assert result.status == 0, result
    assert result.out.startswith("downloaded download.zip to x.zip (")
    assert contents(client.place / "x.zip") == FILES
    result = client("download", "--zip", *FILES)
    assert result.status == 0, result
    assert contents(client.place / "download.zip") == FILES
    result = client("download", "--zip", *FILES)
    assert result.status == 1
    assert "exists" in result.err or "there" in result.err


def test_zip_as_json(client):
    result = client("--json", "download", "--zip", *FILES, "-o", "d/")
    got = json.loads(result.out)
    assert got["success"] is True
    assert got["files"][0]["path"] == "d/download.zip"
    assert contents(client.place / "d" / "download.zip") == FILES


def test_more_names_than_an_address_holds(filled, client):
    files = {f"{'n' * 60}{i:03}": b"%d" % i for i in range(150)}
    for name, data in files.items():
        filled.put(name, data)
    result = client("download", "--zip", *files, "-o", "x.zip")
    assert result.status == 0, result
    assert contents(client.place / "x.zip") == files


def test_a_large_one_in_parts(filled, client):
    data = os.urandom(20 * MIB)
    filled.put("large", data)
    result = client(
        "download", "--zip", "a", "large", "--parallel", "3", "-o", "x.zip"
    )
    assert result.status == 0, result
    assert contents(client.place / "x.zip") == {"a": b"secret", "large": data}
    assert client.names() == ["x.zip"]


def test_zip_to_a_pipe(client):
    with open(client.place / "x.zip", "wb") as f:
        process = client.begin(
            "download", "--zip", *FILES, "-o", "-", stdout=f
        )
        _, err = process.communicate()
    assert process.returncode == 0, err
    assert contents(client.place / "x.zip") == FILES


def test_missing(client):
    result = client("download", "--zip", "a", "none", "-o", "x.zip")
    assert result.status == 4
    assert "There is no file 'none'" in result.err
    assert client.names() == []


def test_refused(client):
    assert client("download", "--zip", "--raw", "a").status == 2
    client.env.pop("SFT_API_KEY")
    result = client("download", "--zip", "a")
    assert result.status == 5
    assert client.names() == []
