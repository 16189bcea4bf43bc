#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: bench/live/live.py [--rounds N] [--scale F] [CASE...]

Measures live events: broadcast, idle, stalled.  README.md, beside this file,
explains the cases.  Prints a line of JSON for each measurement.
"""

import argparse
import base64
import http.client
import json
import multiprocessing
import os
import re
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import proc  # noqa: E402
from common import Failed  # noqa: E402
from servers import Server, Sftd, end_on_signals, until  # noqa: E402

EVENT = b'42["transfer_update"'
CHANGED = re.compile(rb'"updated_at":"([^"]+)"')
PATH = "/socket.io/?EIO=4&transport=websocket"
RATE = 25  # changes a second
LIMIT = 120  # seconds until all events must have come


class Ours(Sftd):
    name = "sftd"
    settings = {
        "MAX_CONNECTIONS": "12000",
        "MAX_CONNECTIONS_PER_CLIENT": "0",
    }

    def change(self, connection, i):
        connection.request("PUT", f"/upload/f{i % 100}", body=b"x")


class Node(Server):
    """The `socket.io` server of Node, with the same events."""

    name = "node socket.io"

    def start(self):
        if not (HERE / "node_modules" / "socket.io").exists():
            raise FileNotFoundError("script/bootstrap --bench brings socket.io")
        log = self.place / "log"
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                ["node", HERE / "server.js"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

        def listening():
            text = log.read_text()
            if self.process.poll() is not None:
                raise RuntimeError(f"node ended: {text}")
            return text if text.endswith("\n") else None

        self.port = int(until(listening, "node"))

    def change(self, connection, i):
        connection.request("POST", f"/f{i % 100}", body=b"x")


def masked(text):
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


def subscriber(server, event="subscribe_all", buffer=None):
    """A WebSocket that is connected, and subscribed to that event."""
    sock = socket.socket()
    sock.settimeout(20)
    if buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.connect(("127.0.0.1", server.port))
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    # Node's server loses what comes before it has said this.
    wait_for(sock, b'0{"sid"')
    sock.sendall(masked("40"))
    wait_for(sock, b'40{"sid"')
    if event:
        sock.sendall(masked(f'421["{event}"]'))
        wait_for(sock, b"431[")
    sock.setblocking(False)
    return sock


def wait_for(sock, what):
    seen = b""
    while what not in seen:
        data = sock.recv(65536)
        if not data:
            raise Failed(f"closed after {seen}")
        seen += data


def drive(server, changes, rate):
    """Makes so many changes at that rate a second."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    began = time.monotonic()
    for i in range(changes):
        time.sleep(max(0, began + i / rate - time.monotonic()))
        server.change(connection, i)
        connection.getresponse().read()
    connection.close()


