# SPDX-License-Identifier: MIT
"""More connections than the settings allow."""

import expect


def connect(own, n):
    """n connections that have had an answer, so they are counted."""
    raws = []
    for _ in range(n):
        raw = own.raw()
        assert raw.ask("GET", "/health").status_code == 200
        raws.append(raw)
    return raws


def refused(own, code=None):
    with own.raw() as raw:
        response = raw.ask("GET", "/health")
        answer = expect.error(response, 503, code)
        assert response.headers["Retry-After"].isdigit()
        assert "close" in response.headers["Connection"]
        assert raw.is_closed()
        return answer


def recovers(own):
    def one():
        with own.raw() as raw:
            return raw.ask("GET", "/health").status_code == 200

    expect.until(one)


def test_connections_in_all(start):
    own = start(MAX_CONNECTIONS="8", MAX_CONNECTIONS_PER_CLIENT="0")
    raws = connect(own, 8)
    for _ in range(3):
        refused(own, "too_many_connections")
    # those that are in go on
    for raw in raws:
        assert raw.ask("GET", "/health").status_code == 200
    raws.pop().close()
    recovers(own)
    for raw in raws:
        raw.close()


def test_connections_of_one_client(start):
    own = start(MAX_CONNECTIONS_PER_CLIENT="4")
    raws = connect(own, 4)
    refused(own)
    assert raws[0].ask("GET", "/health").status_code == 200
    for raw in raws:
        raw.reset()
    recovers(own)


def test_0_is_no_limit(start):
    own = start(MAX_CONNECTIONS_PER_CLIENT="0")
    for raw in connect(own, 600):
        raw.close()


def test_the_default_for_one_client(start):
    own = start()
    raws = connect(own, 512)
    refused(own)
    for raw in raws:
        raw.close()
    recovers(own)


def test_a_crowd_leaves_no_trace(start):
    own = start()
    for _ in range(5):
        for raw in connect(own, 200):
            raw.close()
    recovers(own)
