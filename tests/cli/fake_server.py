# SPDX-License-Identifier: MIT
"""A server that speaks as much of the contract as sft needs, and misbehaves
where a test tells it to:

    fake.on("PUT", "/upload/big", refuse_early)

The behaviours are functions that get the request's handler; answered() turns
an answer into one.
"""

import base64
import email
import hashlib
import json
import queue
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

KEY = "sft_the-key-of-the-fake-server"
NOW = "2026-11-24T07:30:00.000Z"


def error(code, sentence, **more):
    return {"success": False, "error": sentence, "code": code, **more}


def answered(status, document, **headers):
    """A behaviour: read the body, then give this answer."""

    def behave(handler):
        handler.read_body()
        handler.answer(status, document, headers)

    return behave


def refuse_early(status, document, then="drain"):
    """A behaviour: answer before the body was read, and then "drain" it,
    "close" at once, or "ignore" what comes."""

    def behave(handler):
        handler.close_connection = True
        handler.answer(status, document, {"Connection": "close"})
        handler.wfile.flush()
        connection = handler.connection
        if then == "close":
            return
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        if then == "ignore":
            time.sleep(1)
            return
        try:
            while connection.recv(1 << 20):
                pass
        except OSError:
            pass

    return behave


def hang(handler):
    """A behaviour: say nothing until the server ends."""
    handler.close_connection = True
    handler.server.fake.ending.wait(60)


def reset(handler):
    """A behaviour: break the connection."""
    handler.close_connection = True
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, linger
    )
    handler.connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake"

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    @property
    def fake(self):
        return self.server.fake

    def read_body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, document=None, headers=None):
        if document is None:
            body = b""
        elif isinstance(document, bytes):
            body = document
        else:
            body = json.dumps(document).encode()
        fields = {"Content-Type": "application/json", **(headers or {})}
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), str(value))
        if status != 204 and "Content-Length" not in fields:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def dispatch(self):
        url = urlsplit(self.path)
        # the answer to Expect: 100-continue is the base class's
        self.fake.requests.append(
            (self.command, self.path, dict(self.headers))
        )
        behave = self.fake.behaviour(self.command, unquote(url.path))
        if behave is not None:
            behave(self)
            return
        if self.fake.key_needed and url.path != "/health":
            if self.headers.get("X-API-Key") != KEY:
                self.read_body()
                self.answer(401, error("unauthorized", "a key is needed"))
                return
        for method, prefix, function in ROUTES:
            if method == self.command and url.path.startswith(prefix):
                name = unquote(url.path[len(prefix) :])
                function(self, name, parse_qs(url.query))
                return
        self.read_body()
        self.answer(404, error("not_found", "there is no such path"))

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = dispatch

    def upload(self, name, query):
        body = self.read_body()
        digest = hashlib.sha256(body).hexdigest()
        is_new = name not in self.fake.files
        if not is_new and query.get("if_exists") == ["error"]:
            self.answer(
                409, error("file_exists", f"'{name}' is there already")
            )
            return
        if query.get("encryption") == ["true"]:
            sentence = "encryption is not built into this server yet"
            self.answer(501, error("not_implemented", sentence))
            return
        self.fake.files[name] = body
        self.fake.queries[name] = query
        self.answer(
            201 if is_new else 200,
            {
                "success": True,
                "filename": name,
                "hash": digest,
                "status": "completed",
                "encryption": False,
                "size": len(body),
                "priority": int(query.get("priority", ["0"])[0]),
                "id": "0193",
                "mime_type": "application/octet-stream",
            },
        )

    def form(self):
        """The fields of a form, as bytes."""
        kind = self.headers["Content-Type"]
        text = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.message_from_bytes(text + self.read_body())
        return {
            part.get_param("name", header="Content-Disposition"): (
                part.get_payload(decode=True)
            )
            for part in message.get_payload()
        }

    def upload_chunk(self, _name, _query):
        form = self.form()
        chunk = form.pop("chunk")
        form = {key: value.decode() for key, value in form.items()}
        name, number = form["filename"], int(form["chunk_number"])
        with self.fake.lock:
            self.fake.chunks.append((number, len(chunk), form))
            session = self.fake.sessions.setdefault(
                name, {"total": int(form["total_chunks"]), "chunks": {}}
            )
            if session["total"] != int(form["total_chunks"]):
                sentence = "another upload of that file is under way"
                self.answer(409, error("session_conflict", sentence))
                return
            assert hashlib.sha256(chunk).hexdigest() == form["chunk_hash"]
            session["chunks"][number] = chunk
            answer = self.complete(name, session)
        self.answer(200, answer)

    def complete(self, name, session):
        there, total = session["chunks"], session["total"]
        answer = {
            "success": True,
            "chunks_received": len(there),
            "total_chunks": total,
            "status": "uploading",
        }
        if len(there) == total:
            body = b"".join(there[i] for i in range(total))
            del self.fake.sessions[name]
            self.fake.files[name] = body
            answer["status"] = "completed"
            answer["hash"] = hashlib.sha256(body).hexdigest()
            answer["size"] = len(body)
            answer["filename"] = name
        return answer

    def resume_info(self, name, _):
        session = self.fake.sessions.get(name)
        if session is None:
            self.answer(200, {"received_chunks": [], "can_resume": False})
            return
        there = sorted(session["chunks"])
        self.answer(
            200,
            {
                "received_chunks": there,
                "can_resume": True,
                "total_chunks": session["total"],
                "chunks_received": len(there),
                "received_ranges": [[i, i] for i in there],
            },
        )

    def cancel(self, name, _):
        self.read_body()
        if self.fake.sessions.pop(name, None) is None:
            sentence = f"nothing is under way for '{name}'"
            self.answer(404, error("no_active_transfer", sentence))
            return
        self.answer(
            200,
            {
                "success": True,
                "message": f"{name} cancelled",
                "cancelled": 1,
            },
        )

    def download(self, name, _):
        body = self.fake.files.get(name)
        if body is None:
            sentence = f"there is no file '{name}'"
            self.answer(404, error("file_not_found", sentence))
            return
        self.send_file(body)

    def send_file(self, body, claimed=None, headers=None):
        """The body, under the SHA-256 of what is claimed to be sent."""
        digest = hashlib.sha256(body if claimed is None else claimed)
        fields = {
            "Content-Type": "application/octet-stream",
            "ETag": f'"{digest.hexdigest()}"',
            "Repr-Digest": "sha-256=:%s:"
            % base64.b64encode(digest.digest()).decode(),
            **(headers or {}),
        }
        fields = {k: v for k, v in fields.items() if v is not None}
        self.answer(200, body, fields)

    def status_of_all(self, _name, _query):
        self.answer(200, self.fake.status)

    def status_of_one(self, name, _):
        for transfer in self.fake.status["transfers"]:
            if transfer["filename"] == name:
                self.answer(200, transfer)
                return
        self.answer(
            404, error("transfer_not_found", f"no transfer of '{name}'")
        )

    def events(self, _name, _query):
        """A stream of events that lasts: an event for each tell()."""
        told = queue.SimpleQueue()
        self.fake.streams.append(told)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        while (text := told.get()) is not None:
            self.wfile.write(text.encode())

    def health(self, _name, _query):
        self.answer(
            200,
            {
                "status": "ok",
                "timestamp": NOW,
                "version": "0.1.0",
                "uptime_seconds": 11520,
            },
        )

    def new_key(self, _name, _query):
        asked = json.loads(self.read_body() or "{}")
        self.fake.asked = asked
        key = {
            "id": f"k{len(self.fake.keys) + 1}",
            "name": asked.get("name"),
            "scopes": asked.get("scopes", ["read", "write"]),
            "prefix": None,
            "created_at": NOW,
            "expires_at": "2027-01-01T00:00:00.000Z"
            if "expires_in" in asked
            else None,
            "last_used_at": None,
        }
        self.fake.keys.append(key)
        self.answer(200, {"api_key": "sft_brand-new", **key})

    def list_keys(self, _name, _query):
        self.answer(200, {"keys": self.fake.keys})

    def revoke_key(self, name, _):
        for key in self.fake.keys:
            if key["id"] == name:
                self.fake.keys.remove(key)
                self.answer(204)
                return
        self.answer(404, error("key_not_found", f"there is no key '{name}'"))