def receive(socks, wanted):
    """Reads until wanted events came: [their delays in ms] of a sample."""
    poll = select.epoll()
    by_fd = {s.fileno(): s for s in socks}
    sampled = {s.fileno() for s in socks[:: max(1, len(socks) // 100)]}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    delays, got, end = [], 0, time.monotonic() + LIMIT
    while got < wanted and time.monotonic() < end:
        for fd, _ in poll.poll(1):
            data = by_fd[fd].recv(262144)
            if not data:
                raise Failed("a subscriber was closed")
            got += data.count(EVENT)
            if fd in sampled:
                now = time.time()
                for text in CHANGED.findall(data):
                    at = datetime.fromisoformat(text.decode()[:-1] + "+00:00")
                    delays.append((now - at.timestamp()) * 1000)
    poll.close()
    if got < wanted:
        raise Failed(f"{got} of {wanted} events came")
    return delays


def drive_alone(*arguments):
    """In a process of its own, which the other one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    drive(*arguments)


def broadcast(server, scale, rate=RATE):
    """What it takes to tell many of changes."""
    allow_many_files()
    count, changes = int(1000 * scale), int(200 * scale) or 10
    socks = []
    driver = multiprocessing.Process(
        target=drive_alone, args=(server, changes, rate), daemon=True
    )
    try:
        for _ in range(count):
            socks.append(subscriber(server))
        pids = server.pids()
        before, began = proc.cpu_seconds(pids), time.monotonic()
        driver.start()
        delays = sorted(receive(socks, 2 * changes * count))
        took = time.monotonic() - began
        cpu = proc.cpu_seconds(pids) - before
    finally:
        if driver.pid is not None:
            driver.terminate()
            driver.join()
        for sock in socks:
            sock.close()
    return {
        "delivered": 2 * changes * count,
        "seconds": round(took, 2),
        "server_cpu_seconds": round(cpu, 2),
        "per_cpu_second": round(2 * changes * count / max(cpu, 0.01)),
        "p50_ms": round(delays[len(delays) // 2], 2),
        "p99_ms": round(delays[len(delays) * 99 // 100], 2),
    }


def idle(server, scale):
    count = int(10000 * scale)
    warm = [subscriber(server, None) for _ in range(50)]
    time.sleep(1)
    before = proc.pss_mib(server.pids())
    socks = [subscriber(server, None) for _ in range(count)]
    time.sleep(1)
    after = proc.pss_mib(server.pids())
    for sock in socks + warm:
        sock.close()
    return {
        "sockets": count,
        "bytes_each": round((after - before) * 1024 * 1024 / count),
    }


def upload(server, size):
    data = memoryview(bytes(1 << 20))
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        began = time.monotonic()
        sock.sendall(
            b"PUT /upload/big HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\n\r\n" % size
        )
        for _ in range(size >> 20):
            sock.sendall(data)
        answer = sock.recv(65536)
        if not answer.startswith(b"HTTP/1.1 20"):
            raise Failed(f"an upload: {answer}")
        return size / (time.monotonic() - began)


def stalled(watched, scale, rounds=9):
    """Uploads with and without, in turn, on one server each."""
    with Ours(watched.place.parent / "alone") as alone:
        return compare(alone, watched, scale, rounds)


def compare(alone, watched, scale, rounds):
    count, size = int(1000 * scale), int(1024 * scale) << 20
    socks = [subscriber(watched, buffer=2048) for _ in range(count)]
    # Their sockets are full before it begins.
    drive(watched, 200, 200)
    for server in (alone, watched):
        upload(server, size)
    rates = {"alone": [], "watched": []}
    for i in range(rounds):
        pair = [("alone", alone), ("watched", watched)]
        for name, server in pair[:: 1 if i % 2 else -1]:
            rates[name].append(upload(server, size))
    for sock in socks:
        sock.close()
    medians = {n: statistics.median(r) for n, r in rates.items()}
    return {
        "stalled": count,
        "alone_mb_s": round(medians["alone"] / 1e6),
        "watched_mb_s": round(medians["watched"] / 1e6),
        "ratio": round(medians["watched"] / medians["alone"], 3),
    }


def allow_many_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


CASES = {
    "broadcast": (broadcast, [Ours, Node]),
    "idle": (idle, [Ours, Node]),
    "stalled": (stalled, [Ours]),
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[0][7:])
    parser.add_argument("case", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--rate", type=float, default=RATE)
    args = parser.parse_args()
    end_on_signals()
    allow_many_files()
    with tempfile.TemporaryDirectory(prefix="live-", dir="/dev/shm") as place:
        for name in args.case:
            measure(name, args, Path(place))


def measure(name, args, place):
    run, kinds = CASES[name]
    more = {"rate": args.rate} if run is broadcast else {}
    for number in range(1 if run is stalled else args.rounds):
        for kind in kinds[number % 2 :] + kinds[: number % 2]:
            load = os.getloadavg()[0]
            line = {"case": name, "subject": kind.name, "load1": load, **more}
            with kind(place / "server") as server:
                line.update(run(server, args.scale, **more))
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
