# SPDX-License-Identifier: MIT
"""The kernel refuses, interrupts or shortens what the server asks of it: what
was acknowledged stays, what was not leaves nothing, and when it is over all
works again."""

import errno
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import chunks
import expect
import pytest
import requests
import sftd
from chunks import content, cut

LIBRARY = sftd.ROOT / "build" / "libfail_call.so"
PROGRAM = sftd.ROOT / "build" / "sftd"
ROUNDS = 40

CASES = [
    # call, what becomes of it, of every nth, at most so often
    ("pwrite64", errno.ENOSPC, 3, 4),
    ("pwrite64", errno.EDQUOT, 3, 4),
    ("pwrite64", errno.EROFS, 3, 4),
    ("pwrite64", errno.EIO, 5, 4),
    ("pwrite64", errno.EINTR, 2, 200),
    ("pwrite64", "short", 2, 200),
    ("pread64", errno.EIO, 7, 4),
    ("pread64", "short", 2, 200),
    ("fdatasync", errno.EIO, 4, 4),
    ("fdatasync", errno.ENOSPC, 3, 4),
    ("fdatasync", "slow", 9, 3),
    ("fsync", errno.EIO, 3, 4),
    ("fallocate64", errno.ENOSPC, 2, 200),
    ("fallocate64", errno.EDQUOT, 2, 200),
    ("renameat", errno.EIO, 3, 200),
    ("openat64", errno.EMFILE, 4, 200),
    ("openat64", errno.ENFILE, 4, 200),
    ("openat64", errno.EROFS, 4, 200),
    ("accept4", errno.EMFILE, 2, 200),
    ("accept4", errno.ENFILE, 2, 200),
    ("accept4", errno.ENOMEM, 2, 200),
    ("accept4", errno.ECONNABORTED, 2, 200),
    ("recv", errno.EINTR, 2, 200),
    ("recv", "short", 2, 200),
    ("send", errno.EINTR, 3, 200),
    ("sendmsg", errno.EINTR, 3, 200),
    ("sendfile64", errno.EINTR, 2, 200),
    ("sendfile64", "short", 2, 200),
]


class Switch:
    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, times):
        with open(self.path, "r+b" if self.path.exists() else "wb") as f:
            f.write(bytes([times]))


@pytest.fixture
def failing(start, tmp_path, monkeypatch):
    if not LIBRARY.exists() or not PROGRAM.exists():
        pytest.skip("needs script/build")
    monkeypatch.setenv("SFTD", str(PROGRAM))

    def begin(call, error, every):
        switch = Switch(tmp_path / "switch")
        server = start(
            LD_PRELOAD=LIBRARY,
            SFT_FAIL_CALL=f"{call}:{error}:{every}",
            SFT_FAIL_SWITCH=switch.path,
        )
        # A commit whose outcome is unknown ends the server (rule 4).
        server.may_restart = True
        return server, switch

    return begin


class Load:
    """Uploads of all kinds, one after the other, and what came of them."""

    def __init__(self, server, rng):
        self.server = server
        self.rng = rng
        self.sure = {}  # name: the bytes that must be there
        self.open = set()  # names of which nobody knows

    def put(self, name, data, query):
        return self.server.put(name, data, query, timeout=30)

    def form(self, name, data, query):
        fields = {"encryption": "true"} if "encryption" in query else {}
        return self.server.form(name, data, fields, timeout=30)

    def in_chunks(self, name, data, query):
        up = chunks.Upload(self.server, name, cut(data, 40_000))
        response = None
        for n in range(len(up.chunks)):
            response = up.send(n)
            if not response.ok:
                break
        return response

    def one(self, number, how=None):
        name = f"f{number % 12}"
        data = content(self.rng.choice((100, 5_000, 90_000, 300_000)))
        query = self.rng.choice(("", "?encryption=true"))
        kinds = (self.put, self.form, self.in_chunks)
        how = how or self.rng.choice(kinds)
        try:
            response = how(name, data, query)
        except requests.RequestException:
            self.open.add(name)
            return
        if response.ok:
            assert response.json()["status"] == "completed"
            self.sure[name] = data
            self.open.discard(name)
        else:
            expect.error(response, response.status_code)
            # All chunks may be there, and become a file yet; not of a name
            # that has been sure since.
            if how == self.in_chunks:
                self.open.add(name)

    def look(self, name):
        """What comes whole is right."""
        try:
            response = self.server.download(name, timeout=30)
        except requests.RequestException:
            return
        if response.ok and name not in self.open:
            assert response.content == self.sure[name]
        elif not response.ok:
            expect.error(response, response.status_code)


