# SPDX-License-Identifier: MIT
"""Clients of live events, in the bytes that a test wants: Engine.IO by
polling and by WebSocket, and Server-Sent Events."""

import base64
import hashlib
import json
import os
import struct

from raw import head

PATH = "/socket.io/?EIO=4&transport="
SEPARATOR = "\x1e"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def handshake(server, **options):
    """A session by polling: the object of its open packet."""
    answer = server.get(PATH + "polling", **options)
    assert answer.status_code == 200, answer.text
    assert answer.text[0] == "0"
    return json.loads(answer.text[1:])


class Polling:
    """A session that polls."""

    def __init__(self, server, **options):
        self.server = server
        self.options = options
        self.opened = handshake(server, **options)
        self.sid = self.opened["sid"]
        self.path = f"{PATH}polling&sid={self.sid}"

    def poll(self):
        """The answer to the next poll."""
        return self.server.get(self.path, **self.options)

    def packets(self):
        answer = self.poll()
        assert answer.status_code == 200, answer.text
        return answer.text.split(SEPARATOR)

    def post(self, *packets):
        return self.server.post(
            self.path, data=SEPARATOR.join(packets).encode(), **self.options
        )

    def send(self, *packets):
        answer = self.post(*packets)
        assert answer.status_code == 200, answer.text
        assert answer.text == "ok"

    def until(self, wanted):
        """Polls until a packet fits; all packets up to that one."""
        seen = []
        while True:
            for packet in self.packets():
                seen.append(packet)
                if wanted(packet):
                    return seen

    def connect(self, auth=None):
        self.send("40" + ("" if auth is None else json.dumps(auth)))
        return self.until(lambda p: p[:2] in ("40", "44"))[-1]

    def is_gone(self):
        answer = self.poll()
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"] == 1
        return True


class WebSocket:
    """A WebSocket, frame by frame."""

    def __init__(self, server, sid=None, fields=(), path=None, **options):
        self.raw = server.raw(**options)
        key = base64.b64encode(os.urandom(16)).decode()
        path = path or PATH + "websocket" + (f"&sid={sid}" if sid else "")
        self.raw.send(
            head(
                "GET",
                path,
                ("Upgrade", "websocket"),
                ("Connection", "keep-alive, Upgrade"),
                ("Sec-WebSocket-Key", key),
                ("Sec-WebSocket-Version", "13"),
                *fields,
            )
        )
        self.answer = self.raw.response_head()
        self.is_open = self.answer.status_code == 101
        if self.is_open:
            digest = hashlib.sha1((key + GUID).encode()).digest()
            wanted = base64.b64encode(digest).decode()
            assert self.answer.headers["Sec-WebSocket-Accept"] == wanted
            assert self.answer.headers["Upgrade"].lower() == "websocket"
        else:
            self.raw.body(self.answer, "GET")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.raw.close()

    def frame(self, opcode, data=b"", final=True, masked=True, rsv=0):
        first = (0x80 if final else 0) | rsv << 4 | opcode
        second = 0x80 if masked else 0
        if len(data) < 126:
            out = bytes([first, second | len(data)])
        elif len(data) < 65536:
            out = bytes([first, second | 126]) + struct.pack(">H", len(data))
        else:
            out = bytes([first, second | 127]) + struct.pack(">Q", len(data))
        if masked:
            mask = os.urandom(4)
            out += mask
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.raw.send(out + data)

    def send(self, text):
        self.frame(TEXT, text.encode())

    def receive(self):
        """(opcode, data) of the next frame, which is whole."""
        first, second = self.raw.read(2)
        assert first & 0x70 == 0 and first & 0x80, hex(first)
        assert second & 0x80 == 0, "a server does not mask"
        n = second
        if n == 126:
            (n,) = struct.unpack(">H", self.raw.read(2))
            assert n > 125
        elif n == 127:
            (n,) = struct.unpack(">Q", self.raw.read(8))
            assert n > 65535
        return first & 0x0F, self.raw.read(n)

    def text(self):
        opcode, data = self.receive()
        assert opcode == TEXT, (opcode, data)
        return data.decode()

    def until(self, wanted):
        seen = []
        while True:
            seen.append(self.text())
            if wanted(seen[-1]):
                return seen

    def reply(self):
        """The next packet that is no event: whoever subscribed to all hears
        of other tests' transfers, too."""
        return self.until(lambda packet: not packet.startswith("42"))[-1]

    def closed(self):
        """The code and the reason that the server closes with; what comes
        before is skipped."""
        opcode, data = self.receive()
        while opcode != CLOSE:
            opcode, data = self.receive()
        code = struct.unpack(">H", data[:2])[0]
        assert self.raw.is_closed()
        return code, data[2:].decode()

    def connect(self, auth=None):
        """Socket.IO on a new session."""
        assert self.text()[0] == "0"
        self.send("40" + ("" if auth is None else json.dumps(auth)))
        return self.until(lambda p: p[:2] in ("40", "44"))[-1]

    def emit(self, name, *args, ack=""):
        self.send(f"42{ack}" + json.dumps([name, *args]))

    def subscribe(self, name, *args):
        """What others do from here on is told; what was told before is
        skipped."""
        self.emit(name, *args, ack=9)
        assert self.reply() == '439[{"success":true}]'

    def event(self, name, fits=lambda data: True):
        """The data of the next such event; others are skipped."""
        while True:
            packet = self.text()
            if not packet.startswith("42"):
                continue
            got, data = json.loads(packet[2:])
            if got == name and fits(data):
                return data


class Stream:
    """GET /events: its events one by one, (id, name, data)."""

    def __init__(self, server, query="", *fields, **options):
        self.raw = server.raw(**options)
        self.raw.send(head("GET", "/events" + query, *fields))
        self.answer = self.raw.response_head()
        if self.answer.status_code != 200:
            self.raw.body(self.answer, "GET")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.raw.close()

    def line(self):
        while b"\n" not in self.raw.buffer:
            if self.raw._more() == 0:
                raise EOFError("the end of the stream")
        line, self.raw.buffer = self.raw.buffer.split(b"\n", 1)
        return line.decode()

    def event(self):
        event = {}
        while True:
            line = self.line()
            if not line:
                if "data" in event:
                    data = json.loads(event["data"])
                    number = int(event["id"]) if "id" in event else None
                    return number, event["event"], data
                event = {}
                continue
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")

    def until(self, fits):
        """All events up to the first that fits."""
        seen = []
        while True:
            seen.append(self.event())
            if fits(seen[-1][2]):
                return seen


def is_completed(name):
    return lambda t: t["filename"] == name and t["status"] == "completed"


def were_too_slow(server):
    """So many listeners, by what the server says."""
    events = server.log.events("listeners were too slow for events")
    return sum(event["count"] for event in events)
