# SPDX-License-Identifier: MIT
"""Many small files in one request, beside the same in a request each."""

import http.client
import json
import random
import time

import proc
from common import KIB, Case, Failed, Row, measured, ratio, warm_up
from servers import Sftd

FILES = 1000
BOUNDARY = "batch-7MA4YWxkTrZu0gW"
KEY = "the-key-of-the-benchmark-and-of-nothing-else"
TARGET = 2


class SftdKeyed(Sftd):
    settings = {"ADMIN_API_KEY": KEY}


def body(count):
    """The form; made before the clock runs."""
    content = random.Random(1).randbytes(4 * KIB)
    parts = [
        (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
            f'name="files"; filename="small-{i}"\r\n\r\n'
        ).encode()
        + content
        + b"\r\n"
        for i in range(count)
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(server, query, form):
    """The answer, and the seconds to its last byte."""
    fields = {
        "X-API-Key": KEY,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=120
    )
    try:
        began = time.monotonic()
        connection.request("POST", "/upload_batch" + query, form, fields)
        answer = json.loads(connection.getresponse().read())
        return answer, time.monotonic() - began
    finally:
        connection.close()


def batch(query):
    """Files a second in one batch."""

    def run(server, scale):
        count = FILES // scale
        form = body(count)
        warm_up(server, 65536)
        pids = server.pids()
        before = proc.cpu_seconds(pids)
        answer, seconds = post(server, query, form)
        if answer.get("successful") != count:
            raise Failed(str(answer)[:200])
        return count / seconds, {
            "seconds": seconds,
            "ok": count,
            "bytes_sent": len(form),
            "server_cpu_seconds": proc.cpu_seconds(pids) - before,
        }

    return run


def single(connections):
    """Files a second in a request each."""

    def run(server, scale):
        warm_up(server, 65536)
        result = measured(
            server,
            *server.put("small-#"),
            "--connections",
            connections,
            "--requests",
            FILES // scale,
            "--size",
            4 * KIB,
        )
        return result["ok"] / result["seconds"], result

    return run


CASES = [
    Case(
        "batch-1000",
        "1/s",
        [
            Row("single", SftdKeyed, single(1)),
            Row("single, 16 at once", SftdKeyed, single(16)),
            Row("batch", SftdKeyed, batch("?encryption=false")),
            Row("batch, silent", SftdKeyed, batch("")),
            Row("batch, sealed", SftdKeyed, batch("?encryption=true")),
        ],
    ),
]


def targets(m):
    """As cases.targets()."""
    return [ratio("batch / single", m["batch"] / m["single"], TARGET)]