@pytest.mark.parametrize("call, error, every, times", CASES, ids=str)
def test_a_call_fails_now_and_then(failing, call, error, every, times):
    server, switch = failing(call, error, every)
    load = Load(server, random.Random(1))
    for number in range(6):
        load.one(number)
    assert len(load.sure) == 6
    switch.set(times)
    for number in range(ROUNDS):
        load.one(number)
        load.look(load.rng.choice(sorted(load.sure)))
    switch.set(0)
    expect.until(lambda: server.get("/health").ok)
    # Chunks of a session that broke off would be in the way of others.
    for number in range(12):
        load.one(number, load.put)
    assert len(load.sure) == 12 and not load.open
    for name, data in load.sure.items():
        assert server.has(name, data)
    done = subprocess.run(
        [PROGRAM, "verify"],
        env={**server.environment(), "LD_PRELOAD": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT], ids=str)
def test_no_space_is_told_as_such(failing, error):
    # Not of writes: the next one may be the database's.
    server, switch = failing("fallocate64", error, 1)
    server.put("kept", b"kept")
    data = content(3_000_000)
    switch.set(200)
    expect.error(server.put("large", data), 507, "storage_full")
    switch.set(0)
    assert server.lacks("large") and server.has("kept", b"kept")
    expect.uploaded(server.put("large", data), "large", data, status=201)


def test_a_slow_disk_holds_up_only_who_writes(failing):
    server, switch = failing("fdatasync", "slow", 1)
    server.put("kept", b"kept")
    switch.set(3)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.put, "new", b"new", timeout=30)
        looked = 0
        while not slow.done():
            assert server.has("kept", b"kept")
            assert server.get("/health").ok
            looked += 1
    assert looked > 2
    expect.uploaded(slow.result(), "new", b"new", status=201)
    assert server.starts == 1 and server.child == server.server_pid()


@pytest.mark.parametrize("ways", [(1, 2), (2, 1)], ids=["ahead", "back"])
def test_the_clock_jumps(failing, ways):
    """By an hour, there and to the other side."""
    server, switch = failing("clock_gettime", 3600, 1)
    server.put("a", b"before")
    whole = content(90_000)
    up = chunks.Upload(server, "b", cut(whole, 40_000))
    assert up.send(0).ok
    for number, way in enumerate((*ways, 0)):
        switch.set(way)
        data = b"after %d" % number
        expect.uploaded(server.put("a", data), "a", data, status=200)
        assert server.has("a", data)
        # The newest is whose bytes are there, whatever time it bears.
        assert server.status("a")["checksum"] == expect.sha256(data)
        assert up.send(number).ok
    assert server.has("b", whole)
    assert server.child == server.server_pid()
    server.restart()
    assert server.has("a", data) and server.has("b", whole)
    assert server.status("a")["checksum"] == expect.sha256(data)


def test_what_failed_at_its_end_replaces_nothing_newer(failing):
    """All chunks are there, and the file could not be made of them; then
    another one of that name comes."""
    server, switch = failing("renameat2", errno.EIO, 1)
    up = chunks.Upload(server, "f", [b"the older one"])
    switch.set(200)
    expect.error(up.send(0), 500)
    switch.set(0)
    expect.uploaded(server.put("f", b"newer"), "f", b"newer", status=201)
    # Whoever asks what there is to go on with has nothing made of it.
    up.resume_info()
    assert server.has("f", b"newer")
    # Its client does.
    assert up.send(0).json()["status"] == "completed"
    assert server.has("f", b"the older one")
