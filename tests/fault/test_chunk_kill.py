# SPDX-License-Identifier: MIT
"""kill -9 at random moments of uploads in chunks: what was acknowledged is
there after it, and never has to be sent again."""

import os
import random
import threading
import time

import pytest
import requests

import expect
from chunks import Upload, content, sha

ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
SEED = int(os.environ.get("KILL_SEED", "20261126"))
CLIENTS = 4
CUTS = (65536, 65536, 131072, 10_000, 300_000)


def random_chunks(chance):
    """Mostly of one size, as clients have them; some of any."""
    size = chance.choice(CUTS)
    count = chance.randrange(2, 12)
    odd = chance.random() < 0.3
    return [
        content(chance.randrange(0, 2 * size), chance.random())
        if odd or i + 1 == count
        else content(size, chance.random())
        for i in range(count)
    ]


class Client(threading.Thread):
    """Sends the chunks of one file in any order, until the server goes."""

    def __init__(self, name, seed, encryption):
        super().__init__(daemon=True)
        self.chance = random.Random(seed)
        self.name = name
        self.encryption = encryption
        self.failures = []
        self.files = 0
        self.begin()

    def begin(self):
        pieces = random_chunks(self.chance)
        self.up = Upload(
            None,
            f"{self.name}-{self.files}",
            pieces,
            encryption=self.encryption,
            file_hash=sha(b"".join(pieces)),
        )
        self.acknowledged = set()

    def copy(self, server):
        """The same client, for another round."""
        other = Client.__new__(Client)
        threading.Thread.__init__(other, daemon=True)
        for key in ("chance", "name", "encryption", "files", "up"):
            setattr(other, key, getattr(self, key))
        other.acknowledged = self.acknowledged
        other.failures = []
        other.up.server = server
        return other

    def run(self):
        try:
            while True:
                self.send_missing()
        except (requests.ConnectionError, requests.Timeout):
            pass
        except Exception as e:
            self.failures.append(repr(e))

    def check(self):
        """The file is there; a download that is cut is the server's end."""
        response = self.up.server.download(self.up.name)
        assert response.status_code == 200, response.text
        if len(response.content) < int(response.headers["Content-Length"]):
            raise requests.ConnectionError("cut short")
        assert response.content == self.up.data()

    def send_missing(self):
        info = self.up.resume_info()
        there = set(info["received_chunks"])
        if info["can_resume"]:
            assert self.acknowledged <= there, (self.acknowledged, there)
        elif self.acknowledged:
            # The answer that it is complete was lost.
            self.check()
            self.files += 1
            self.begin_next()
            return
        missing = [i for i in range(len(self.up.chunks)) if i not in there]
        number = self.chance.choice(missing)
        response = self.up.send(number)
        assert response.status_code == 200, response.text
        self.acknowledged.add(number)
        if response.json()["status"] == "completed":
            self.check()
            self.files += 1
            self.begin_next()

    def begin_next(self):
        server = self.up.server
        self.begin()
        self.up.server = server


@pytest.mark.timeout(600)
@pytest.mark.parametrize("encryption", ["false", "true"])
@pytest.mark.parametrize("durability", ["full", "relaxed"])
def test_rounds(start, encryption, durability):
    print(f"KILL_SEED={SEED}")
    chance = random.Random(f"{SEED} {encryption} {durability}")
    own = start(DURABILITY=durability)
    clients = [
        Client(f"client-{i}", chance.randrange(1 << 60), encryption)
        for i in range(CLIENTS)
    ]
    for _ in expect.rounds(
        ROUNDS, lambda: sum(c.files for c in clients) > ROUNDS / 3
    ):
        clients = [c.copy(own) for c in clients]
        for client in clients:
            client.start()
        time.sleep(chance.uniform(0.02, 0.5))  # the random moment
        own.kill()
        for client in clients:
            client.join(90)
            assert not client.is_alive()
            assert not client.failures, client.failures
        own.start()
    # What is under way can be brought to its end.
    for client in [c.copy(own) for c in clients]:
        before = client.files
        while client.files == before:
            client.send_missing()
    expect.until(lambda: own.files_below("temp") == [])
    expect.until(
        lambda: len(own.files_below("objects"))
        == sum(c.files for c in clients) + CLIENTS
    )
    assert own.files_below("lost") == []
