# SPDX-License-Identifier: MIT
"""The client and the server over TLS: whom it trusts, and what it says when
it does not."""

import os
import socket

import pytest

import tls
from sftd import Sftd


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def start(tmp_path):
    servers = []

    def start_one(pair):
        one = Sftd(tmp_path / f"sftd{len(servers)}", pair.settings)
        one.place.mkdir()
        servers.append(one)
        return one.start()

    yield start_one
    for one in servers:
        one.end()


@pytest.fixture
def own(start, authority):
    return start(authority.issue())


def refused(sft, own, *options, env=None):
    result = sft("health", "--server", own.url, *options, env=env)
    assert result.status == 3, result
    assert f"cannot trust {own.url}" in result.err
    assert len(result.err.splitlines()) == 1
    return result.err


def test_files_there_and_back(sft, own):
    options = ("--server", own.url, "--ca", str(own.ca))
    content = os.urandom(20 << 20)
    path = sft.file("a.bin", content)
    assert sft("upload", path, *options).status == 0
    for more in ((), ("--parallel", "3"), ("--resume",)):
        result = sft("download", "a.bin", *options, *more, "-o", "back.bin")
        assert result.status == 0, result
        back = sft.place / "back.bin"
        assert back.read_bytes() == content
        back.unlink()
    # as the environment says it
    env = {"SFT_CA": str(own.ca), "SFT_SERVER": own.url}
    assert sft("health", env=env).status == 0


def test_an_unknown_authority(sft, own):
    said = refused(sft, own)
    assert "--ca FILE" in said and "--insecure" in said
    assert sft("health", "--server", own.url, "--insecure").status == 0


def test_another_authority(sft, own, tmp_path_factory):
    other = tls.Authority(tmp_path_factory.mktemp("other"))
    assert "--ca" in refused(sft, own, "--ca", str(other.ca))
    assert "--ca" in refused(sft, own, env={"SFT_CA": str(other.ca)})


def test_another_host(sft, start, authority):
    own = start(authority.issue("elsewhere", names=("DNS:files.example",)))
    said = refused(sft, own, "--ca", str(own.ca))
    assert "another host" in said and "--server" in said
    assert "--insecure" not in said


def test_an_expired_certificate(sft, start, authority):
    dates = ("20240101000000Z", "20240201000000Z")
    own = start(authority.issue("gone", dates=dates))
    assert "has expired" in refused(sft, own, "--ca", str(own.ca))


def test_a_certificate_of_the_future(sft, start, authority):
    dates = ("20980101000000Z", "20990101000000Z")
    own = start(authority.issue("future", dates=dates))
    assert "not valid yet" in refused(sft, own, "--ca", str(own.ca))


def test_an_authority_that_is_none(sft, own):
    absent = "no-such-file.pem"
    result = sft("health", "--server", own.url, "--ca", absent)
    assert result.status == 2
    assert absent in result.err
    junk = sft.file("junk.pem", b"no certificate\n")
    result = sft("health", "--server", own.url, "--ca", junk)
    assert result.status == 3
    assert junk in result.err and "PEM" in result.err


def test_plain_http_to_the_port_of_tls(sft, own):
    result = sft("health", "--server", f"http://{own.host}:{own.port}")
    assert result.status != 0
    assert "https://" in result.err


def test_tls_to_a_port_of_plain_http(sft, authority, tmp_path):
    place = tmp_path / "plain"
    place.mkdir()
    one = Sftd(place, {"TLS_CERT": None, "TLS_KEY": None}).start()
    try:
        result = sft("health", "--server", f"https://{one.host}:{one.port}")
        assert result.status == 3
        assert "http://" in result.err
        assert len(result.err.splitlines()) == 1
    finally:
        one.end()


def test_who_says_nothing(sft):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        result = sft(
            *("health", "--timeout", "1"),
            *("--server", f"https://127.0.0.1:{port}"),
        )
    assert result.status == 3
    assert "no answer within 1 s" in result.err
