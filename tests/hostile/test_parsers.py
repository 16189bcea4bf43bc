# SPDX-License-Identifier: MIT
"""Bytes that parsers have stumbled over."""

import random
import re

import pytest

import expect
import form
from live import BINARY, PATH, TEXT, Polling, WebSocket
from raw import chunk, head
from survival import works
from tus import V, begin, create, offset, patch

DATA = random.Random(1).randbytes(3000)
B = form.BOUNDARY
FORM = ("Content-Type", form.content_type())


def post(server, body, *fields):
    """The answer to a form of just these bytes."""
    with server.raw() as raw:
        return raw.ask("POST", "/upload", *(fields or (FORM,)), body=body)


# --- forms -------------------------------------------------------------------


def test_boundary_split_at_every_byte(server, name):
    """A form comes in two pieces, cut at each of its bytes in turn."""
    # Fails when what could begin a delimiter at a buffer's end is taken for
    # content (net/multipart_stream.c, scan()).
    data = b"\r\n--" + B[:-1].encode() + b"\r\n-" + b"\r\r\n--"
    body = form.body(form.part("priority", "2"), form.file(data, name))
    lines = head("POST", "/upload", FORM, ("Content-Length", len(body)))
    with server.raw() as raw:
        for at in range(1, len(body)):
            raw.send(lines + body[:at])
            # Not a pause but an event: the server has read what was sent.
            raw.send(b"")
            raw.send(body[at:])
            answer = expect.uploaded(raw.response("POST"), name, data)
            assert answer["priority"] == 2
    assert server.has(name, data)
    # and each byte in a segment of its own, so that every cut is one
    with server.raw() as raw:
        raw.send(lines)
        for byte in body:
            raw.send(bytes([byte]))
        expect.uploaded(raw.response("POST"), name, data)
    assert works(server)


def test_nul_in_the_boundary(server, name):
    """A boundary with a NUL, or of characters that no boundary has."""
    # Fails without boundary_is_valid() in net/multipart_head.c; NUL is refused
    # by that, by net/http_fields.c and net/http_token.c, by each alone.
    for boundary in (
        b"a\0b",
        b'"a\0b"',
        b'"a\x01b"',
        b'"a\\\0b"',
        b'"a\r\n b"',
        b'"a\xc3\xa9b"',
        b"a" * 71,
    ):
        value = b"Content-Type: multipart/form-data; boundary=" + boundary
        raw_boundary = boundary.strip(b'"')
        body = b"--" + raw_boundary + b"\r\n" + form.file(DATA, name)
        body += b"\r\n--" + raw_boundary + b"--\r\n"
        expect.error(post(server, body, value), 400)
    assert server.lacks(name)
    assert works(server)


def test_header_floods(server, name):
    """Thousands of fields, endless fields, thousands of parts."""
    # Fails with LIMIT_FORM_PARTS far larger, or with the limits of a part's
    # head (net/multipart_head.c, proto/limits.h).
    opened = f"--{B}\r\n".encode()
    close = f"\r\n--{B}--\r\n".encode()
    many = b"".join(b"X-%d: y\r\n" % i for i in range(5000))
    parts = [form.part(f"f{i}", "x") for i in range(5000)]
    for body in (
        opened + many + form.file(DATA, name) + close,
        opened + b"Content-Disposition: form-data; name=x; " + b"y" * 400_000,
        opened + b"X: " + b"y" * 400_000 + b"\r\n" + form.file(DATA, name),
        form.body(*parts, form.file(DATA, name)),
        form.body(form.part("filename", "x" * 2_000_000), form.file(DATA, name)),
        form.body(
            form.part("", "x", disposition="form-data" + "; a=b" * 50_000)
        ),
    ):
        expect.error(post(server, body), (400, 413, 431))
    for flood in (many * 2, b"X: " + b"y" * 200_000 + b"\r\n", b"x" * 200_000):
        with server.raw() as raw:
            try:
                raw.send(b"GET /health HTTP/1.1\r\nHost: x\r\n" + flood)
            except ConnectionError:
                continue  # refused and closed before all of it was sent
            got = raw.read_to_end()
            assert not got or got[9:12] in (b"400", b"431"), got[:100]
    assert server.lacks(name)
    assert works(server)


