# SPDX-License-Identifier: MIT
"""What a server that means harm can do to who asks it: nothing lies elsewhere,
no terminal is steered, no memory runs out, and the key stays here."""

import itertools
import json
import os
import resource
import socket
import threading
from contextlib import contextmanager

import pytest
from fake_server import KEY, Fake, answered, error

import tls
from sftd import Sftd

# ends a command, clears the screen (also as one character), turns the line
STEERING = "a\x1b[2J\x9b2J\u202eb\U000e0001"
HARMFUL = ("\x1b", "\x9b", "\u202e")


def is_harmless(text):
    found = [c for c in HARMFUL if c in text]
    assert not found, repr(text)
    return True


def listed(**more):
    one = {"filename": STEERING, "size": 1, "modified": "-", **more}
    return answered(200, {"files": [one], "next_cursor": None})


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_names_that_steer_a_terminal(sft, fake, options):
    # Fails without text_clean() in sft/cmd_ls.c, append_harmless() in
    # sft/out.c.
    fake.on("GET", "/files", listed())
    result = sft(*options, "ls")
    assert result.status == 0, result
    assert is_harmless(result.out)
    if options:
        (one,) = json.loads(result.out)["files"]
        assert one["filename"] == STEERING


def test_times_that_steer_a_terminal(sft, fake):
    # Fails without strspn() in text_time(), sft/text.c.
    fake.on("GET", "/files", listed(modified="\x1b[2J567890T\x1b[1m6"))
    result = sft("ls")
    assert result.status == 0, result
    assert is_harmless(result.out)


def test_errors_that_steer_a_terminal(sft, fake):
    # Fails without text_clean() in cli_say(), sft/cli.c.
    document = {"success": False, "error": STEERING, "code": "not_found"}
    fake.on("GET", "/files", answered(404, document))
    for options in ((), ("--json",), ("-v",)):
        result = sft(*options, "ls")
        assert result.status != 0
        assert is_harmless(result.out + result.err)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"files": 5},
        {"files": [], "next_cursor": "again"},
        {"files": [{"filename": "x"}], "next_cursor": "again"},
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_lists_without_an_end(sft, fake, options, document):
    # Fails without check_page() in sft/cmd_ls.c: it asks for ever.
    fake.on("GET", "/files", answered(200, document))
    result = sft(*options, "ls")
    assert result.status == 1, result
    assert "server" in result.err
    if options:
        assert json.loads(result.out)["success"] is False


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_lists_that_go_on_with_other_pages(sft, fake, options):
    """Page after page, each another: they are shown and not kept."""
    # Fails where sft/cmd_ls.c keeps a list until it is whole.
    shown = threading.Event()
    pages = itertools.count()

    def one_more(handler):
        page = next(pages)
        files = [{"filename": f"page-{page}"}]
        if page == 2:
            assert shown.wait(60)
            answered(404, error("not_found", "no more"))(handler)
            return
        document = {"files": files, "next_cursor": f"at-{page}"}
        answered(200, document)(handler)

    fake.on("GET", "/files", one_more)
    process = sft.begin(*options, "ls")
    out = b""
    while b"page-1" not in out:
        data = os.read(process.stdout.fileno(), 4096)
        assert data, "it ended"
        out += data
    shown.set()
    rest, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert b"no more" in err
    if options:
        got = json.loads(out + rest)
        names = [f["filename"] for f in got["files"]]
        assert names == ["page-0", "page-1"]
        assert (got["success"], got["code"]) == (False, "not_found")


@pytest.mark.parametrize("size", [2**63 - 1, 2**50])
@pytest.mark.parametrize("options", [(), ("--parallel", "2")])
def test_sizes_that_nothing_has(sft, fake, size, options):
    # Fails without PIECES_MAX in sft/resumable.c: there is a byte of memory for
    # each 8 MiB.
    def announce(handler):
        handler.answer(
            200, b"x", {"ETag": f'"{"ab" * 32}"', "Content-Length": size}
        )
        handler.close_connection = True

    fake.on("GET", "/download/x", announce)
    fake.on("HEAD", "/download/x", announce)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    result = sft("download", "--retry", "0", *options, "x")
    assert result.status == 1, result
    assert sft.names() == []
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after < max(before, 600 * 1024)


def test_a_redirect_does_not_get_the_key(sft, fake):
    # Fails with CURLOPT_FOLLOWLOCATION in sft/http.c.
    other = Fake()
    try:
        to = {"Location": f"{other.url}/download/x"}
        fake.on("GET", "/download/x", answered(302, b"", **to))
        result = sft("download", "x", env={"SFT_API_KEY": KEY})
        assert result.status == 1, result
        assert other.requests == []
    finally:
        other.end()


def test_what_the_server_calls_it_is_no_path(sft, fake):
    # Holds as names are those of the command line (sft/target.c).
    elsewhere = {"Content-Disposition": 'attachment; filename="../evil"'}
    fake.on(
        "GET",
        "/download/a/x",
        lambda handler: handler.send_file(b"x", headers=elsewhere),
    )
    assert sft("download", "a/x").status == 0
    assert sft.names() == ["x"]
    assert sft("download", "a/../x").status == 2


def test_a_journal_that_is_another_file(sft, fake):
    """Beside the target lies a hard link to something else, by the name that a
    journal gets."""
    # Fails without check_journal() in sft/resumable.c.
    fake.files["big"] = bytes(20 << 20)
    sft.file("mine", b"precious")
    (sft.place / ".big.sft-journal").hardlink_to(sft.place / "mine")
    result = sft("download", "big")
    assert result.status == 1, result
    assert "is not ours" in result.err
    assert (sft.place / "mine").read_bytes() == b"precious"


# --- proxies ------------------------------------------------------------------


@contextmanager
def tunnel():
    """A proxy that knows CONNECT."""
    listener = socket.create_server(("127.0.0.1", 0))
    heads = []

    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            heads.append(head)
            host, port = head.split()[1].decode().rsplit(":", 1)
            server = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}", heads
    listener.close()


def test_a_tunnel_is_no_answer_and_does_not_hear_the_key(sft, tmp_path):
    # Fails without CURLOPT_SUPPRESS_CONNECT_HEADERS in sft/http.c: the proxy's
    # answer is taken for that of the server, which lacks a hash.
    place = tmp_path / "sftd"
    place.mkdir()
    own = Sftd(place, tls.shared().settings).start()
    try:
        assert own.put("x", b"through").status_code == 201
        with tunnel() as (proxy, heads):
            result = sft(
                *("download", "x", "--server", own.url, "--ca", str(own.ca)),
                env={"https_proxy": proxy, "SFT_API_KEY": own.admin_key},
            )
        assert result.status == 0, result
        assert (sft.place / "x").read_bytes() == b"through"
        assert len(heads) == 1 and heads[0].startswith(b"CONNECT")
        assert own.admin_key.encode() not in heads[0]
    finally:
        own.end()
