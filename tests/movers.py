# SPDX-License-Identifier: MIT
"""Clients that hold a place: an upload that moves, at a rate, until told."""

import threading
from urllib.parse import quote

import expect
from raw import head

# More than a transfer may be slow with, and little for a test.
FAST = 512 * 1024
STEP_S = 0.05


class Mover:
    """A PUT of size bytes that sends rate bytes a second; finish() sends the
    rest at once and gives the answer."""

    method = "PUT"

    def __init__(self, server, name, size=64 << 20, rate=FAST, query=""):
        self.server = server
        self.name = name
        request = self.request(name, size, query)
        self.sent = 0
        self.step = max(1, int(rate * STEP_S))
        self.over = threading.Event()
        self.raw = server.raw()
        self.raw.send(request)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def request(self, name, size, query):
        """The head; and self.data is the body."""
        self.data = bytes(size)
        return head(
            "PUT", f"/upload/{quote(name)}{query}", ("Content-Length", size)
        )

    def _run(self):
        while not self.over.wait(STEP_S) and self.sent < len(self.data):
            try:
                self.raw.send(self.data[self.sent : self.sent + self.step])
            except OSError:
                return
            self.sent += self.step

    def stop(self):
        self.over.set()
        self.thread.join()

    def finish(self):
        self.stop()
        self.raw.send(self.data[self.sent :])
        return self.raw.response(self.method)

    def __enter__(self):
        expect.until(lambda: self.moved() > 0)
        return self

    def __exit__(self, *_):
        self.stop()
        self.raw.close()

    def moved(self):
        return self.server.status(self.name)["transferred_bytes"]