@pytest.mark.parametrize("cut", ["none", "half", "head", "field", "epilogue"])
def test_missing_end_of_a_form(server, name, cut):
    """Forms that end before they have ended."""
    # Fails when the end of the body is taken for the end of a part
    # (net/multipart_stream.c, truncated()).
    whole = form.body(form.file(DATA, name))
    ends = {
        "none": len(whole) - len(B) - 8,
        "half": len(whole) - 4,
        "head": 30,
        "field": len(B) + 60,
        "epilogue": len(whole) - 2 - len(B) // 2,
    }
    expect.error(post(server, whole[: ends[cut]]), 400)
    assert server.lacks(name)
    assert server.status(name)["status"] == "failed" if cut == "none" else True
    assert works(server)


def test_nested_forms(server, names):
    """A form within a part, of the same and of another boundary."""
    # Holds as no part is ever parsed as a form: a mixed part is its bytes.
    inner, outer = names(), names()
    for boundary in ("inner", B + "x"):
        body = form.body(form.file(DATA, inner), boundary=boundary)
        kind = f"Content-Type: multipart/mixed; boundary={boundary}"
        part = form.file(body, outer, headers=[kind])
        answer = form.post(server, part)
        if answer.status_code == 200:
            assert server.has(outer, body)
        assert server.lacks(inner)
    # of the same boundary: the inner one's end is the end of all
    body = form.body(form.file(form.body(form.file(DATA, inner)), outer))
    expect.error(post(server, body), 400)
    assert server.lacks(inner)
    assert works(server)


def test_parts_without_a_name(server, name):
    """Parts that have no name, no disposition, or no head at all."""
    # Fails without the check for a name in net/multipart_head.c.
    for part in (
        form.part("", DATA, disposition=f'form-data; filename="{name}"'),
        form.part("", DATA, disposition="form-data"),
        form.part("", DATA, disposition=""),
        b"Content-Type: text/plain\r\n\r\n" + DATA,
        b"\r\n" + DATA,
        DATA,
    ):
        expect.error(post(server, form.body(part)), 400)
    assert server.lacks(name)
    assert works(server)


# --- requests within requests ------------------------------------------------


def smuggled(name):
    return head("PUT", f"/upload/{name}", ("Content-Length", 1)) + b"x"


def is_refused(server, names, lines, rest=b"0\r\n\r\n"):
    """One refusal and the end of the connection; nothing that follows is a
    request."""
    first, second = names(), names()
    with server.raw() as raw:
        start = f"PUT /upload/{first} HTTP/1.1\r\nHost: x\r\n".encode()
        raw.send(start + lines + b"\r\n" + rest + smuggled(second))
        expect.error(raw.response("PUT"), (400, 413, 501))
        raw.half_close()
        assert raw.is_closed()
    assert server.lacks(first) and server.lacks(second)
    return True


def test_smuggling_by_a_length_and_a_coding(server, names):
    """Content-Length with Transfer-Encoding, in both orders, and codings
    that others read as chunked."""
    # Fails without the check for both in net/http_parse.c.
    te = b"Transfer-Encoding: chunked\r\n"
    for lines in (
        b"Content-Length: 5\r\n" + te,
        te + b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n" + te,
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        te + te,
    ):
        assert is_refused(server, names, lines)
    assert works(server)


def test_smuggling_by_two_lengths(server, names):
    """Two lengths, in two fields and in one."""
    # Fails without the check for a second length in net/http_parse.c.
    for lines in (
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 0\r\ncontent-length: 99\r\n",
        b"Content-Length: 5, 6\r\n",
    ):
        assert is_refused(server, names, lines)
    assert works(server)


