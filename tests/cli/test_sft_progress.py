# SPDX-License-Identifier: MIT
"""The progress line, on a terminal and elsewhere."""

import re
import threading
import time

import pytest
from fake_server import error, hang, refuse_early

SIZE = 30 << 20
ERASE = "\r\x1b[K"


def slowly(go_on=None):
    """A behaviour: read some, wait, read the rest."""

    def behave(handler):
        body = handler.rfile.read(SIZE // 2)
        if go_on is None:
            time.sleep(0.7)
        else:
            go_on.wait(60)
        rest = SIZE - len(body)
        while rest > 0:
            rest -= len(handler.rfile.read(min(rest, 1 << 20)))
        handler.answer(
            201,
            {
                "success": True,
                "filename": "big",
                "hash": zeros(),
                "size": SIZE,
            },
        )

    return behave


def zeros():
    import hashlib

    return hashlib.sha256(bytes(SIZE)).hexdigest()


def drawn(text):
    """The lines that were drawn over each other."""
    return [line for line in re.split(r"\r\x1b\[K|\r\n", text) if line]


def test_a_bar_on_a_terminal(sft, fake):
    fake.on("PUT", "/upload/big", slowly())
    terminal = sft.on_terminal("upload", sft.file("big", bytes(SIZE)))
    assert terminal.end() == 0
    lines = drawn(terminal.text)
    bars = [line for line in lines if line.startswith("big ")]
    assert len(bars) >= 5
    for line in bars:
        assert len(line) <= 79
        assert re.fullmatch(
            r"big +\d+% \[=*>? *\] +[\d.]+ [KM]?i?B"
            r" +[\d.]+ [KM]?i?B/s +[\d:-]+ left",
            line,
        ), line
    assert lines[-1].startswith("uploaded big (30.0 MiB in ")
    # the bar is gone before anything else is said
    assert ERASE + "uploaded" in terminal.text


def test_the_bar_follows_the_window(sft, fake):
    go_on = threading.Event()
    fake.on("PUT", "/upload/big", slowly(go_on))
    terminal = sft.on_terminal(
        "upload", sft.file("big", bytes(SIZE)), size=(24, 120)
    )
    terminal.read("big ")
    terminal.resize(24, 40)
    before = len(terminal.text)
    time.sleep(1)
    go_on.set()
    assert terminal.end() == 0
    assert max(len(line) for line in drawn(terminal.text[:before])) == 119
    later = drawn(terminal.text[before:])
    assert len(later[-3]) == 39


def test_a_download_has_a_bar(sft, fake):
    fake.files["big"] = bytes(SIZE)
    terminal = sft.on_terminal("download", "big")
    assert terminal.end() == 0
    lines = drawn(terminal.text)
    assert any(line.startswith("big ") for line in lines)
    assert lines[-1].startswith("downloaded big (30.0 MiB")


def test_the_bar_goes_when_it_fails(sft, fake):
    refusal = refuse_early(413, error("file_too_large", "too large"))
    fake.on("PUT", "/upload/big", refusal)
    terminal = sft.on_terminal("upload", sft.file("big", bytes(SIZE)))
    assert terminal.end() == 1
    assert terminal.text.endswith(ERASE + "sft: big: too large\r\n")


def test_ctrl_c_on_a_terminal(sft, fake):
    def behave(handler):
        handler.rfile.read(1 << 20)
        hang(handler)

    fake.on("PUT", "/upload/big", behave)
    terminal = sft.on_terminal("upload", sft.file("big", bytes(SIZE)))
    terminal.read("big ")
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert ERASE + "sft: big: interrupted" in terminal.text
    assert "--chunked" in terminal.text


@pytest.mark.parametrize(
    "options,env",
    [(["-q"], {}), ([], {"TERM": "dumb"})],
)
def test_no_bar(sft, fake, options, env):
    terminal = sft.on_terminal(
        "upload", sft.file("big", bytes(SIZE)), *options, env=env
    )
    assert terminal.end() == 0
    assert "\x1b" not in terminal.text
    if options:
        assert terminal.text == ""


def test_a_name_on_the_bar_moves_no_cursor(sft, fake):
    """Only printable characters, however the name came to be."""
    name = "写" * 60 + ".bin"
    fake.on("PUT", f"/upload/{name}", slowly())
    terminal = sft.on_terminal("upload", sft.file(name, bytes(SIZE)))
    terminal.end()
    bars = [line for line in drawn(terminal.text) if "left" in line]
    assert bars
    for line in bars:
        width = sum(2 if ord(c) > 0x3000 else 1 for c in line)
        assert width <= 79
        assert "…" in line


def test_plain_lines_elsewhere(sft, fake):
    """A line every five seconds, and none for what is quick."""
    go_on = threading.Event()
    fake.on("PUT", "/upload/big", slowly(go_on))
    process = sft.begin("upload", sft.file("big", bytes(SIZE)))
    line = process.stderr.readline().decode()
    go_on.set()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert re.fullmatch(
        r"big: \d+%, [\d.]+ MiB of 30.0 MiB, [\d.]+ [KM]?i?B/s, "
        r"[\d:-]+ left\n",
        line,
    ), line
    assert err == b""
