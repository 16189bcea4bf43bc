# SPDX-License-Identifier: MIT
"""Parts of a file: Range and If-Range (RFC 9110, sections 13 and 14)."""

import random

import pytest

import expect

SIZE = 100_003
DATA = random.Random(20).randbytes(SIZE)
ETAG = f'"{expect.sha256(DATA)}"'
NAME = "ranges-of-the-tests.bin"


@pytest.fixture(scope="module")
def filled(shared):
    response = shared.put(NAME, DATA)
    assert response.status_code in (200, 201)
    return shared


@pytest.fixture
def get(server, filled):
    def get_range(value, method="GET", **headers):
        if value is not None:
            headers["Range"] = value
        fields = {k.replace("_", "-"): v for k, v in headers.items()}
        return server.ask(method, f"/download/{NAME}", headers=fields)

    return get_range


PARTS = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-1", 0, 2),
    ("bytes=0-499", 0, 500),
    ("bytes=500-999", 500, 1000),
    ("bytes=1-1", 1, 2),
    ("bytes=65535-65536", 65535, 65537),
    ("bytes=500-", 500, SIZE),
    ("bytes=0-", 0, SIZE),
    (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE),
    (f"bytes={SIZE - 1}-{SIZE + 1000}", SIZE - 1, SIZE),
    (f"bytes=10-{SIZE}", 10, SIZE),
    (f"bytes=0-{(1 << 63) - 1}", 0, SIZE),
    ("bytes=10-99999999999999999999999", 10, SIZE),
    ("bytes=-1", SIZE - 1, SIZE),
    ("bytes=-500", SIZE - 500, SIZE),
    (f"bytes=-{SIZE}", 0, SIZE),
    (f"bytes=-{SIZE + 1}", 0, SIZE),
    ("bytes=-99999999999999999999999", 0, SIZE),
    ("bytes=007-0009", 7, 10),
    ("Bytes=0-9", 0, 10),
]


@pytest.mark.parametrize("value,first,end", PARTS)
def test_one_part(get, value, first, end):
    response = get(value)
    assert response.status_code == 206
    assert response.content == DATA[first:end]
    fields = response.headers
    assert fields["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert fields["Content-Length"] == str(end - first)
    assert fields["ETag"] == ETAG
    assert fields["Accept-Ranges"] == "bytes"
    # of the whole, not of the part
    assert fields["Repr-Digest"] == expect.digest_field(DATA)


@pytest.mark.parametrize(
    "value",
    [
        f"bytes={SIZE}-",
        f"bytes={SIZE}-{SIZE + 10}",
        f"bytes={1 << 62}-",
        f"bytes={(1 << 63)}-{(1 << 63) + 5}",
        "bytes=99999999999999999999999-",
        "bytes=99999999999999999999998-99999999999999999999999",
        "bytes=-0",
    ],
)
def test_a_part_beyond_the_end(get, value):
    response = get(value)
    expect.error(response, 416, "range_not_satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=0x1-0x2",
        "bytes=1.5-2",
        "bytes 0-9",
        "bytes=0-9;",
        "items=0-9",
        "seconds=1-2",
        "bytes = 0-9",
        "bytes=0\x0b-9",
    ],
)
def test_what_is_no_range_is_ignored(server, filled, value):
    with server.raw() as raw:
        response = raw.ask(
            "GET", f"/download/{NAME}", b"Range: " + value.encode()
        )
    if "\x0b" in value:
        assert response.status_code in (200, 400)
    else:
        assert response.status_code == 200
        assert response.content == DATA


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-9,20-29",
        "bytes=0-9, -10",
        "bytes=0-,0-,0-",
        f"bytes=5-6,{SIZE}-",
        "bytes=" + ",".join(["0-"] * 2000),
        "bytes=" + ",".join(f"{i}-{i}" for i in range(1000)),
    ],
)
def test_several_parts_may_be_answered_with_the_whole(get, value):
    response = get(value)
    if response.status_code == 200:
        assert response.content == DATA
    else:
        assert response.status_code == 206
        assert len(response.content) < 2 * SIZE
        kind = response.headers["Content-Type"]
        assert kind.startswith("multipart/byteranges") or (
            "Content-Range" in response.headers
        )


def test_head_knows_no_range(get):
    response = get("bytes=0-9", method="HEAD")
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(SIZE)


def test_of_an_empty_file(server, name):
    server.put(name, b"")
    response = server.download(name, headers={"Range": "bytes=0-0"})
    assert response.status_code in (200, 416)
    response = server.download(name, headers={"Range": "bytes=-5"})
    assert response.status_code in (200, 416)


def test_if_range_with_the_tag(get):
    response = get("bytes=10-19", If_Range=ETAG)
    assert response.status_code == 206
    assert response.content == DATA[10:20]


@pytest.mark.parametrize(
    "value",
    [
        f'"{"0" * 64}"',
        f"W/{ETAG}",
        ETAG.strip('"'),
        f"{ETAG}, {ETAG}",
        "*",
        "nonsense",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 2100 23:59:59 GMT",
    ],
)
def test_if_range_with_something_else_sends_the_whole(get, value):
    response = get("bytes=10-19", If_Range=value)
    assert response.status_code == 200
    assert response.content == DATA


def test_if_range_with_something_else_and_a_part_beyond(get):
    response = get(f"bytes={SIZE}-", If_Range='"other"')
    assert response.status_code == 200
    assert response.content == DATA


def test_if_range_with_the_date(get):
    modified = get(None).headers["Last-Modified"]

    def partial():  # a date is no strong validator within its own second
        response = get("bytes=10-19", If_Range=modified)
        assert response.status_code in (200, 206)
        return response.status_code == 206

    expect.until(partial)


def test_if_range_after_a_replacement(server, name):
    server.put(name, b"old" * 100)
    tag = server.download(name).headers["ETag"]
    server.put(name, b"new" * 100)
    headers = {"Range": "bytes=100-", "If-Range": tag}
    response = server.download(name, headers=headers)
    assert response.status_code == 200
    assert response.content == b"new" * 100


def test_a_large_file_in_pieces(server, name):
    data = random.Random(21).randbytes(9 << 20)
    server.put(name, data)
    got = b""
    with server.raw() as raw:
        while len(got) < len(data):
            value = ("Range", f"bytes={len(got)}-{len(got) + (1 << 20)}")
            response = raw.ask("GET", f"/download/{name}", value)
            assert response.status_code == 206
            got += response.content
    assert got == data
