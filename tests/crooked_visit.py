# SPDX-License-Identifier: MIT
"""What runs beside a crooked line: a server on the near end of it, and a
client that reaches it over the far end; prints what both said, as JSON.

    crooked_visit.py DIRECTORY BYTES
"""

import json
import os
import sys
import time
from pathlib import Path

import requests

from crooked import FAR, NEAR
from sftd import Sftd


class Visitor:
    """A client on one connection."""

    def __init__(self, host, port):
        self.base = f"http://{host}:{port}"
        self.session = requests.Session()
        self.session.trust_env = False

    def ping(self):
        url = f"{self.base}/ping"
        return self.session.post(url, json={}, timeout=60).json()

    def send(self, data):
        """The rate at which that went."""
        began = time.monotonic()
        self.session.put(f"{self.base}/upload/a", data=data, timeout=120)
        return len(data) / (time.monotonic() - began)

    def fetch(self):
        url = f"{self.base}/download/a"
        return self.session.get(url, timeout=120).content


def main():
    data = os.urandom(int(sys.argv[2]))
    server = Sftd(Path(sys.argv[1]), {"SERVER_HOST": NEAR}).start()
    far = Visitor(FAR, server.port)
    said = {"rate": far.send(data), "sent": far.ping()}
    # what the server sends tells it of what was sent again
    said["is_whole"] = far.fetch() == data
    said["fetched"] = far.ping()
    said["near"] = Visitor(NEAR, server.port).ping()
    Path(os.environ["LINE_STRAIGHT"]).touch()
    for _ in range(50):
        said["straight"] = Visitor(FAR, server.port).ping()
        if said["straight"]["rtt_ms"] < 50:
            break
    said["log"] = [
        [e["message"], e["client"]]
        for e in server.log.events()
        if e.get("message", "").startswith("connection ")
    ]
    server.end()
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