def test_smuggling_by_lengths_with_a_sign_or_a_base(server, names):
    """+5, -5, 0x5, and other numbers that some functions read."""
    # Fails with strtoull() in place of num_uint() in net/http_parse.c.
    for value in (b"+5", b"-5", b"0x5", b"5 5", b"5.", b"0b1", b"", b"\xb2"):
        lines = b"Content-Length: " + value + b"\r\n"
        assert is_refused(server, names, lines)
    assert works(server)


BAD_CHUNKS = [
    b"-1\r\nx\r\n",
    b"+1\r\nx\r\n",
    b"0x1\r\nx\r\n",
    b"1 \r\r\nx\r\n",
    b"1\nx\r\n",
    b"1\r\nxx\r\n",
    b"1\r\nx\n",
    b"1\r\nxy\n",
    b"g\r\nx\r\n",
    b"\r\nx\r\n",
    b"ffffffffffffffff\r\nx\r\n",
    b"10000000000000001\r\nx\r\n",
    b"8000000000000000\r\nx\r\n",
    b"1;" + b"a" * 100_000 + b"\r\nx\r\n",
]


def test_bad_chunk_sizes(server, names):
    """Signs, bases, overflow, line ends, and chunks longer than they say."""
    # Fails without the checks of net/http_chunked.c.
    coding = b"Transfer-Encoding: chunked\r\n"
    for bad in BAD_CHUNKS:
        rest = bad + b"0\r\n\r\n"
        assert is_refused(server, names, coding, rest), bad
        assert is_refused(server, names, coding, chunk(b"ok") + rest), bad
    assert works(server)


def test_bare_line_feeds(server, names):
    """Lines that end in LF alone, or CR alone."""
    # Fails when net/http_parse.c takes LF for the end of a line.
    length = b"Content-Length: 0"
    for lines in (
        length + b"\n",
        b"X: y\n" + length + b"\r\n",
        b"X: y\r" + length + b"\r\n",
        b"X: y\r\r\n",
        b"X: y\n\n",
    ):
        assert is_refused(server, names, lines)
    assert works(server)


def test_obs_fold(server, names):
    """Fields that go on in the next line."""
    # Fails when net/http_parse.c takes a line that begins with a space.
    for lines in (
        b"X: y\r\n Transfer-Encoding: chunked\r\n",
        b"X: y\r\n\tContent-Length: 5\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b" X: y\r\n",
    ):
        assert is_refused(server, names, lines)
    assert works(server)


def test_space_before_the_colon(server, names):
    """Content-Length : 5, and names with other characters within."""
    # Fails when net/http_parse.c trims the names of fields.
    for lines in (
        b"Content-Length : 5\r\n",
        b"Content-Length\t: 5\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length\x00: 5\r\n",
        b": 5\r\n",
    ):
        assert is_refused(server, names, lines)
    assert works(server)


# --- numbers -----------------------------------------------------------------


def part_of(value):
    """What a range asks for, in numbers that do not end."""
    first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", value).groups()
    if not first:
        return DATA[max(0, len(DATA) - int(last)) :]
    return DATA[int(first) : int(last) + 1 if last else len(DATA)]


def test_ranges_that_overflow_or_are_many_or_reversed(server, name):
    """2^64 and more, thousands of ranges, ends before beginnings."""
    # Fails without the check for overflow, or that for order, in
    # net/http_range.c; many ranges are never more than the whole file.
    server.put(name, DATA)
    size = len(DATA)
    most = 2**64
    for value in (
        f"bytes=0-{most}",
        f"bytes={most}-",
        f"bytes=-{most}",
        f"bytes=-{most - 1}",
        f"bytes={most - 1}-{most}",
        f"bytes={most + 1}-{most + 2}",
        f"bytes=-{2**63 + 1}",
        f"bytes=17-{2**63 - 1}",
        f"bytes={size}-",
        "bytes=5-2",
        "bytes=--5",
        "bytes=-0",
        "bytes=5-+6",
        "bytes=0x0-0x5",
        "bytes=" + ",".join("0-" for _ in range(1300)),
        "bytes=" + ",".join(f"{i}-{i}" for i in range(1000)),
        "bytes=0-" + ",5-2" * 1000,
    ):
        got = server.download(name, headers={"Range": value})
        assert got.status_code in (200, 206, 416), value
        if got.status_code == 200:
            assert got.content == DATA
        elif got.status_code == 416:
            assert part_of(value) == b"", value
        else:
            assert got.content == part_of(value), value
            said = got.headers["Content-Range"]
            assert said.endswith(f"/{size}"), (value, said)
    assert works(server)


