# SPDX-License-Identifier: MIT
"""Fixtures of the client's tests.

fake   a server of the test's own that can be told to misbehave
sft    runs the client against it: sft("upload", "a.txt") in the test's
       directory, and gives status, out and err
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from fake_server import Fake

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60  # sanitized programs on a busy machine take a while


def program():
    return os.environ.get("SFT", str(ROOT / "build" / "sft"))


def plain_signals():
    """As a shell starts programs, whatever the tests were started by."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def __repr__(self):
        return f"status {self.status}\nout: {self.out}\nerr: {self.err}"


class Terminal:
    """The client on a terminal of its own."""

    def __init__(self, command, env, cwd, size):
        self.screen, theirs = pty.openpty()
        self.resize(*size)
        self.text = ""

        def prepare():
            plain_signals()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=prepare,
        )
        os.close(theirs)

    def resize(self, rows, columns):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, size)

    def type(self, keys):
        os.write(self.screen, keys)

    def read(self, wanted=None):
        """Until the text has what is wanted, or the program ends."""
        end = time.monotonic() + LIMIT
        while wanted is None or wanted not in self.text:
            left = end - time.monotonic()
            assert left > 0, f"no {wanted!r} in {self.text!r}"
            if not select.select([self.screen], [], [], left)[0]:
                continue
            try:
                data = os.read(self.screen, 65536)
            except OSError:  # the program has closed it
                break
            self.text += data.decode("utf-8", "replace")
        assert wanted is None or wanted in self.text, self.text
        return self.text

    def end(self):
        """Its exit status."""
        self.read()
        status = self.process.wait(LIMIT)
        os.close(self.screen)
        return status


class Sft:
    def __init__(self, place, url):
        self.place = place
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(place),
            "TERM": "xterm",
            "SFT_SERVER": url,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        if os.environ.get("SFT_JITTER"):  # script/test jitter
            self.env["LD_PRELOAD"] = os.environ["SFT_JITTER"]

    def __call__(self, *arguments, stdin=None, env=None, cwd=None):
        process = self.begin(*arguments, env=env, cwd=cwd)
        try:
            out, err = process.communicate(stdin, LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Result(
            process.returncode,
            out.decode("utf-8", "surrogateescape"),
            err.decode("utf-8", "surrogateescape"),
        )

    def begin(self, *arguments, env=None, cwd=None, **streams):
        """Starts it and gives the process."""
        options = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **streams,
        }
        return subprocess.Popen(
            [program(), *arguments],
            env={**self.env, **(env or {})},
            cwd=cwd or self.place,
            preexec_fn=plain_signals,
            **options,
        )

    def on_terminal(self, *arguments, size=(24, 80), env=None):
        return Terminal(
            [program(), *arguments],
            {**self.env, **(env or {})},
            self.place,
            size,
        )

    def file(self, name, content=b"some bytes\n"):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return name

    def names(self, folder="."):
        """All that lies there, hidden files, too."""
        return sorted(p.name for p in (self.place / folder).iterdir())


@pytest.fixture
def fake():
    one = Fake()
    yield one
    one.end()


@pytest.fixture
def sft(fake, tmp_path):
    return Sft(tmp_path, fake.url)
