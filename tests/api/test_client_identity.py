# SPDX-License-Identifier: MIT
"""client_id, and the address that a client comes from."""

import pytest

import expect
import form
from raw import head

DATA = b"who am I"


def test_nobody_in_particular(server, name):
    server.put(name, DATA)
    status = server.status(name)
    assert status["client_id"] is None


def test_the_address(server, name):
    server.put(name, DATA)
    with server.raw() as raw:
        address = raw.socket.getsockname()[0]
    assert server.status(name)["client_ip"] == address


def put_with_field(server, name, value):
    """PUT with an X-Client-Id of these bytes."""
    with server.raw() as raw:
        raw.request(
            "PUT", f"/upload/{name}", b"X-Client-Id: " + value, body=DATA
        )
        return raw.response("PUT")


@pytest.mark.parametrize(
    "value", ["me", "a b", "x" * 128, "~!@$%^*()[]{}", "Jürgen", "é" * 128]
)
def test_every_way_to_say_it(server, names, value):
    by_field, by_form, by_query = names(), names(), names()
    response = put_with_field(server, by_field, value.encode())
    expect.uploaded(response, by_field, DATA, status=201)
    response = server.form(by_form, DATA, {"client_id": value})
    expect.uploaded(response, by_form, DATA)
    response = server.ask(
        "PUT",
        f"/upload/{by_query}",
        params={"client_id": value},
        data=DATA,
    )
    expect.uploaded(response, by_query, DATA, status=201)
    for name in (by_field, by_form, by_query):
        assert server.status(name)["client_id"] == value


BAD = [b"x" * 129, b"a\x01b", b"a\x7fb", b"a\xffb", b"a\xc2\x85b"]


@pytest.mark.parametrize("value", BAD)
def test_what_is_no_client_id_in_a_field(server, name, value):
    expect.error(put_with_field(server, name, value), 400)
    assert server.lacks(name)


@pytest.mark.parametrize("value", [*BAD, b"a\nb", b"a\0b"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_what_is_no_client_id_in_a_form(server, name, value, where):
    parts = [form.part("client_id", value), form.file(DATA, name)]
    if where == "after":
        parts.reverse()
    expect.error(form.post(server, *parts), 400)
    assert server.lacks(name)


@pytest.mark.parametrize("value", ["x" * 129, "a%01b", "a%0Ab", "%FF"])
def test_what_is_no_client_id_in_a_query(server, name, value):
    path = f"/upload/{name}?client_id={value}"
    with server.raw() as raw:
        expect.error(raw.ask("PUT", path, body=DATA), 400)
    assert server.lacks(name)


@pytest.mark.parametrize("path", ["/status", "/download/x"])
def test_it_is_checked_on_reading_routes(server, path):
    response = server.get(path, params={"client_id": "x" * 129})
    expect.error(response, 400)


@pytest.mark.parametrize(
    "field",
    [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
    ],
)
def test_a_forwarded_address_is_not_believed(server, name, field):
    with server.raw() as raw:
        address = raw.socket.getsockname()[0]
        response = raw.ask("PUT", f"/upload/{name}", field, body=DATA)
        assert response.status_code == 201
    assert server.status(name)["client_ip"] == address


def test_over_ipv6(start, name):
    try:
        own = start(SERVER_HOST="::1")
    except AssertionError as e:
        if "support" in str(e) or "assign" in str(e):
            pytest.skip("no IPv6 here")
        raise
    expect.uploaded(own.put(name, DATA), name, DATA, status=201)
    assert own.status(name)["client_ip"] == "::1"


def test_ipv4_on_a_socket_for_both_is_shown_as_ipv4(start, name):
    try:
        own = start(SERVER_HOST="::")
    except AssertionError as e:
        if "support" in str(e) or "assign" in str(e):
            pytest.skip("no IPv6 here")
        raise
    own.host, own.url = "127.0.0.1", f"http://127.0.0.1:{own.port}"
    try:
        own.put(name, DATA)
    except OSError:
        pytest.skip("IPv6 sockets are for IPv6 only here")
    assert own.status(name)["client_ip"] == "127.0.0.1"


def test_a_user_agent_of_any_bytes_is_survived(server, name):
    for agent in (b"x" * 5000, b"\xff\xfe", b"a\tb", b""):
        with server.raw() as raw:
            raw.send(
                head(
                    "PUT",
                    f"/upload/{name}",
                    b"User-Agent: " + agent,
                    ("Content-Length", len(DATA)),
                )
                + DATA
            )
            assert raw.response("PUT").status_code in (200, 201)
