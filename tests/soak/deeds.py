# SPDX-License-Identifier: MIT
"""What the clients of a soak do, good and bad, one deed after the other."""

import random
import time

import chunks
import form
import images
import requests
import tus
from live import Polling, Stream, WebSocket
from raw import head

NAMES = 150
KIB = 1024
PICTURE = images.saved(images.quarters(600, 400), "PNG")
# What a busy server, or one that is attacked, may answer.
FINE = {409, 416, 422, 429, 503, 507}


class Client:
    """One of many, with its own dice; deeds are its methods."""

    def __init__(self, server, seed):
        self.server = server
        self.rng = random.Random(seed)
        self.done = {}
        self.wrong = []

    def name(self):
        return f"soak/{self.rng.randrange(NAMES)}"

    def data(self):
        n = self.rng.choice((0, 100, 5 * KIB, 70 * KIB, 700 * KIB, 3000 * KIB))
        return self.rng.randbytes(n)

    def fine(self, response, *also):
        status = response.status_code
        if status >= 400 and status not in FINE and status not in also:
            self.wrong.append((status, response.text[:200]))
        return response

    # uploads

    def put(self):
        query = self.rng.choice(("", "?encryption=true", "?priority=7"))
        self.fine(self.server.put(self.name(), self.data(), query))

    def form(self):
        self.fine(self.server.form(self.name(), self.data()))

    def picture(self):
        name = self.name()
        self.fine(self.server.put(name, PICTURE))
        self.fine(self.server.get(f"/thumbnail/{name}"), 404)
        self.fine(self.server.get(f"/metadata/{name}"), 404)

    def mismatch(self):
        answer = self.server.put(self.name(), b"x", "?sha256=" + "0" * 64)
        assert answer.status_code in (422, 429, 503), answer.status_code

    def chunked(self):
        data = self.rng.randbytes(400 * KIB)
        name = f"soak/chunked-{self.rng.randrange(20)}"
        up = chunks.Upload(self.server, name, chunks.cut(data, 100 * KIB))
        numbers = list(range(len(up.chunks)))
        self.rng.shuffle(numbers)
        # Some never come to their end.
        if self.rng.random() < 0.3:
            numbers.pop()
        for number in numbers:
            self.fine(up.send(number))

    def tus(self):
        data = self.rng.randbytes(200 * KIB)
        answer = self.fine(
            tus.create(self.server, len(data), filename=self.name())
        )
        if not answer.ok or self.rng.random() < 0.3:
            return
        url = answer.headers["Location"]
        for at in range(0, len(data), 100 * KIB):
            piece = data[at : at + 100 * KIB]
            # 410: another client has cancelled it
            self.fine(tus.patch(self.server, url, at, piece), 410)

    def batch(self):
        files = [("files", (self.name()[5:], self.data())) for _ in range(5)]
        self.fine(
            self.server.post(
                "/upload_batch", files=files, headers=self.server.as_admin
            )
        )

    # downloads

    def download(self):
        self.fine(self.server.download(self.name()), 404)

    def part(self):
        self.fine(
            self.server.download(
                self.name(), headers={"Range": "bytes=100-70000"}
            ),
            404,
        )

    def archive(self):
        names = sorted({self.name() for _ in range(5)})
        self.fine(
            self.server.post(
                "/download_batch",
                json={"filenames": names},
                headers=self.server.as_admin,
            ),
            404,
        )

    # looking

    def look(self):
        for path in (
            "/status",
            f"/status/{self.name()}",
            "/history?limit=50",
            "/stats",
            "/clients",
            "/files?limit=100",
            "/health",
        ):
            self.fine(self.server.get(path), 404)

    def listen(self):
        with WebSocket(self.server) as ws:
            if ws.is_open and ws.connect().startswith("40"):
                ws.emit("subscribe_all", ack=1)
                ws.reply()

    def poll(self):
        """A session that is left behind."""
        Polling(self.server).connect()

    def stream(self):
        with Stream(self.server) as s:
            self.server.put(self.name(), b"x")
            if s.answer.status_code == 200:
                s.event()

    # changing

    def remove(self):
        self.server.delete(f"/files/{self.name()}", headers=self.server.as_admin)

    def cancel(self):
        self.server.post(f"/cancel/{self.name()}", headers=self.server.as_admin)

    def keys(self):
        made = self.server.post(
            "/generate_key", json={"name": "soak"}, headers=self.server.as_admin
        ).json()
        self.server.get(
            "/status", headers={"X-API-Key": made["api_key"]}
        )
        self.server.delete(
            f"/keys/{made['id']}", headers=self.server.as_admin
        )

    # breaking off

    def break_off_upload(self):
        with self.server.raw() as raw:
            raw.send(head("PUT", f"/upload/{self.name()}",
                          ("Content-Length", 500 * KIB)))  # fmt: skip
            raw.send(self.rng.randbytes(100 * KIB))
            if self.rng.random() < 0.5:
                raw.reset()

    def break_off_download(self):
        with self.server.raw(receive_buffer=4096) as raw:
            raw.request("GET", f"/download/{self.name()}")
            raw.read(10)

    def rubbish(self):
        with self.server.raw() as raw:
            raw.send(self.rng.randbytes(300) + b"\r\n\r\n")
            raw.read_to_end()

    def bad_form(self):
        body = form.body(form.part("file", b"x" * 1000, "a"))
        self.server.post(
            "/upload",
            data=body[: self.rng.randrange(len(body))],
            headers={"Content-Type": form.content_type()},
        )

    DEEDS = (
        put, put, put, form, picture, mismatch, chunked, tus, batch, download,
        download, download, part, archive, look, listen, poll, stream, remove,
        cancel, keys, break_off_upload, break_off_download, rubbish, bad_form,
    )  # fmt: skip

    def run(self, until, pause):
        while time.monotonic() < until:
            deed = self.rng.choice(self.DEEDS)
            try:
                deed(self)
            except (requests.RequestException, OSError, EOFError) as e:
                # It may have been cancelled by another client.
                self.done[type(e).__name__] = (
                    self.done.get(type(e).__name__, 0) + 1
                )
            except AssertionError as e:
                self.wrong.append((deed.__name__, str(e)[:200]))
            self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1
            time.sleep(pause)
