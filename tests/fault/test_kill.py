# SPDX-License-Identifier: MIT
"""kill -9 at random moments while eight uploads run: every file that was
acknowledged is there, whole, and no other is to be seen."""

import os
import random
import threading
import time

import pytest
import requests

import expect
import form

WRITERS = 8
ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
SEED = int(os.environ.get("KILL_SEED", "20261124"))
SIZES = (0, 1, 700, 65_536, 65_537, 300_000, 2_000_000)


class Writer(threading.Thread):
    """Uploads one file after the other until the server is gone, over a
    few names of its own; remembers what the server may show of each."""

    def __init__(self, server, number, seed):
        super().__init__(daemon=True)
        self.server = server
        self.number = number
        self.random = random.Random(seed)
        self.acknowledged = {}  # name -> sha256, of what a 2xx said
        self.attempted = {}  # name -> every sha256 since then
        self.failures = []

    def run(self):
        try:
            while self.upload():
                pass
        except Exception as e:  # what is no lost connection fails the test
            self.failures.append(repr(e))

    def upload(self):
        name = f"writer-{self.number}-{self.random.randrange(6)}"
        data = self.random.randbytes(self.random.choice(SIZES))
        digest = expect.sha256(data)
        self.attempted.setdefault(name, set()).add(digest)
        try:
            if self.random.random() < 0.5:
                response = self.server.put(name, data)
            else:
                response = form.post(self.server, form.file(data, name))
        except (requests.ConnectionError, requests.Timeout):
            return False
        if response.status_code not in (200, 201):
            self.failures.append(f"{response.status_code} {response.text}")
            return False
        assert response.json()["hash"] == digest
        self.acknowledged[name] = digest
        self.attempted[name] = {digest}
        return True


def shown(own):
    """name -> sha256 of the bytes of all that can be downloaded."""
    found = {}
    for number in range(WRITERS):
        for i in range(6):
            name = f"writer-{number}-{i}"
            response = own.download(name)
            if response.status_code == 404:
                continue
            assert response.status_code == 200, response.text
            digest = expect.sha256(response.content)
            assert response.headers["ETag"] == f'"{digest}"'
            found[name] = digest
    return found


def check_round(before, after, writers):
    """Of each name: what was acknowledged last, or one of the attempts
    after it whose answer was lost; what nobody touched stays."""
    for writer in writers:
        assert not writer.failures, writer.failures
    attempted, acknowledged = {}, {}
    for writer in writers:
        attempted.update(writer.attempted)
        acknowledged.update(writer.acknowledged)
    for name in set(before) | set(after) | set(attempted):
        allowed = set(attempted.get(name, ()))
        if name not in acknowledged:
            allowed.add(before.get(name))
        assert after.get(name) in allowed, name


def check_leavings(own, after):
    expect.until(lambda: own.files_below("temp") == [])
    # one object a file: what was replaced or never acknowledged is gone
    expect.until(lambda: len(own.files_below("objects")) == len(after))
    for transfer in own.get("/status").json()["transfers"]:
        assert transfer["status"] in ("completed", "interrupted")


@pytest.mark.timeout(500)
@pytest.mark.parametrize("durability", ["full", "relaxed"])
@pytest.mark.parametrize("supervised", ["true", "false"])
def test_rounds(start, supervised, durability):
    print(f"KILL_SEED={SEED}")
    chance = random.Random(f"{SEED} {supervised} {durability}")
    own = start(AUTO_RESTART_ENABLED=supervised, DURABILITY=durability)
    before = {}
    n_acknowledged = 0
    for number in expect.rounds(ROUNDS, lambda: n_acknowledged > ROUNDS):
        writers = [
            Writer(own, i, chance.randrange(1 << 60)) for i in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.02, 0.6))  # the random moment
        own.kill()
        for writer in writers:
            writer.join(90)
            assert not writer.is_alive()
        own.start()
        after = shown(own)
        check_round(before, after, writers)
        check_leavings(own, after)
        before = after
        n_acknowledged += sum(len(w.acknowledged) for w in writers)
