# SPDX-License-Identifier: MIT
"""TRUSTED_PROXIES: whose word for a client's address is taken."""

import pytest

import expect
from live import Stream, WebSocket
from sftd import Sftd

DATA = b"from afar"
US = "127.0.0.1"
SIZE = 200_000  # more than the server gathers before it looks


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """A server that trusts us, as a proxy."""
    settings = {"TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    server = Sftd(tmp_path_factory.mktemp("behind"), settings).start()
    yield server
    server.end()


@pytest.fixture
def own(behind):
    yield behind
    behind.check()


def seen(server, name, *fields):
    """The address that the record of an upload has."""
    with server.raw() as raw:
        answer = raw.ask("PUT", f"/upload/{name}", *fields, body=DATA)
    assert answer.status_code == 201, answer
    return server.status(name)["client_ip"]


@pytest.mark.parametrize(
    "value,address",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 10.2.3.4", "192.0.2.1"),
        ("10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("unknown", US),
        ("192.0.2.1, unknown", US),
        ("'; DROP TABLE transfers; --", US),
        ("192.0.2.1\t192.0.2.2", US),
        ("9" * 4000, US),
        ("6.6.6.6, " * 700 + "192.0.2.1", "192.0.2.1"),
    ],
)
def test_x_forwarded_for(own, name, value, address):
    assert seen(own, name, ("X-Forwarded-For", value)) == address


@pytest.mark.parametrize(
    "value,address",
    [
        ("for=192.0.2.1;proto=https", "192.0.2.1"),
        ('For="[2001:db8::1]:4711"', "2001:db8::1"),
        ("for=6.6.6.6, for=192.0.2.1, for=10.2.3.4", "192.0.2.1"),
        ("for=_hidden", US),
        ('for="192.0.2.1', US),
    ],
)
def test_forwarded(own, name, value, address):
    assert seen(own, name, ("Forwarded", value)) == address


def test_two_fields_that_disagree(own, names):
    one = ("X-Forwarded-For", "192.0.2.1")
    assert seen(own, names(), one, ("Forwarded", "for=192.0.2.1")) == "192.0.2.1"
    assert seen(own, names(), one, ("Forwarded", "for=6.6.6.6")) == US


def test_several_fields_of_a_name_are_one_list(own, name):
    fields = [("X-Forwarded-For", a) for a in ("6.6.6.6", "192.0.2.1")]
    assert seen(own, name, *fields) == "192.0.2.1"


@pytest.mark.parametrize("trusted", [None, "10.0.0.0/8, ::1"])
def test_who_is_not_trusted_is_not_believed(start, name, trusted):
    own = start(TRUSTED_PROXIES=trusted)
    assert seen(own, name, ("X-Forwarded-For", "192.0.2.1")) == US
    assert seen(own, name + "2", ("Forwarded", "for=192.0.2.1")) == US


def test_a_block_of_ipv6(start, name):
    own = start(SERVER_HOST="::1", TRUSTED_PROXIES="::/64")
    with own.raw() as raw:
        raw.ask(
            "PUT",
            f"/upload/{name}",
            ("X-Forwarded-For", "192.0.2.1"),
            body=DATA,
        )
    assert own.status(name)["client_ip"] == "192.0.2.1"


def test_the_log_has_the_address(start):
    own = start(TRUSTED_PROXIES=US, LOG_LEVEL="debug")
    own.get("/status", headers={"X-Forwarded-For": "192.0.2.77"})
    event = expect.until(
        lambda: [
            e for e in own.log.events("request") if e["path"] == "/status"
        ]
    )[0]
    assert event["client"] == "192.0.2.77"


def test_a_proxys_connections_are_not_one_clients(start):
    own = start(TRUSTED_PROXIES=US, MAX_CONNECTIONS_PER_CLIENT="2")
    open_ones = [own.raw() for _ in range(5)]
    for i, raw in enumerate(open_ones):
        field = ("X-Forwarded-For", f"192.0.2.{i}")
        assert raw.ask("GET", "/health", field).status_code == 200
        assert raw.ask("GET", "/status", field).status_code == 200
        raw.close()


def test_what_a_client_of_a_proxy_may_have_open(start):
    own = start(TRUSTED_PROXIES=US, MAX_CONNECTIONS_PER_CLIENT="2")
    mine, others = [("X-Forwarded-For", f"192.0.2.{i}") for i in (1, 2)]
    uploads = [own.raw() for _ in range(2)]
    for i, raw in enumerate(uploads):
        raw.request("PUT", f"/upload/{i}", ("Content-Length", SIZE), mine)
        raw.send(bytes(SIZE - 1))
        expect.until(lambda: own.status(str(i)))
    with own.raw() as raw:
        answer = raw.ask("GET", "/status", mine)
        expect.error(answer, 503, "too_many_connections")
        assert raw.ask("GET", "/status", others).status_code == 200
    for raw in uploads:
        raw.send(b"y")
        assert raw.response("PUT").status_code == 201
        raw.close()

    def is_let_in():
        with own.raw() as raw:
            return raw.ask("GET", "/status", mine).status_code == 200

    expect.until(is_let_in)


def test_sockets_are_counted_by_the_client(start):
    own = start(TRUSTED_PROXIES=US, MAX_CONNECTIONS_PER_CLIENT="1")
    mine, others = [("X-Forwarded-For", f"192.0.2.{i}") for i in (1, 2)]
    with WebSocket(own, fields=[mine]) as ws:
        assert ws.is_open
        with WebSocket(own, fields=[mine]) as other:
            assert other.answer.status_code == 503
        with WebSocket(own, fields=[others]) as other:
            assert other.is_open


def test_streams_are_counted_until_they_end(start):
    own = start(TRUSTED_PROXIES=US, MAX_CONNECTIONS_PER_CLIENT="1")
    mine = ("X-Forwarded-For", "192.0.2.1")

    def ask():
        with own.raw() as raw:
            return raw.ask("GET", "/status", mine).status_code

    def let_in(stream):
        if stream.answer.status_code != 503:
            return stream
        stream.close()
        return None

    for open_one in (
        lambda: Stream(own, "", mine),
        lambda: WebSocket(own, fields=[mine]),
    ):
        # What was answered before counts until the server has ended it.
        with expect.until(lambda: let_in(open_one())) as stream:
            assert ask() == 503
            assert stream.answer.status_code in (200, 101)
        expect.until(lambda: ask() == 200)
