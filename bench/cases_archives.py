# SPDX-License-Identifier: MIT
"""The cases of archives, and of a long list of files."""

import sqlite3

import proc
from common import MIB, Case, Failed, Row, load, measured, ratio, warm_up
from records import SftdMillion
from servers import Sftd

FILES = 100
SIZE = 10 * MIB
KEY = "the-key-of-the-benchmark-and-of-nothing-else"
FIELDS = ("--fields", f"X-API-Key: {KEY}\r\n")
LIST_MS = 10


class SftdKeyed(Sftd):
    settings = {"ADMIN_API_KEY": KEY}


def stored(server, request, scale):
    """The files, and one that is as large as all of them."""
    put = getattr(server, request)
    warm_up(server, 32 * MIB // scale)
    load(server, *put("part-#"), "--requests", FILES, "--size", SIZE // scale)
    load(server, *put("whole"), "--requests", 1,
         "--size", FILES * SIZE // scale)  # fmt: skip


def archive(server):
    names = ",".join(f"part-{i}" for i in range(FILES))
    return ("--target", f"/download_batch?files={names}", *FIELDS)


def one_file(server):
    return server.download("whole")


def fetch(request, arguments, figure="rate"):
    """All of it at once; GB/s, or the peak MiB."""

    def run(server, scale):
        stored(server, request, scale)
        load(server, *arguments(server), "--requests", 1)
        if figure == "rate":
            result = measured(server, *arguments(server), "--requests", 2)
            if result["bytes_received"] < 2 * FILES * (SIZE // scale):
                raise Failed("short answers")
            return result["bytes_received"] / result["seconds"] / 1e9, result
        peak = proc.Peak(server.pids())
        peak.start()
        try:
            result = load(server, *arguments(server), "--requests", 2)
        finally:
            mib = peak.end()
        return mib, result

    return run


# n counts from 1; every name is some other one's neighbour in time.
FILL = """
WITH RECURSIVE count (n) AS (
  SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 1000000
)
INSERT INTO files (filename, blob_id, sha256, crc32, size, mime_type,
  encryption, layout, created_ms, modified_ms, transfer_id, damaged)
SELECT printf('folder-%03d/file-%06d.bin', (n * 7919) % 1000, n),
  printf('%032x', n), printf('%064x', n), n, n % 65536,
  'application/octet-stream', 0, 0, 1700000000000 + n, 1700000000000 + n,
  printf('%032x', n), 0
FROM count
"""


class SftdFiles(SftdMillion):
    """With a million files on record, whose bytes nobody asks for."""

    name = "files"

    @staticmethod
    def fill(database):
        db = sqlite3.connect(database)
        db.execute("PRAGMA synchronous = OFF")
        with db:
            db.execute(FILL)
            db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


def ask(query):
    """A page of a thousand, one after the other; ms."""

    def run(server, scale):
        target = f"/files?limit=1000{query}"
        load(server, "--target", target, "--requests", 10)
        result = measured(
            server, "--target", target, "--requests", 300 // scale
        )
        return result["p50_ms"], result

    return run


LISTS = {
    "by name": "",
    "newest": "&sort=newest",
    "largest": "&sort=size",
    "prefix": "&prefix=folder-500/",
    "prefix, newest": "&prefix=folder-500/&sort=newest",
}

CASES = [
    Case(
        "archive-100",
        "GB/s",
        [
            Row("file", SftdKeyed, fetch("put", one_file)),
            Row("archive", SftdKeyed, fetch("put", archive)),
            Row("sealed file", SftdKeyed, fetch("sealed_put", one_file)),
            Row("sealed archive", SftdKeyed, fetch("sealed_put", archive)),
        ],
    ),
    Case(
        "archive-memory",
        "MiB",
        [
            Row("plain", SftdKeyed, fetch("put", archive, "peak")),
            Row("sealed", SftdKeyed, fetch("sealed_put", archive, "peak")),
        ],
    ),
    Case(
        "files-1m",
        "ms",
        [Row(name, SftdFiles, ask(query)) for name, query in LISTS.items()],
    ),
]


def targets(case, m):
    """As cases.targets()."""
    if case == "archive-100":
        return [
            ratio("plain", m["archive"] / m["file"], 0.8),
            ratio("sealed", m["sealed archive"] / m["sealed file"], 0.8),
        ]
    if case == "archive-memory":
        return [ratio(k, m[k], 24, at_least=False) for k in m]
    return [ratio(k, m[k], LIST_MS, at_least=False) for k in m]
