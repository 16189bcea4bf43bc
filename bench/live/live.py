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
import shutil
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

ROOT = HERE.parents[1]
EVENT = b'42["transfer_update"'
CHANGED = re.compile(rb'"updated_at":"([^"]+)"')
PATH = "/socket.io/?EIO=4&transport=websocket"


class Ours:
    name = "sftd"

    def __init__(self):
        self.place = tempfile.mkdtemp(dir="/dev/shm")
        env = {
            **os.environ,
            "SERVER_HOST": "127.0.0.1",
            "SERVER_PORT": "0",
            "UPLOAD_DIR": self.place + "/storage",
            "LOG_FILE": self.place + "/status.json",
            "LOG_FORMAT": "json",
            "AUTO_RESTART_ENABLED": "false",
            "MIN_FREE_SPACE": "0",
            "MAX_FILE_SIZE": "4G",
            "MAX_CONNECTIONS": "12000",
            "MAX_CONNECTIONS_PER_CLIENT": "0",
        }
        self.process = subprocess.Popen(
            [ROOT / "build" / "sftd"], env=env, stderr=subprocess.PIPE
        )
        for line in self.process.stderr:
            event = json.loads(line)
            if event["message"] == "listening":
                self.port = event["port"]
            if event["message"] == "ready":
                break

    def change(self, connection, i):
        connection.request("PUT", f"/upload/f{i % 100}", body=b"x")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.place)


class Node:
    name = "node socket.io"

    def __init__(self):
        self.process = subprocess.Popen(
            ["node", HERE / "server.js"], stdout=subprocess.PIPE
        )
        self.port = int(self.process.stdout.readline())

    def change(self, connection, i):
        connection.request("POST", f"/f{i % 100}", body=b"x")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def masked(text):
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


def subscriber(server, event="subscribe_all", buffer=None):
    """A WebSocket that is connected, and subscribed to that event."""
    sock = socket.socket()
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
        assert data, seen
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


def receive(socks, wanted, limit=120):
    """Reads until wanted events came: [their delays in ms] of a sample."""
    poll = select.epoll()
    by_fd = {s.fileno(): s for s in socks}
    sampled = {s.fileno() for s in socks[:: max(1, len(socks) // 100)]}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    delays, got, end = [], 0, time.monotonic() + limit
    while got < wanted and time.monotonic() < end:
        for fd, _ in poll.poll(1):
            data = by_fd[fd].recv(262144)
            assert data, "closed"
            got += data.count(EVENT)
            if fd in sampled:
                now = time.time()
                for text in CHANGED.findall(data):
                    at = datetime.fromisoformat(text.decode()[:-1] + "+00:00")
                    delays.append((now - at.timestamp()) * 1000)
    poll.close()
    assert got >= wanted, f"{got} of {wanted}"
    return delays


def broadcast(kind, scale, rate=25):
    count, changes = int(1000 * scale), int(200 * scale) or 10
    server = kind()
    socks = [subscriber(server) for _ in range(count)]
    pids = proc.tree(server.process.pid)
    before, began = proc.cpu_seconds(pids), time.monotonic()
    driver = multiprocessing.Process(
        target=drive, args=(server, changes, rate)
    )
    driver.start()
    delays = sorted(receive(socks, 2 * changes * count))
    took = time.monotonic() - began
    cpu = proc.cpu_seconds(pids) - before
    driver.join()
    for sock in socks:
        sock.close()
    server.stop()
    return {
        "delivered": 2 * changes * count,
        "seconds": round(took, 2),
        "server_cpu_seconds": cpu,
        "per_cpu_second": round(2 * changes * count / cpu),
        "p50_ms": round(delays[len(delays) // 2], 2),
        "p99_ms": round(delays[len(delays) * 99 // 100], 2),
    }


def idle(kind, scale):
    count = int(10000 * scale)
    server = kind()
    warm = [subscriber(server, None) for _ in range(50)]
    time.sleep(1)
    pids = proc.tree(server.process.pid)
    before = proc.pss_mib(pids)
    socks = [subscriber(server, None) for _ in range(count)]
    time.sleep(1)
    after = proc.pss_mib(pids)
    for sock in socks + warm:
        sock.close()
    server.stop()
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
        assert answer.startswith(b"HTTP/1.1 20"), answer
        return size / (time.monotonic() - began)


def stalled(kind, scale, rounds=9):
    """Uploads with and without, in turn, on one server each."""
    count, size = int(1000 * scale), int(1024 * scale) << 20
    alone, watched = kind(), kind()
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
    alone.stop()
    watched.stop()
    medians = {n: statistics.median(r) for n, r in rates.items()}
    return {
        "stalled": count,
        "alone_mb_s": round(medians["alone"] / 1e6),
        "watched_mb_s": round(medians["watched"] / 1e6),
        "ratio": round(medians["watched"] / medians["alone"], 3),
    }


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
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name in args.case:
        run, kinds = CASES[name]
        for number in range(1 if run is stalled else args.rounds):
            for kind in kinds[number % 2 :] + kinds[: number % 2]:
                load = os.getloadavg()[0]
                line = {"case": name, "subject": kind.name, "load1": load}
                line.update(run(kind, args.scale))
                print(json.dumps(line), flush=True)


main()
