# SPDX-License-Identifier: MIT
"""A client that sends exactly the bytes that a test wants, and reads the
answers strictly: a framing error of the server fails the test."""

import json
import select
import socket
import ssl
import struct
import time

import pytest
from requests.structures import CaseInsensitiveDict


class Response:
    """What a test asks of an answer, in the words of requests."""

    def __init__(self, version, status, reason, fields):
        self.version = version
        self.status_code = status
        self.reason = reason
        self.fields = fields  # [(name, value)], as sent
        self.headers = CaseInsensitiveDict(fields)
        self.content = b""
        self.interim = []  # the 1xx before it
        self.trailers = []

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)

    def __repr__(self):
        return f"<{self.status_code} {self.fields} {self.content[:200]}>"


def head(method, target, *fields, version="HTTP/1.1", host="localhost"):
    """A request head.  Fields are (name, value), or bytes for a whole line
    as it is to be sent; host=None leaves Host out."""
    lines = [f"{method} {target} {version}".encode()]
    if host is not None:
        lines.append(f"Host: {host}".encode())
    for field in fields:
        if not isinstance(field, bytes):
            name, value = field
            field = f"{name}: {value}".encode()
        lines.append(field)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunk(data, extension=""):
    return f"{len(data):x}{extension}\r\n".encode() + data + b"\r\n"


def chunked(data, size, end=b"0\r\n\r\n"):
    """data in the chunked coding, size bytes a chunk."""
    parts = [chunk(data[i : i + size]) for i in range(0, len(data), size)]
    return b"".join(parts) + end


class Raw:
    def __init__(self, address, timeout=20, receive_buffer=None, tls=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if receive_buffer is not None:
            self.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer
            )
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_tls = tls is not None
        if self.is_tls:
            self.socket = tls.wrap_socket(
                self.socket,
                server_hostname=address[0],
                suppress_ragged_eofs=False,
            )
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Close with a RST, as a client does that has crashed."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    def half_close(self):
        if self.is_tls:
            pytest.skip("only TCP can be closed by half from here")
        self.socket.shutdown(socket.SHUT_WR)

    # sending

    def send(self, data):
        try:
            self.socket.sendall(data)
        except ssl.SSLEOFError as e:
            raise ConnectionError("the server has closed") from e

    def send_until_blocked(self, data, pause=0.5):
        """Send until nothing moves for pause seconds: how much went."""
        sent = 0
        view = memoryview(data)
        self.socket.setblocking(False)
        try:
            while sent < len(data):
                if not select.select([], [self.socket], [], pause)[1]:
                    break
                sent += self.socket.send(view[sent:])
        except ssl.SSLWantWriteError:
            pass
        finally:
            self.socket.settimeout(20)
        return sent

    def request(self, method, target, *fields, body=None, **options):
        """Send a request; a body gets its Content-Length."""
        if body is not None:
            fields += (("Content-Length", len(body)),)
        self.send(head(method, target, *fields, **options) + (body or b""))

    def ask(self, method, target, *fields, body=None, **options):
        """Send a request and read its answer."""
        self.request(method, target, *fields, body=body, **options)
        return self.response(method)

    # reading

    def is_readable(self, within):
        """Is there something to read, or the end, within that time?"""
        if self.buffer:
            return True
        if not self.is_tls:
            return bool(select.select([self.socket], [], [], within)[0])
        return self._is_tls_readable(within)

    def _is_tls_readable(self, within):
        """What comes may be TLS's own, and be nothing to read."""
        end = time.monotonic() + within
        while True:
            try:
                self.socket.settimeout(0)
                self.buffer += self.socket.recv(65536)
                return True
            except ssl.SSLWantReadError:
                pass
            except (ConnectionError, ssl.SSLError):
                return True
            finally:
                self.socket.settimeout(20)
            left = end - time.monotonic()
            if left <= 0:
                return False
            select.select([self.socket], [], [], left)

    def _more(self):
        data = self.socket.recv(256 * 1024)
        self.buffer += data
        return len(data)

    def line(self):
        while b"\n" not in self.buffer:
            if self._more() == 0:
                raise EOFError(f"the end within a line: {self.buffer!r}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        assert line.endswith(b"\r"), f"a line without CR: {line!r}"
        return line[:-1]

    def read(self, n):
        """Exactly n bytes."""
        parts = [self.buffer[:n]]
        self.buffer = self.buffer[n:]
        missing = n - len(parts[0])
        while missing > 0:
            data = self.socket.recv(min(missing, 1024 * 1024))
            if not data:
                have = n - missing
                raise EOFError(f"the end after {have} of {n} bytes")
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def read_to_end(self, within=20):
        """What comes until the server closes; a RST counts as the end."""
        parts = [self.buffer]
        self.buffer = b""
        end = time.monotonic() + within
        try:
            while True:
                self.socket.settimeout(max(0.01, end - time.monotonic()))
                data = self.socket.recv(1024 * 1024)
                if not data:
                    return b"".join(parts)
                parts.append(data)
        except (ConnectionError, ssl.SSLEOFError):
            return b"".join(parts)
        finally:
            self.socket.settimeout(20)

    def is_closed(self, within=20):
        """Does the server close, having sent nothing more?"""
        rest = self.read_to_end(within)
        assert rest == b"", f"unexpected bytes: {rest[:300]!r}"
        return True

    def response_head(self):
        """The next head, also an interim one."""
        status_line = self.line().decode("ascii")
        version, status, reason = status_line.split(" ", 2)
        assert version == "HTTP/1.1", status_line
        assert len(status) == 3 and status.isdigit(), status_line
        fields = []
        while True:
            line = self.line().decode("latin-1")
            if not line:
                break
            name, colon, value = line.partition(":")
            assert colon and name and name == name.strip(), line
            fields.append((name, value.strip(" \t")))
        return Response(version, int(status), reason, fields)

    def response(self, method="GET"):
        """The next whole answer to a request of that method."""
        interim = []
        answer = self.response_head()
        while answer.status_code < 200:
            assert not answer.all("Content-Length")
            assert not answer.all("Transfer-Encoding")
            interim.append(answer)
            answer = self.response_head()
        answer.interim = interim
        self.body(answer, method)
        return answer

    def body(self, answer, method):
        lengths = answer.all("Content-Length")
        codings = answer.all("Transfer-Encoding")
        assert len(lengths) + len(codings) <= 1, answer
        if answer.status_code == 204:
            assert not lengths and not codings, answer
        if method == "HEAD" or answer.status_code in (204, 304):
            return
        if codings:
            assert codings == ["chunked"], answer
            self._chunked_body(answer)
        elif lengths:
            assert lengths[0].isdigit(), answer
            answer.content = self.read(int(lengths[0]))
        else:
            connection = answer.headers.get("Connection", "")
            assert connection.lower() == "close", answer
            answer.content = self.read_to_end()

    def _chunked_body(self, answer):
        parts = []
        while True:
            size = int(self.line(), 16)
            if size == 0:
                break
            parts.append(self.read(size))
            assert self.read(2) == b"\r\n"
        while True:
            trailer = self.line()
            if not trailer:
                break
            answer.trailers.append(trailer)
        answer.content = b"".join(parts)
