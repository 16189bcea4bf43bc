# SPDX-License-Identifier: MIT
"""What all cases are made of."""

import json
import subprocess

import proc
from servers import ROOT

GIB = 1 << 30
MIB = 1 << 20
KIB = 1 << 10


class Failed(Exception):
    pass


def load(server, *arguments, limit=120):
    """Run the load generator; its object."""
    done = subprocess.run(
        [
            ROOT / "build" / "bench_load",
            "--port",
            str(server.port),
            "--limit",
            str(limit),
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        timeout=limit + 30,
    )
    if done.returncode == 2:
        raise Failed(done.stderr.strip())
    result = json.loads(done.stdout)
    if result["timed_out"] or result["failed"]:
        raise Failed(f"{result['failed']} failed: {result['error']}")
    return result


def warm_up(server, size):
    """Threads, caches and the first pages, before the clock runs."""
    load(server, "--target", server.health, "--requests", 50)
    load(server, *server.put("warm-#"), "--requests", 10, "--size", 4096)
    load(server, *server.put("warm"), "--requests", 1, "--size", size)


def measured(server, *arguments):
    """A run of the load generator with what it took the server."""
    pids = server.pids()
    before = proc.cpu_seconds(pids)
    result = load(server, *arguments)
    result["server_cpu_seconds"] = proc.cpu_seconds(pids) - before
    return result


class Row:
    """One subject of a case: a server (or None) and how it is measured."""

    def __init__(self, name, server, run):
        self.name = name
        self.server = server
        self.run = run


class Case:
    def __init__(self, name, unit, rows):
        self.name = name
        self.unit = unit
        self.rows = rows


def ratio(name, value, target, at_least=True):
    reached = value >= target if at_least else value <= target
    return name, value, target, at_least, reached
