# SPDX-License-Identifier: MIT
"""multipart bodies that have broken other servers."""

import random
import time

import pytest

import expect
import form
from raw import head

DATA = random.Random(3).randbytes(3000)
B = form.BOUNDARY


def send_slowly(server, body, content_type, step=1):
    """POST with step bytes a segment."""
    with server.raw() as raw:
        raw.send(
            head(
                "POST",
                "/upload",
                ("Content-Type", content_type),
                ("Content-Length", len(body)),
            )
        )
        for i in range(0, len(body), step):
            raw.send(body[i : i + step])
        return raw.response("POST")


def test_a_byte_at_a_time(server, name):
    body = form.body(form.part("priority", "2"), form.file(b"abc", name))
    response = send_slowly(server, body, form.content_type())
    answer = expect.uploaded(response, name, b"abc")
    assert answer["priority"] == 2


def test_a_large_form_in_odd_segments(server, name):
    data = random.Random(4).randbytes(300_000)
    body = form.body(form.file(data, name), form.part("priority", "2"))
    response = send_slowly(server, body, form.content_type(), 997)
    expect.uploaded(response, name, data)
    assert server.has(name, data)


BOUNDARY_LIKE = [
    f"--{B}",
    f"\r\n--{B[:-1]}",
    f"\r\n-{B}--\r\n",
    f"\n--{B}--\r\n",
    f"\r--{B}--\r\n",
    f"--{B}--\r\n",
    "\r\n--",
    "\r\n",
    "\r\n\r\n--\r\n",
    f"\r\n--{B[:-1]}X--\r\n",
    f"\r\r\n-\r\n--{B[:5]}\r\n--{B[:-1]}",
]


@pytest.mark.parametrize("content", BOUNDARY_LIKE)
@pytest.mark.parametrize("lead", [1, 65_000, 262_143])
def test_content_like_a_boundary(server, name, content, lead):
    # not 0: a delimiter right behind a part's head ends an empty part
    data = b"a" * lead + content.encode() + b"z"
    response = form.post(server, form.file(data, name))
    expect.uploaded(response, name, data)
    assert server.has(name, data)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"-", b"\r\n-"])
def test_content_that_ends_like_a_boundary_begins(server, name, end):
    data = DATA + end
    response = form.post(server, form.file(data, name))
    expect.uploaded(response, name, data)
    assert server.has(name, data)


def test_preamble_and_epilogue_are_not_content(server, name):
    response = form.post(
        server,
        form.file(DATA, name),
        preamble=b"This is a message in MIME format.\r\n",
        epilogue=b"goodbye\r\n--nothing\r\n" * 10,
    )
    expect.uploaded(response, name, DATA)
    assert server.has(name, DATA)


def test_space_after_a_boundary(server, name):
    body = form.body(form.file(DATA, name)).replace(
        f"--{B}\r\n".encode(), f"--{B} \t\r\n".encode()
    )
    headers = {"Content-Type": form.content_type()}
    response = server.post("/upload", data=body, headers=headers)
    expect.uploaded(response, name, DATA)


@pytest.mark.parametrize(
    "boundary", ["a", "a" * 70, "'()+_,-./:=?", "with space inside"]
)
def test_every_legal_boundary(server, name, boundary):
    body = form.body(form.file(DATA, name), boundary=boundary)
    quoted = f'multipart/form-data; boundary="{boundary}"'
    response = server.post(
        "/upload", data=body, headers={"Content-Type": quoted}
    )
    expect.uploaded(response, name, DATA)


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary=""',
        b"multipart/form-data; boundary=" + b"a" * 71,
        b"multipart/form-data; boundary=a\x00b",
        b'multipart/form-data; boundary="a',
        b"multipart/form-data; charset=utf-8",
    ],
)
def test_a_boundary_that_is_none(server, content_type):
    with server.raw() as raw:
        raw.request(
            "POST",
            "/upload",
            b"Content-Type: " + content_type,
            body=form.body(form.file(DATA)),
        )
        expect.error(raw.response("POST"), 400)
    assert server.get("/health").status_code == 200