def test_lengths_that_are_negative_or_beyond_2_63(server, name):
    """Of requests, tus uploads, and chunked ones."""
    # Fails without the check for overflow in base/num.c.
    for value in ("-1", str(2**63), str(2**64 - 1), str(2**64 + 5), "9" * 40):
        with server.raw() as raw:
            got = raw.ask("PUT", f"/upload/{name}", ("Content-Length", value))
            assert got.status_code in (400, 413), value
        got = create(server, value, filename=name)
        assert got.status_code in (400, 413), value
        for field in ("total_size", "total_chunks", "chunk_number"):
            fields = {
                "filename": name,
                "chunk_number": "0",
                "total_chunks": "2",
                field: value,
            }
            got = server.post(
                "/upload_chunk", data=fields, files={"chunk": ("b", b"x")}
            )
            assert got.status_code in (400, 413), (field, value, got.text)
    assert server.lacks(name)
    assert works(server)


def test_offset_and_length_that_wrap(server, name):
    """Offsets so large that the sum with a length is a small number."""
    # Fails without the comparison with the front in engine/append_run.c; what
    # would wrap is no number as well (base/num.c).
    url = begin(server, 10, filename=name)
    for at in (2**64 - 1, 2**64 - 5, 2**63 - 1, 2**63, 2**32, -1, 11):
        got = patch(server, url, at, b"x" * 10)
        assert got.status_code in (400, 409, 413), (at, got.text)
    assert patch(server, url, 5, b"x" * 5).status_code == 409
    assert offset(server, url) == 0
    assert patch(server, url, 0, b"x" * 10).status_code == 204
    assert server.has(name, b"x" * 10)
    fields = {"chunk_number": "999999", "total_chunks": "1000000"}
    for size in (2**62, 2**63 - 1):
        got = server.post(
            "/upload_chunk",
            data={"filename": name + "2", "chunk_size": str(size), **fields},
            files={"chunk": ("b", b"x")},
        )
        assert got.status_code in (200, 400, 413), got.text
    assert server.lacks(name + "2")
    assert works(server)


def test_fewer_bytes_than_announced(server, names):
    """Bodies that end early, by each way to upload."""
    # Fails when a body counts as ended before its last byte (net/http_body.c).
    for coding in ("length", "chunked", "form"):
        name = names()
        fields, body = [("Content-Length", 5000)], DATA
        if coding == "chunked":
            fields = [("Transfer-Encoding", "chunked")]
            body = chunk(DATA)
        target = f"/upload/{name}"
        if coding == "form":
            target, body = "/upload", form.body(form.file(DATA, name))
            fields.append(FORM)
        method = "POST" if coding == "form" else "PUT"
        with server.raw() as raw:
            raw.send(head(method, target, *fields) + body)
            raw.half_close()
            got = raw.read_to_end()
            assert b" 200 " not in got[:20] and b" 201 " not in got[:20]
        assert server.lacks(name)
    name = names()
    url = begin(server, 5000, filename=name)
    assert patch(server, url, 0, DATA).status_code == 204
    assert server.lacks(name)
    assert server.delete(url, headers=V).status_code == 204
    assert works(server)