ROUTES = (
    ("PUT", "/upload/", Handler.upload),
    ("POST", "/upload_chunk", Handler.upload_chunk),
    ("GET", "/resume_info/", Handler.resume_info),
    ("POST", "/cancel/", Handler.cancel),
    ("GET", "/download/", Handler.download),
    ("GET", "/status/", Handler.status_of_one),
    ("GET", "/status", Handler.status_of_all),
    ("GET", "/events", Handler.events),
    ("GET", "/health", Handler.health),
    ("POST", "/generate_key", Handler.new_key),
    ("GET", "/keys", Handler.list_keys),
    ("DELETE", "/keys/", Handler.revoke_key),
)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass  # clients that go away are what is tested


def transfer(filename, **more):
    """The object of /status/<filename>."""
    return {
        "filename": filename,
        "status": "completed",
        "checksum": "ab" * 32,
        "encryption": False,
        "priority": 0,
        "progress": 100,
        "speed": 0,
        "eta": None,
        "transferred_bytes": 2048,
        "total_bytes": 2048,
        "client_ip": "127.0.0.1",
        "client_id": None,
        "retry_count": 0,
        "created_at": NOW,
        "updated_at": NOW,
        "id": f"id-{filename}",
        "direction": "upload",
        "error": None,
        **more,
    }


class Fake:
    def __init__(self, ssl_context=None):
        self.files = {}
        self.queries = {}
        self.sessions = {}  # chunked uploads under way, by name
        self.chunks = []  # (number, size, fields) of each that came
        self.lock = threading.Lock()
        self.requests = []
        self.keys = []
        self.asked = None
        self.key_needed = False
        self.behaviours = {}
        self.ending = threading.Event()
        self.streams = []  # of /events
        self.set_status([])
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.fake = self
        scheme = "http"
        if ssl_context is not None:
            scheme = "https"
            self.server.socket = ssl_context.wrap_socket(
                self.server.socket, server_side=True
            )
        self.port = self.server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, args=(0.02,), daemon=True
        )
        self.thread.start()

    def tell(self, text='event: transfer_update\ndata: {}\n\n'):
        """Something happened, or None: the streams end."""
        for told in self.streams:
            told.put(text)

    def set_status(self, transfers, queue=(), **metadata):
        self.status = {
            "transfers": list(transfers),
            "queue": list(queue),
            "metadata": {
                "total_transfers": len(transfers),
                "last_updated": NOW,
                "returned": len(transfers),
                "next_cursor": None,
                **metadata,
            },
        }

    def on(self, method, path, behave):
        """Behave so at that path, whose name is written as people do."""
        self.behaviours[(method, path)] = behave

    def behaviour(self, method, path):
        return self.behaviours.get((method, path))

    def url_of(self, path):
        return self.url + quote(path)

    def end(self):
        self.ending.set()
        self.tell(None)
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
