# SPDX-License-Identifier: MIT
"""Files sent in chunks, as the clients of POST /upload_chunk do."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import form


def sha(data):
    return hashlib.sha256(data).hexdigest()


def cut(data, size):
    """Chunks of one size, the last as it comes; one empty chunk of nothing."""
    return [data[i : i + size] for i in range(0, len(data), size)] or [b""]


def content(n, seed=1):
    """n bytes that do not repeat themselves."""
    block = hashlib.sha256(str(seed).encode()).digest()
    out = bytearray()
    while len(out) < n:
        block = hashlib.sha256(block).digest()
        out += block * 8 + os.urandom(64)
    return bytes(out[:n])


class Upload:
    """One file on its way to a server."""

    def __init__(self, server, name, chunks, headers=None, **fields):
        self.server = server
        self.name = name
        self.chunks = chunks
        self.headers = headers
        self.path = "/upload_chunk"
        self.fields = {k: str(v) for k, v in fields.items()}

    def fields_of(self, number, **more):
        return {
            "filename": self.name,
            "chunk_number": str(number),
            "total_chunks": str(len(self.chunks)),
            "chunk_hash": sha(self.chunks[number]),
            **self.fields,
            **{k: str(v) for k, v in more.items()},
        }

    def send(self, number, data=None, **more):
        """The fields first, then the chunk."""
        return self.server.post(
            self.path,
            data=self.fields_of(number, **more),
            files={
                "chunk": (
                    "blob",
                    self.chunks[number] if data is None else data,
                )
            },
            headers=self.headers,
        )

    def send_chunk_first(self, number, **more):
        """The chunk, then the fields, as a browser may have it."""
        parts = [form.part("chunk", self.chunks[number], "blob")]
        for key, value in self.fields_of(number, **more).items():
            parts.append(form.part(key, value))
        return form.post(
            self.server, *parts, path=self.path, headers=self.headers
        )

    def send_all(self, numbers=None, at_once=1, first=False):
        """The answers, in the order of numbers."""
        send = self.send_chunk_first if first else self.send
        numbers = range(len(self.chunks)) if numbers is None else numbers
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(send, numbers))

    def resume_info(self):
        from urllib.parse import quote

        response = self.server.get(
            f"/resume_info/{quote(self.name)}", headers=self.headers
        )
        assert response.status_code == 200, response.text
        return response.json()

    def data(self):
        return b"".join(self.chunks)


def good(response):
    assert response.status_code == 200, response.text
    return response.json()


def completed(response, upload):
    """The answer that the file is there."""
    answer = good(response)
    data = upload.data()
    assert answer["success"] is True
    assert answer["status"] == "completed", answer
    assert answer["hash"] == sha(data)
    assert answer["size"] == len(data)
    assert answer["filename"] == upload.name
    assert upload.server.has(upload.name, data)
    return answer
