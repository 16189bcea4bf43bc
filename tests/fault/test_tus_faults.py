# SPDX-License-Identifier: MIT
"""A crash at each named point of a tus upload, and kill -9 at random
moments of many: what HEAD said was there is there afterwards."""

import os
import random
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests

import expect
from chunks import content, sha
from test_fault_points import POINTS, ended_by_the_fault, launch

V = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
# Chunks are folded elsewhere (test_chunk_faults.py).
ONLY_CHUNKS = ("session.folded", "session.front_", "session.moved_aside")
TUS = [
    p
    for p in POINTS
    if p.startswith(("append.", "session.")) and not p.startswith(ONLY_CHUNKS)
]
DATA = content(300_000, "tus")
STEPS = (1, 70_000, 65_536, 100_000, 300_000)
ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
SEED = int(os.environ.get("KILL_SEED", "20261127"))
CLIENTS = 4


def encode(text):
    import base64

    return base64.b64encode(text.encode()).decode()


class Client:
    """One file, in PATCHes of several sizes."""

    def __init__(self, name, data, encryption):
        self.name = name
        self.data = data
        self.encryption = encryption
        self.path = None
        self.at = 0  # acknowledged

    def begin(self, own):
        metadata = (
            f"filename {encode(self.name)},"
            f"encryption {encode(self.encryption)}"
        )
        response = own.post(
            "/tus/",
            headers={
                **V,
                "Upload-Length": str(len(self.data)),
                "Upload-Metadata": metadata,
            },
        )
        assert response.status_code == 201, response.text
        self.path = urlsplit(response.headers["Location"]).path
        self.at = 0

    def look(self, own):
        """Where the server is; never behind what it acknowledged."""
        response = own.head(self.path, headers=V)
        assert response.status_code == 200, response.status_code
        at = int(response.headers["Upload-Offset"])
        assert at >= self.at, (at, self.at)
        self.at = at

    def append(self, own, n):
        piece = self.data[self.at : self.at + n]
        response = own.ask(
            "PATCH",
            self.path,
            data=piece,
            headers={**V, **BYTES, "Upload-Offset": str(self.at)},
        )
        assert response.status_code == 204, response.text
        self.at += len(piece)

    def is_done(self):
        return self.path is not None and self.at == len(self.data)


def go_on(client, own):
    """Is the file there?  False: the server went."""
    try:
        if client.path is None:
            client.begin(own)
        else:
            client.look(own)
        for n in STEPS:
            if not client.is_done():
                client.append(own, n)
        client.look(own)
        return True
    except requests.ConnectionError:
        return False


def remove_another(own):
    other = Client("removed", b"abc", "true")
    try:
        other.begin(own)
        other.append(own, 2)
        own.delete(other.path, headers=V)
    except requests.ConnectionError:
        pass


@pytest.mark.parametrize("encryption", ["false", "true"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", TUS)
def test_a_crash_there(faulty, start, point, nth, encryption):
    own = start(AUTO_RESTART_ENABLED="false")
    own.stop()
    client = Client("file", DATA, encryption)
    assert launch(own, f"{point}:{nth}")
    if go_on(client, own):
        remove_another(own)
    if not ended_by_the_fault(own):
        assert nth > 1, f"{point} was not passed"
    own.start()
    assert go_on(client, own)
    expect.until(lambda: own.download("file").ok)
    assert own.has("file", DATA)
    own.post("/cancel/removed", headers=own.as_admin)
    own.post("/cancel/file", headers=own.as_admin)  # one never told of
    expect.until(lambda: own.files_below("temp") == [])
    expect.until(lambda: len(own.files_below("objects")) == 1)
    assert own.files_below("lost") == []


class Sender(threading.Thread):
    """Appends in steps of any size until the server goes."""

    def __init__(self, own, client, chance):
        super().__init__(daemon=True)
        self.own = own
        self.client = client
        self.chance = chance
        self.failures = []

    def run(self):
        client = self.client
        try:
            if client.path is None:
                client.begin(self.own)
            client.look(self.own)
            while not client.is_done():
                n = self.chance.choice((1, 777, 65_536, 65_537, 400_000))
                client.append(self.own, n)
        except (requests.ConnectionError, requests.Timeout):
            pass
        except Exception as e:
            self.failures.append(repr(e))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("encryption", ["false", "true"])
@pytest.mark.parametrize("durability", ["full", "relaxed"])
def test_rounds(start, encryption, durability):
    print(f"KILL_SEED={SEED}")
    chance = random.Random(f"{SEED} {encryption} {durability}")
    own = start(DURABILITY=durability)
    done = []
    clients = []
    for number in expect.rounds(ROUNDS, lambda: len(done) > ROUNDS / 3):
        while len(clients) < CLIENTS:
            data = content(chance.randrange(3_000_000), chance.random())
            name = f"file-{len(done) + len(clients)}-{number}"
            clients.append(Client(name, data, encryption))
        senders = [
            Sender(own, c, random.Random(chance.random())) for c in clients
        ]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.02, 0.3))  # the random moment
        own.kill()
        for sender in senders:
            sender.join(90)
            assert not sender.is_alive()
            assert not sender.failures, sender.failures
        own.start()
        for client in [c for c in clients if c.is_done()]:
            expect.until(lambda c=client: own.download(c.name).ok)
            etag = own.head(f"/download/{client.name}").headers["ETag"]
            assert etag == f'"{sha(client.data)}"'
            assert own.has(client.name, client.data)
            clients.remove(client)
            done.append(client)
