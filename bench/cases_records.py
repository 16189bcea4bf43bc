# SPDX-License-Identifier: MIT
"""The cases of a long history, and of a long queue."""

from common import KIB, MIB, Case, Row, load, measured, ratio, warm_up
from records import ADDRESSES, COUNT, NAMES, SftdMillion
from servers import Sftd

ASK = "/history?limit=100"
# Each filter with what it finds much of, and the last page of everything.
ASKED = {
    "stats": "/stats",
    "status": f"/status/folder/file-{NAMES // 2:06d}.bin",
    "all": ASK,
    "status failed": f"{ASK}&status=failed",
    "status completed": f"{ASK}&status=completed",
    "client address": f"{ASK}&client=10.0.{ADDRESSES // 500}.7",
    "client id": f"{ASK}&client=client-8",
    "from": f"{ASK}&from=2020-01-01",
    "to": f"{ASK}&to=2100-01-01",
    "direction": f"{ASK}&direction=download",
    "filename": f"{ASK}&filename=folder/file-{NAMES // 3:06d}.bin",
    "offset, half": f"{ASK}&offset={COUNT // 2}",
}
LIMITS_MS = {"stats": 1, "status": 0.5}
FILTER_MS = 5


def ask(target):
    """The median of one after the other; ms."""

    def run(server, scale):
        load(server, "--target", target, "--requests", 10)
        result = measured(
            server, "--target", target, "--requests", 300 // scale
        )
        return result["p50_ms"], result

    return run


def small_uploads(server, scale):
    """Uploads of 4 KiB a second over 16 connections."""
    warm_up(server, 65536)
    result = measured(
        server,
        *server.put("small-#"),
        "--connections",
        16,
        "--requests",
        10_000 // scale,
        "--size",
        4 * KIB,
    )
    return result["ok"] / result["seconds"], result


class SftdQueue(Sftd):
    settings = {
        "MAX_ACTIVE_TRANSFERS": "64",
        "MAX_CONNECTIONS": "2000",
        "MAX_CONNECTIONS_PER_CLIENT": "0",
    }


def queue(connections):
    """Uploads of 1 MiB over so many connections; GB/s."""

    def run(server, scale):
        warm_up(server, 32 * MIB // scale)
        result = measured(
            server,
            *server.put("file-#"),
            "--connections",
            connections,
            "--requests",
            4256 // scale,
            "--size",
            MIB,
        )
        return result["bytes_sent"] / result["seconds"] / 1e9, result

    return run


CASES = [
    Case(
        "history-1m",
        "ms",
        [Row(name, SftdMillion, ask(target)) for name, target in ASKED.items()],
    ),
    Case(
        "uploads-1m",
        "1/s",
        [
            Row("empty", Sftd, small_uploads),
            Row("a million", SftdMillion, small_uploads),
        ],
    ),
    Case(
        "queue-1000",
        "GB/s",
        [
            Row("64", SftdQueue, queue(64)),
            Row("64 and 1,000", SftdQueue, queue(1064)),
        ],
    ),
]


def targets(case, m):
    """As cases.targets()."""
    if case == "history-1m":
        return [
            ratio(name, m[name], LIMITS_MS.get(name, FILTER_MS), False)
            for name in ASKED
            if name != "offset, half"
        ]
    if case == "uploads-1m":
        return [ratio("a million / empty", m["a million"] / m["empty"], 0.9)]
    return [ratio("64 and 1,000 / 64", m["64 and 1,000"] / m["64"], 0.95)]