def test_more_bytes_than_announced(server, names):
    """What follows the announced length is another request, or refused."""
    # Fails without the comparisons with the length in engine/append_run.c.
    name = names()
    with server.raw() as raw:
        lines = head("PUT", f"/upload/{name}", ("Content-Length", 5))
        raw.send(lines + b"hello" + b"GARBAGE / x\r\n\r\n")
        expect.uploaded(raw.response("PUT"), name, b"hello", status=201)
        expect.error(raw.response(), 400)
        assert raw.is_closed()
    assert server.has(name, b"hello")
    name = names()
    url = begin(server, 5, filename=name)
    got = patch(server, url, 0, b"hello and more")
    assert got.status_code in (400, 413), got.text
    if not server.download(name).ok:
        server.delete(url, headers=V)
    else:
        assert server.has(name, b"hello")
    assert works(server)


# --- Engine.IO and Socket.IO -------------------------------------------------

# CVE-2022-21676, CVE-2022-41940 and CVE-2024-38355 were exceptions that
# nobody caught; CVE-2020-36048 memory for payloads of many tiny packets.
PACKETS = [
    "",
    "4",
    "40",
    "42",
    "42[]",
    '42["__proto__"]',
    '42["constructor",{}]',
    '42["toString"]',
    '42["error",{}]',
    '42["disconnect"]',
    '42["subscribe_status",null]',
    '42["subscribe_status",{"filename":{"a":1}}]',
    '42["subscribe_status",{"filename":[["x"]]}]',
    '42[' * 3000,
    '42["a",' + "[" * 5000 + "]" * 5000 + "]",
    "42" + '{"a":' * 5000,
    "4299999999999999999999[]",
    "42-1[]",
    "43",
    "4399[]",
    "44",
    "45",
    "451-[]",
    '45999999999-["a",{"_placeholder":true,"num":0}]',
    '451-["a",{"_placeholder":true,"num":99999999999}]',
    '451-["a",{"_placeholder":true,"num":"splice"}]',
    "46",
    "4/",
    "40/,",
    "40/" + "n" * 10_000 + ",",
    "42/nowhere,[]",
    "1",
    "2probe",
    "3probe",
    "5",
    "6",
    "bAAAA",
    "b!!!!",
    "b" + "A" * 50_000,
    "7",
    "\0",
    "\ud83d\ude00",
]


def test_packets_that_kill_the_process(server):
    """Malformed packets of both protocols, before and after connecting, by
    WebSocket and by polling."""
    # Fails with a trap in place of a refusal in proto/sio.c: the fixture looks
    # at the server's process.
    for packet in PACKETS:
        data = packet.encode("utf-8", "surrogatepass")
        for first in ("40", ""):
            with WebSocket(server) as ws:
                if first:
                    ws.send(first)
                for opcode in (TEXT, BINARY):
                    try:
                        ws.frame(opcode, data)
                    except ConnectionError:
                        break
            session = Polling(server)
            payload = (f"{first}\x1e" if first else "").encode() + data
            got = server.post(session.path, data=payload)
            assert got.status_code in (200, 400, 413), (packet[:50], got.text)
    with WebSocket(server) as ws:
        assert ws.connect().startswith('40{"sid":"')
    assert works(server)


def test_payloads_of_very_many_packets(server):
    """A megabyte of separators, and of the shortest packets."""
    # Fails with LIMIT_SMALL_BODY far larger (proto/limits.h); within it, a
    # packet takes no memory of its own.
    for payload in (b"\x1e" * 1_000_000, b"3\x1e" * 500_000):
        session = Polling(server)
        got = server.post(session.path, data=payload)
        expect.error(got, 413)
    got = server.post(Polling(server).path, data=b"3\x1e" * 30_000)
    assert got.status_code in (200, 400), got.text
    for query in ("", "EIO=4", "EIO=3&transport=polling", "EIO=4&sid=%00"):
        got = server.get("/socket.io/?" + query)
        assert got.status_code == 400, query
    for sid in ("x", "x" * 60, "x" * 4000, "%00", "%", "..%2f"):
        ws = WebSocket(server, path=PATH + "websocket&sid=" + sid)
        assert not ws.is_open, sid
    assert works(server)
