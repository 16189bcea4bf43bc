# SPDX-License-Identifier: MIT
"""MAX_FILE_SIZE, and answers to bodies that the server does not want: the
client can read them while it still sends."""

import random

import pytest

import expect
import form
from raw import chunk, head
from sftd import Sftd

LIMIT = 1 << 20
MIB = 1 << 20


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    server = Sftd(
        tmp_path_factory.mktemp("limited"), {"MAX_FILE_SIZE": "1M"}
    ).start()
    yield server
    server.end()


@pytest.fixture
def own(limited, start):
    yield limited
    limited.check()


def data_of(size):
    return random.Random(size).randbytes(size)


def too_large(response):
    answer = expect.error(response, 413, "file_too_large")
    assert answer["max_file_size"] == LIMIT
    return answer


def test_exactly_the_limit(own, name):
    data = data_of(LIMIT)
    expect.uploaded(own.put(name, data), name, data, status=201)
    expect.uploaded(own.form(name, data), name, data)


def test_one_byte_more_by_put(own, name):
    too_large(own.put(name, data_of(LIMIT + 1)))
    assert own.lacks(name)


def test_one_byte_more_in_a_form(own, name):
    # the length of the request does not tell: its form might be larger
    too_large(own.form(name, data_of(LIMIT + 1)))
    assert own.lacks(name)


def test_one_byte_more_in_chunks(own, name):
    data = data_of(LIMIT + 1)
    too_large(own.put(name, iter([data[:LIMIT], data[LIMIT:]])))
    assert own.lacks(name)


def test_what_was_there_stays(own, name):
    expect.uploaded(own.put(name, b"old"), name, b"old", status=201)
    too_large(own.put(name, data_of(LIMIT + 1)))
    too_large(own.form(name, data_of(LIMIT + 1)))
    assert own.has(name, b"old")


def test_nothing_stays_behind(own, name):
    too_large(own.form(name, data_of(LIMIT + 1)))
    expect.until(lambda: own.files_below("temp") == [])


def test_fields_do_not_count_as_the_file(own, name):
    data = data_of(LIMIT)
    response = form.post(
        own,
        *[form.part(f"note{i}", "x" * 8000) for i in range(6)],
        form.file(data, name),
    )
    expect.uploaded(response, name, data)


def refused_at_once(own, method, target, length, *fields):
    """The answer to a head alone, nothing of its body sent."""
    with own.raw() as raw:
        raw.send(head(method, target, ("Content-Length", length), *fields))
        return raw.response(method)


def test_a_length_beyond_is_refused_before_the_body(own, name):
    target = f"/upload/{name}"
    too_large(refused_at_once(own, "PUT", target, LIMIT + 65536 + 1))
    too_large(refused_at_once(own, "PUT", target, 1 << 40))
    too_large(refused_at_once(own, "PUT", target, (1 << 63) - 1))
    kind = ("Content-Type", form.content_type())
    length = LIMIT + 65536 + 1
    too_large(refused_at_once(own, "POST", "/upload", length, kind))


def test_a_form_of_64_kib_around_the_file_is_not_refused(own, name):
    data = data_of(LIMIT)
    body = form.body(form.file(data, name))
    body += b"e" * (LIMIT + 65536 - len(body))  # an epilogue
    kind = ("Content-Type", form.content_type())
    with own.raw() as raw:
        response = raw.ask("POST", "/upload", kind, body=body)
        expect.uploaded(response, name, data)


def test_no_100_for_a_body_that_is_refused(own, name):
    with own.raw() as raw:
        raw.request(
            "PUT",
            f"/upload/{name}",
            ("Content-Length", 5 * LIMIT),
            ("Expect", "100-continue"),
        )
        response = raw.response("PUT")
        assert response.interim == []
        too_large(response)


# Clients that send all of it before they read.  requests is one of them.


@pytest.mark.parametrize("size", [2 * MIB, 24 * MIB])
def test_a_put_can_read_its_413(own, name, size):
    too_large(own.put(name, bytes(size)))


@pytest.mark.parametrize("size", [2 * MIB, 24 * MIB])
def test_a_form_can_read_its_413(own, name, size):
    too_large(own.form(name, bytes(size)))


def test_a_chunked_put_can_read_its_413(own, name):
    too_large(own.put(name, (bytes(MIB) for _ in range(24))))


def test_a_chunked_form_can_read_its_413(own, name):
    def pieces():
        body = form.body(form.file(bytes(24 * MIB), name))
        for i in range(0, len(body), MIB):
            yield body[i : i + MIB]

    headers = {"Content-Type": form.content_type()}
    too_large(own.post("/upload", data=pieces(), headers=headers))


