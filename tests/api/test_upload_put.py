# SPDX-License-Identifier: MIT
"""PUT /upload/<filename>"""

import random

import pytest

import expect
from raw import chunked, head

DATA = random.Random(2).randbytes(200_000)
SHA256 = expect.sha256(DATA)
OTHER = expect.digest_field(b"something else")
GOOD = expect.digest_field(DATA)
SHA512 = "sha-512=:" + "A" * 86 + "==:"


def test_201_when_new_and_200_when_it_replaced(server, name):
    expect.uploaded(server.put(name, DATA), name, DATA, status=201)
    expect.uploaded(server.put(name, b"new"), name, b"new", status=200)
    assert server.has(name, b"new")


def test_an_empty_file_is_a_file(server, name):
    with server.raw() as raw:
        response = raw.ask("PUT", f"/upload/{name}", body=b"")
        expect.uploaded(response, name, b"", status=201)
    assert server.has(name, b"")


@pytest.mark.parametrize("size", [1, 65535, 65536, 65537, 3 << 20])
def test_sizes(server, name, size):
    data = random.Random(size).randbytes(size)
    expect.uploaded(server.put(name, data), name, data, status=201)
    assert server.has(name, data)


def test_options_as_query_parameters(server, name):
    query = (
        f"?priority=9&client_id=me&sha256={SHA256}&encryption=off"
        "&if_exists=error"
    )
    answer = expect.uploaded(server.put(name, DATA, query), name, DATA, 201)
    assert answer["priority"] == 9
    assert server.status(name)["client_id"] == "me"


@pytest.mark.parametrize(
    "query",
    [
        "?priority=11",
        "?priority=-1",
        "?priority=x",
        "?encryption=2",
        "?sha256=12",
        "?if_exists=maybe",
    ],
)
def test_bad_values(server, name, query):
    response = server.put(name, DATA, query)
    expect.error(response, 400, "invalid_parameter")
    assert server.lacks(name)


@pytest.mark.parametrize("field", ["Repr-Digest", "Content-Digest"])
@pytest.mark.parametrize("digest", [GOOD, f"{SHA512}, {GOOD}"])
def test_an_expected_digest_that_fits(server, name, field, digest):
    # the sha-512 is not that of the data: it is not looked at
    response = server.put(name, DATA, headers={field: digest})
    expect.uploaded(response, name, DATA, status=201)


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr-Digest": OTHER},
        {"Content-Digest": OTHER},
        {"Repr-Digest": GOOD, "Content-Digest": OTHER},
        {"Repr-Digest": OTHER, "Content-Digest": GOOD},
    ],
)
def test_an_expected_digest_that_does_not_fit(server, name, headers):
    expect.uploaded(server.put(name, b"old"), name, b"old", status=201)
    response = server.put(name, DATA, headers=headers)
    if len(headers) == 1:
        expect.error(response, 422, "hash_mismatch")
    else:  # that they differ is seen before the body is
        expect.error(response, (400, 422))
    assert server.has(name, b"old")


@pytest.mark.parametrize("field", ["Repr-Digest", "Content-Digest"])
def test_an_expected_digest_in_the_second_of_two_fields(server, name, field):
    """Which are one list."""
    for digest, status in ((GOOD, 201), (OTHER, 422)):
        with server.raw() as raw:
            answer = raw.ask(
                "PUT",
                f"/upload/{name}",
                (field, SHA512),
                (field, digest),
                body=DATA,
            )
            assert answer.status_code == status


def test_a_digest_in_the_query_that_does_not_fit(server, name):
    response = server.put(name, DATA, f"?sha256={'0' * 64}")
    expect.error(response, 422, "hash_mismatch")
    assert server.lacks(name)


@pytest.mark.parametrize("field", ["Repr-Digest", "Content-Digest"])
@pytest.mark.parametrize(
    "digest", ["sha-256=:!!!:", "sha-256=:AAAA:", "sha-256=abc"]
)
def test_a_digest_that_is_none(server, name, field, digest):
    response = server.put(name, DATA, headers={field: digest})
    expect.error(response, 400)
    assert server.lacks(name)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 255, 4096, 70000])
def test_in_the_chunked_coding(server, name, size):
    data = DATA[: size * 40]
    with server.raw() as raw:
        raw.send(
            head("PUT", f"/upload/{name}", ("Transfer-Encoding", "chunked"))
            + chunked(data, size)
        )
        expect.uploaded(raw.response(), name, data, status=201)
        assert raw.ask("GET", "/health").status_code == 200
    assert server.has(name, data)


def test_an_empty_chunked_body(server, name):
    with server.raw() as raw:
        raw.send(
            head("PUT", f"/upload/{name}", ("Transfer-Encoding", "chunked"))
            + b"0\r\n\r\n"
        )
        expect.uploaded(raw.response(), name, b"", status=201)


def test_a_body_cut_short_is_no_file(server, name):
    expect.uploaded(server.put(name, b"old"), name, b"old", status=201)
    with server.raw() as raw:
        fields = ("Content-Length", len(DATA))
        raw.send(head("PUT", f"/upload/{name}", fields) + DATA[:-1])
        raw.half_close()
        raw.read_to_end()
    assert server.has(name, b"old")
    status = expect.until(
        lambda: (s := server.status(name))["status"] == "interrupted" and s
    )
    assert status["error"]


def test_a_small_body_cut_short_is_no_file(server, name):
    with server.raw() as raw:
        fields = ("Content-Length", 4)
        raw.send(head("PUT", f"/upload/{name}", fields) + b"abc")
        raw.half_close()
        raw.read_to_end()
    assert server.lacks(name)


def test_a_chunked_body_cut_short_is_no_file(server, name):
    with server.raw() as raw:
        raw.send(
            head("PUT", f"/upload/{name}", ("Transfer-Encoding", "chunked"))
            + chunked(DATA, 5000, end=b"")
        )
        raw.half_close()
        raw.read_to_end()
    assert server.lacks(name)


def test_a_part_of_a_file_is_not_taken_for_the_whole(server, name):
    # what curl -C N -T sends; RFC 9110 14.5
    expect.uploaded(server.put(name, DATA), name, DATA, status=201)
    headers = {"Content-Range": f"bytes 5-9/{len(DATA)}"}
    expect.error(server.put(name, b"abcde", headers=headers), 400)
    assert server.has(name, DATA)