def bad(*parts):
    """A form of these raw pieces."""
    return b"".join(parts)


OPEN = f"--{B}\r\n".encode()
CLOSE = f"\r\n--{B}--\r\n".encode()
MALFORMED = {
    "no end": bad(OPEN, form.file(DATA, "{name}")),
    "a half end": bad(
        OPEN, form.file(DATA, "{name}"), f"\r\n--{B}-\r\n".encode()
    ),
    "no boundary": DATA,
    "nothing": b"",
    "an end within a head": bad(OPEN, b"Content-Disposition: form-da"),
    "no name": bad(
        OPEN,
        form.part("", DATA, disposition='form-data; filename="{name}"'),
        CLOSE,
    ),
    "no disposition": bad(OPEN, b"X: y\r\n\r\n", DATA, CLOSE),
    "no head": bad(OPEN, b"\r\n", DATA, CLOSE),
    "another disposition": bad(
        OPEN,
        form.part("", DATA, disposition='attachment; name="file"'),
        CLOSE,
    ),
    "an open quote": bad(
        OPEN, form.part("", DATA, disposition='form-data; name="file'), CLOSE
    ),
    "a NUL in the head": bad(
        OPEN,
        form.part("", DATA, disposition='form-data; name="fi\0le"'),
        CLOSE,
    ),
    "text after the boundary": bad(
        f"--{B}x\r\n".encode(), form.file(DATA, "{name}"), CLOSE
    ),
    "a head that has no end": bad(
        OPEN, b"Content-Disposition: form-data; name=x\r\nX: ", b"y" * 20_000
    ),
    "many fields in a head": bad(
        OPEN,
        b"".join(b"X-%d: y\r\n" % i for i in range(2000)),
        form.file(DATA, "{name}"),
        CLOSE,
    ),
    "many parts": form.body(
        *[form.part(f"f{i}", "x") for i in range(101)],
        form.file(DATA, "{name}"),
    ),
    "a huge field": form.body(
        form.part("note", "x"), form.part("filename", "y" * 100_000)
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_forms(server, name, case):
    body = MALFORMED[case].replace(b"{name}", name.encode())
    headers = {"Content-Type": form.content_type()}
    response = server.post("/upload", data=body, headers=headers)
    expect.error(response, (400, 413))
    assert server.lacks(name)


def test_a_nested_form_is_only_content(server, name):
    inner = form.body(form.file(DATA, "inner.bin"), boundary="inner")
    response = form.post(
        server,
        form.file(
            inner,
            name,
            headers=["Content-Type: multipart/mixed; boundary=inner"],
        ),
    )
    expect.uploaded(response, name, inner)


def test_only_one_file(server, names):
    first, second = names(), names()
    response = form.post(
        server, form.file(DATA, first), form.file(b"other", second)
    )
    expect.error(response, 400)
    assert server.lacks(first) and server.lacks(second)


@pytest.mark.parametrize("field", ["filename", "priority", "sha256"])
def test_a_field_that_comes_twice(server, names, field):
    name, other = names(), names()
    values = {"filename": (name, other), "priority": ("1", "2")}
    pair = values.get(field, ("0" * 64, "1" * 64))
    response = form.post(
        server,
        form.part(field, pair[0]),
        form.part(field, pair[1]),
        form.file(DATA, name),
    )
    # refused, or one of them counts: never something else
    if response.status_code == 200:
        answer = response.json()
        assert answer["filename"] in (name, other)
        assert answer["priority"] in (0, 1, 2)
    else:
        expect.error(response, (400, 422))


def test_header_names_in_any_case(server, name):
    part = (
        f'CONTENT-disposition:form-data;NAME=file; FileName="{name}"'
        "\r\ncontent-TYPE: text/plain\r\n\r\n"
    ).encode() + DATA
    expect.uploaded(form.post(server, part), name, DATA)


def test_a_form_of_newlines_takes_no_time(server, name):
    # a parser that looks twice at each byte would need minutes
    data = b"\r\n--" * 2_000_000
    start = time.monotonic()
    response = form.post(server, form.file(data, name))
    expect.uploaded(response, name, data)
    assert time.monotonic() - start < 20