def test_the_413_comes_while_the_body_still_goes(own, name):
    """One that reads meanwhile learns of it at the limit."""
    with own.raw() as raw:
        raw.send(
            head("PUT", f"/upload/{name}", ("Transfer-Encoding", "chunked"))
        )
        sent = 0
        while not raw.is_readable(0):
            assert sent < 64 * MIB, "it took 64 times the limit"
            raw.send(chunk(bytes(65536)))
            sent += 65536
        too_large(raw.response("PUT"))


def test_the_connection_ends_after_a_refused_body(own, name):
    with own.raw() as raw:
        raw.send(head("PUT", f"/upload/{name}", ("Content-Length", 3 * LIMIT)))
        response = raw.response("PUT")
        too_large(response)
        assert response.headers["Connection"] == "close"
        raw.half_close()
        assert raw.is_closed()


def test_what_lingers_is_discarded_and_not_parsed(own, name):
    """The rest of a refused body is not taken for a request."""
    smuggled = head("PUT", f"/upload/{name}", ("Content-Length", 1)) + b"x"
    with own.raw() as raw:
        raw.send(head("PUT", "/upload/other", ("Content-Length", 3 * LIMIT)))
        too_large(raw.response("PUT"))
        raw.send(smuggled * 100)
        raw.half_close()
        assert raw.is_closed()
    assert own.lacks(name)


def test_lingering_is_bounded(own, name):
    """5 s, or 256 MiB: then the connection is gone."""
    with own.raw() as raw:
        fields = ("Content-Length", 1 << 40)
        raw.send(head("PUT", f"/upload/{name}", fields))
        too_large(raw.response("PUT"))

        def send_more():
            try:
                for _ in range(8):
                    raw.send(bytes(65536))
            except ConnectionError:
                return True
            return False

        expect.until(send_more, within=20)


BODY = bytes(12 * MIB)


def test_an_early_401_can_be_read(start, name):
    own = start(REQUIRE_API_KEY="true")
    expect.error(own.put(name, BODY), 401, "unauthorized")
    expect.error(own.form(name, BODY), 401, "unauthorized")


def test_an_early_409_can_be_read(start, name):
    own = start()
    own.put(name, b"old")
    response = own.put(name, BODY, "?if_exists=error")
    expect.error(response, 409, "file_exists")
    response = own.form(name, BODY, path="/upload?if_exists=error")
    expect.error(response, 409, "file_exists")


def test_an_early_400_can_be_read(start, name):
    own = start()
    expect.error(own.put("a\x01b", BODY), 400, "invalid_filename")
    expect.error(own.put(name, BODY, "?priority=99"), 400)
    response = own.form(name, BODY, {"priority": "99"})
    expect.error(response, 400, "invalid_parameter")


def test_an_early_507_can_be_read(start, name):
    own = start(MIN_FREE_SPACE=str((1 << 62)))
    expect.error(own.put(name, BODY), 507, "storage_full")
    expect.error(own.form(name, BODY), 507, "storage_full")
    expect.error(own.put(name, b"small"), 507, "storage_full")
    assert own.lacks(name)


def test_a_404_and_a_405_with_a_body_can_be_read(start):
    own = start()
    expect.error(own.post("/nothing", data=BODY), 404, "not_found")
    expect.error(own.post("/status", data=BODY), 405, "method_not_allowed")


def test_a_body_for_a_get_is_no_harm(own):
    with own.raw() as raw:
        response = raw.ask("GET", "/health", body=b"x" * 100)
        assert response.status_code in (200, 400, 413)
    with own.raw() as raw:
        response = raw.ask("GET", "/health", body=b"GET /x HTTP/1.1\r\n\r\n")
        first = response.status_code
        assert first in (200, 400, 413)
        if "close" not in response.headers.get("Connection", ""):
            assert raw.ask("GET", "/health").status_code == 200


def test_small_json_routes_have_a_limit(own):
    response = own.post(
        "/generate_key", data=b" " * (1 << 20), headers=own.as_admin
    )
    expect.error(response, 413)


def test_a_client_that_vanishes_in_mid_body_leaves_nothing(own, name):
    raw = own.raw()
    raw.send(
        head("PUT", f"/upload/{name}", ("Content-Length", LIMIT))
        + bytes(300_000)
    )
    expect.until(lambda: own.status(name)["transferred_bytes"] > 0)
    raw.reset()
    expect.until(lambda: own.status(name)["status"] == "interrupted")
    expect.until(lambda: own.files_below("temp") == [])
    assert own.lacks(name)
