# SPDX-License-Identifier: MIT
"""The cases: who is measured, how one measurement goes, and what has to come
out."""

import subprocess
import time

import batches
import cases_archives
import cases_live
import cases_records
import cases_tls
import previews
import proc
from common import (
    GIB,
    KIB,
    MIB,
    Case,
    Failed,
    Row,
    load,
    measured,
    ratio,
    warm_up,
)
from servers import ROOT, Nginx, Sftd, SftdNoHash, SftdRelaxed


def upload(request, connections):
    """connections files at once, one GiB in all; GB/s."""

    def run(server, scale):
        size = GIB // scale // connections
        warm_up(server, 32 * MIB // scale)
        result = measured(
            server,
            *getattr(server, request)("file-#"),
            "--connections",
            connections,
            "--requests",
            connections,
            "--size",
            size,
        )
        return result["bytes_sent"] / result["seconds"] / 1e9, result

    return run


def chunked(size, connections, request="chunks", memory=False):
    """One file of one GiB in chunks of that size; GB/s, or the peak MiB."""

    def run(server, scale):
        warm_up(server, 32 * MIB // scale)
        arguments = (
            *getattr(server, request)("file"),
            "--connections",
            connections,
            "--requests",
            max(GIB // scale // size, 1),
            "--size",
            size,
        )
        if memory:
            peak = proc.Peak(server.pids())
            peak.start()
            try:
                result = load(server, *arguments)
            finally:
                mib = peak.end()
            return mib, result
        result = measured(server, *arguments)
        return result["bytes_sent"] / result["seconds"] / 1e9, result

    return run


def tus(encryption):
    """One PATCH of one GiB; GB/s."""

    def run(server, scale):
        size = GIB // scale
        warm_up(server, 32 * MIB // scale)
        arguments = server.tus(size, encryption)
        result = measured(
            server, *arguments, "--requests", 1, "--size", size
        )
        return result["bytes_sent"] / result["seconds"] / 1e9, result

    return run


def download(connections, requests, size, request="put"):
    """GB/s of a file that came by that request."""

    def run(server, scale):
        warm_up(server, 32 * MIB // scale)
        load(
            server,
            *getattr(server, request)("served"),
            "--requests",
            1,
            "--size",
            size // scale,
        )
        once = ("--connections", connections, "--requests", connections)
        load(server, *server.download("served"), *once)
        result = measured(
            server,
            *server.download("served"),
            "--connections",
            connections,
            "--requests",
            requests,
        )
        if result["bytes_received"] != requests * (size // scale):
            raise Failed("short answers")
        return result["bytes_received"] / result["seconds"] / 1e9, result

    return run


def health(server, scale):
    """Requests a second over 64 connections."""
    warm_up(server, 65536)
    result = measured(
        server,
        "--target",
        server.health,
        "--connections",
        64,
        "--seconds",
        3 if scale == 1 else 1,
    )
    return result["ok"] / result["seconds"], result


def small_uploads(server, scale):
    """Uploads of 4 KiB a second over 16 connections."""
    warm_up(server, 65536)
    result = measured(
        server,
        *server.put("small-#"),
        "--connections",
        16,
        "--requests",
        20_000 // scale,
        "--size",
        4096,
    )
    return result["ok"] / result["seconds"], result


def at_rest(server, scale):
    """MiB (PSS) of all its processes after some work, nothing going on."""
    warm_up(server, 32 * MIB // scale)
    time.sleep(1)
    mib = proc.pss_mib(server.pids())
    return mib, {"processes": len(server.pids())}


def in_upload(request):
    """The peak of it during an upload of 1 GiB."""

    def run(server, scale):
        warm_up(server, 32 * MIB // scale)
        peak = proc.Peak(server.pids())
        peak.start()
        try:
            result = load(
                server,
                *getattr(server, request)("file"),
                "--requests",
                1,
                "--size",
                GIB // scale,
            )
        finally:
            mib = peak.end()
        return mib, result

    return run


def openssl(processes):
    """GB/s of `openssl speed` for SHA-256, in all."""

    def run(_, scale):
        command = ["openssl", "speed", "-mr", "-evp", "sha256"]
        command += ["-bytes", "16384", "-seconds", "2" if scale == 1 else "1"]
        if processes > 1:
            command += ["-multi", str(processes)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True
        )
        for line in done.stdout.splitlines():
            if line.startswith("+F:"):
                return float(line.split(":")[3]) / 1e9, {}
        raise Failed("openssl speed: no figure")

    return run


def seal(how, who, size):
    """GB/s of encryption on one core, by bench/seal.c."""

    def run(_, scale):
        command = [ROOT / "build" / "bench_seal", how, who, str(size)]
        command.append("2" if scale == 1 else "1")
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True
        )
        path, value = done.stdout.split()
        return float(value) / 1e9, {"path": path}

    return run


CASES = [
    Case(
        "upload-1g",
        "GB/s",
        [
            Row("openssl", None, openssl(1)),
            Row("form", Sftd, upload("form", 1)),
            Row("put", Sftd, upload("put", 1)),
            Row("nginx put", Nginx, upload("put", 1)),
        ],
    ),
    Case(
        "upload-8x",
        "GB/s",
        [
            Row("openssl x2", None, openssl(2)),
            Row("form", Sftd, upload("form", 8)),
            Row("put", Sftd, upload("put", 8)),
            Row("one form", Sftd, upload("form", 1)),
            Row("one put", Sftd, upload("put", 1)),
            Row("form no hash", SftdNoHash, upload("form", 8)),
            Row("put no hash", SftdNoHash, upload("put", 8)),
            Row("nginx put", Nginx, upload("put", 8)),
        ],
    ),
    Case(
        "download-1g",
        "GB/s",
        [
            Row("sftd", Sftd, download(1, 3, GIB)),
            Row("nginx", Nginx, download(1, 3, GIB)),
        ],
    ),
    Case(
        "download-8x",
        "GB/s",
        [
            Row("sftd", Sftd, download(8, 32, 128 * MIB)),
            Row("nginx", Nginx, download(8, 32, 128 * MIB)),
        ],
    ),
    Case(
        "health-64",
        "1/s",
        [Row("sftd", Sftd, health), Row("nginx", Nginx, health)],
    ),
    Case(
        "small-up",
        "1/s",
        [
            Row("full", Sftd, small_uploads),
            Row("relaxed", SftdRelaxed, small_uploads),
            Row("nginx put", Nginx, small_uploads),
        ],
    ),
    Case(
        "seal-buffers",
        "GB/s",
        [
            Row("ours", None, seal("buffers", "ours", MIB)),
            Row("openssl gcm", None, seal("buffers", "gcm", MIB)),
            Row("libgcrypt eax", None, seal("buffers", "gcrypt", MIB)),
        ],
    ),
    Case(
        "seal-files",
        "GB/s",
        [
            Row(f"{who}, {size // KIB} KiB", None, seal("files", who, size))
            for size in (16 * KIB, 100 * KIB, MIB)
            for who in ("ours", "gcrypt")
        ],
    ),
    Case(
        "sealed-up-1g",
        "GB/s",
        [
            Row("put", Sftd, upload("put", 1)),
            Row("sealed put", Sftd, upload("sealed_put", 1)),
            Row("form", Sftd, upload("form", 1)),
            Row("sealed form", Sftd, upload("sealed_form", 1)),
            Row("silent form", Sftd, upload("silent_form", 1)),
        ],
    ),
    Case(
        "sealed-down-1g",
        "GB/s",
        [
            Row("plain", Sftd, download(1, 3, GIB)),
            Row("sealed", Sftd, download(1, 3, GIB, "sealed_put")),
        ],
    ),
    Case(
        "chunks-1g",
        "GB/s",
        [
            Row("put", Sftd, upload("put", 1)),
            Row("8 MiB, in order", Sftd, chunked(8 * MIB, 1)),
            Row("8 MiB, 4 at once", Sftd, chunked(8 * MIB, 4)),
            Row("1 MiB, in order", Sftd, chunked(MIB, 1)),
            Row("1 MiB, 4 at once", Sftd, chunked(MIB, 4)),
            Row("tus", Sftd, tus("false")),
        ],
    ),
    Case(
        "sealed-chunks-1g",
        "GB/s",
        [
            Row("sealed put", Sftd, upload("sealed_put", 1)),
            Row(
                "8 MiB, 4 at once",
                Sftd,
                chunked(8 * MIB, 4, "sealed_chunks"),
            ),
            Row(
                "1 MiB, 4 at once", Sftd, chunked(MIB, 4, "sealed_chunks")
            ),
            Row("tus", Sftd, tus("true")),
        ],
    ),
    Case(
        "preview-12mp",
        "ms of CPU",
        [
            Row("plain", Sftd, previews.previews("")),
            Row("sealed", Sftd, previews.previews("?encryption=true")),
        ],
    ),
    Case(
        "memory",
        "MiB",
        [
            Row("at rest", Sftd, at_rest),
            Row("peak, form", Sftd, in_upload("form")),
            Row("peak, put", Sftd, in_upload("put")),
            Row("peak, sealed", Sftd, in_upload("sealed_put")),
            Row("peak, silent", Sftd, in_upload("silent_form")),
            Row("peak, chunks", Sftd, chunked(8 * MIB, 4, memory=True)),
            Row(
                "peak, sealed chunks",
                Sftd,
                chunked(8 * MIB, 4, "sealed_chunks", memory=True),
            ),
            Row("nginx at rest", Nginx, at_rest),
        ],
    ),
    *cases_archives.CASES,
    *batches.CASES,
    *cases_records.CASES,
    *cases_live.CASES,
    *cases_tls.CASES,
]


def targets(case, m, default_is_bbr):
    """What the medians m of a case have to reach: rows of (name, value,
    target, at least or at most, reached)."""
    if case == "upload-1g":
        return [
            ratio(f"{k} / openssl", m[k] / m["openssl"], 0.85)
            for k in ("form", "put")
        ]
    if case == "upload-8x":
        rows = []
        for k in ("form", "put"):
            rows.append(ratio(f"{k} / one {k}", m[k] / m[f"one {k}"], 1.1))
            bound = 1 / (1 / m["openssl x2"] + 1 / m[f"{k} no hash"])
            rows.append(ratio(f"{k} / (1/(1/H+1/N))", m[k] / bound, 0.85))
        return rows
    if case in ("download-1g", "download-8x"):
        target = 1.3 if default_is_bbr else 1.0
        return [ratio("sftd / nginx", m["sftd"] / m["nginx"], target)]
    if case == "health-64":
        return [ratio("sftd / nginx", m["sftd"] / m["nginx"], 1.0)]
    if case == "small-up":
        return [
            ratio("full", m["full"], 3000),
            ratio("relaxed / nginx put", m["relaxed"] / m["nginx put"], 0.6),
        ]
    if case == "seal-buffers":
        return [
            ratio("ours / gcm", m["ours"] / m["openssl gcm"], 2),
            ratio("ours / libgcrypt", m["ours"] / m["libgcrypt eax"], 8),
        ]
    if case == "seal-files":
        return [
            ratio(
                f"{size} KiB",
                m[f"ours, {size} KiB"] / m[f"gcrypt, {size} KiB"],
                target,
            )
            for size, target in ((16, 1.0), (100, 1.4), (1024, 4))
        ]
    if case == "sealed-up-1g":
        return [
            ratio("sealed put / put", m["sealed put"] / m["put"], 0.9),
            ratio("sealed form / form", m["sealed form"] / m["form"], 0.9),
            ratio("silent form / form", m["silent form"] / m["form"], 0.85),
        ]
    if case in ("chunks-1g", "sealed-chunks-1g"):
        single = "put" if case == "chunks-1g" else "sealed put"
        wanted = [
            ("8 MiB, 4 at once", 0.65),
            ("1 MiB, 4 at once", 0.5),
            ("tus", 0.9),
        ]
        return [
            ratio(f"{k} / {single}", m[k] / m[single], target)
            for k, target in wanted
        ]
    if case == "preview-12mp":
        return [ratio(k, m[k], 80, at_least=False) for k in m]
    if case == "sealed-down-1g":
        return [ratio("sealed / plain", m["sealed"] / m["plain"], 0.5)]
    if case.startswith(("archive-", "files-")):
        return cases_archives.targets(case, m)
    if case.startswith("live-"):
        return cases_live.targets(case, m)
    if case.startswith("tls-"):
        return cases_tls.targets(case, m)
    if case == "batch-1000":
        return batches.targets(m)
    if case != "memory":
        return cases_records.targets(case, m)
    return [
        ratio("at rest", m["at rest"], 12, at_least=False),
        ratio("peak, form", m["peak, form"], 16, at_least=False),
        ratio("peak, put", m["peak, put"], 16, at_least=False),
        ratio("peak, sealed", m["peak, sealed"], 16, at_least=False),
        ratio("peak, silent", m["peak, silent"], 16, at_least=False),
        ratio("peak, chunks", m["peak, chunks"], 24, at_least=False),
        ratio(
            "peak, sealed chunks",
            m["peak, sealed chunks"],
            24,
            at_least=False,
        ),
    ]
