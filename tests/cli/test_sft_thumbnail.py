# SPDX-License-Identifier: MIT
"""sft thumbnail, with the real server."""

import json
from pathlib import Path

import expect
import images
import pytest
import sftd
from conftest import Sft

pytestmark = pytest.mark.skipif(
    not Path(sftd.program()).with_name("sft-preview").exists(),
    reason="built without previews",
)


@pytest.fixture
def client(server, tmp_path):
    return Sft(tmp_path, server.url)


@pytest.fixture
def image(server, names):
    name = names(".png")
    data = images.saved(images.quarters(), "PNG")
    assert server.put(name, data).status_code == 201
    return name


def is_shown(path):
    return images.shows_quarters(images.opened(path.read_bytes()))


def test_its_own_name(client, image):
    result = client("thumbnail", image)
    assert result.status == 0, result
    assert result.out == f"preview of {image} in {image}.thumb.jpg\n"
    assert client.names() == [f"{image}.thumb.jpg"]
    assert is_shown(client.place / f"{image}.thumb.jpg")


def test_a_name_with_folders(client, server, names):
    name = f"{names('')}/a b/c.png"
    server.put(name, images.saved(images.quarters(), "PNG"))
    assert client("thumbnail", name).status == 0
    assert client.names() == ["c.png.thumb.jpg"]
    assert client("thumbnail", name, "-o", "there/").status == 0
    assert client.names("there") == ["c.png.thumb.jpg"]


def test_another_name_and_none(client, image):
    assert client("thumbnail", image, "-o", "x.jpg").status == 0
    assert is_shown(client.place / "x.jpg")
    process = client.begin("thumbnail", image, "--output", "-")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == (client.place / "x.jpg").read_bytes()


def test_json(client, image):
    result = client("thumbnail", image, "-o", "x.jpg", "--json")
    assert result.status == 0, result
    told = json.loads(result.out)
    data = (client.place / "x.jpg").read_bytes()
    assert told["success"] is True and told["filename"] == image
    assert told["path"] == "x.jpg" and told["size"] == len(data)
    assert told["hash"] == expect.sha256(data)
    result = client("thumbnail", image, "-o", "-", "--json")
    assert result.status == 2, result


def test_what_is_there_stays(client, image):
    client.file("x.jpg", b"mine")
    result = client("thumbnail", image, "-o", "x.jpg")
    assert result.status == 1 and "--force" in result.err
    assert (client.place / "x.jpg").read_bytes() == b"mine"
    assert client("thumbnail", image, "-o", "x.jpg", "--force").status == 0
    assert is_shown(client.place / "x.jpg")


def test_what_there_is_none_of(client, server, name):
    result = client("thumbnail", name)
    assert result.status == 4 and result.err, result
    server.put(name, b"text")
    result = client("thumbnail", name)
    assert result.status == 4 and "no preview" in result.err, result
    result = client("thumbnail", name, "--json")
    assert json.loads(result.out)["code"] == "no_thumbnail"
    assert client.names() == []


def test_usage(client):
    assert client("thumbnail").status == 2
    assert client("thumbnail", "a", "b").status == 2
    assert client("thumbnail", "../a").status == 2
    assert client("thumbnail", "--help").status == 0
