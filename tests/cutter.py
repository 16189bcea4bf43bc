# SPDX-License-Identifier: MIT
"""A forwarder between clients and a server that cuts connections after
random counts of bytes, as bad networks do."""

import random
import socket
import threading


class Cutter:
    """Forwards to a server; cuts `cuts` connections after at most `within`
    bytes of a direction, and then no more."""

    def __init__(self, server, seed, cuts, within):
        self.target = (server.host, server.port)
        self.random = random.Random(seed)
        self.left = cuts
        self.within = within
        self.made = 0  # cuts
        self.passed = 0  # bytes, from the server
        self.hold_after = None  # so many of them, and then nothing
        self.held = None  # an event
        self.lock = threading.Lock()
        self.is_open = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_open = False
        # wakes accept()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self.listener.close()

    def _limit(self):
        """How many bytes may pass before the next cut; None: all."""
        with self.lock:
            if self.left == 0:
                return None
            return self.random.randrange(1, self.within)

    def _may_cut(self):
        with self.lock:
            if self.left == 0:
                return False
            self.left -= 1
            self.made += 1
            return True

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            if not self.is_open:
                client.close()
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            for a, b in ((client, server), (server, client)):
                threading.Thread(
                    target=self._forward,
                    args=(a, b, self._limit(), b is client),
                    daemon=True,
                ).start()

    def _hold(self, n):
        """Are these n bytes to be kept back?"""
        with self.lock:
            if self.hold_after is None or self.passed + n <= self.hold_after:
                return False
        self.held.set()
        return True

    def _forward(self, source, target, limit, from_server):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if from_server and self._hold(len(data)):
                    continue
                if limit is not None and len(data) >= limit:
                    if self._may_cut():
                        target.sendall(data[:limit])
                        self._reset(source)
                        self._reset(target)
                        return
                    limit = None
                elif limit is not None:
                    limit -= len(data)
                target.sendall(data)
                if from_server:
                    with self.lock:
                        self.passed += len(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self._reset(source)
            self._reset(target)

    @staticmethod
    def _reset(sock):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()
