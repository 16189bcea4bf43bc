# SPDX-License-Identifier: MIT
"""POST /ping: how good the network is, and how to send over it."""

import time

import pytest

import expect

MIB = 1024 * 1024
FIELDS = {
    "server_timestamp": float,
    "latency_ms": float,
    "network_quality": str,
    "recommended_chunk_size": int,
    "recommended_parallel": int,
    "rtt_ms": float,
    "retransmits": int,
}


def ping(server, **request):
    response = server.post("/ping", **request)
    assert response.status_code == 200, response.text
    answer = response.json()
    for name, kind in FIELDS.items():
        assert isinstance(answer[name], kind), (name, answer[name])
    return answer


def test_the_clock_and_the_connection(start):
    server = start()
    before = time.time()
    answer = ping(server, json={"timestamp": before - 5})
    assert before - 0.001 <= answer["server_timestamp"] <= time.time() + 0.001
    assert 5000 <= answer["latency_ms"] < 65000
    assert answer["network_quality"] == "excellent"
    assert 0 < answer["rtt_ms"] < 50
    assert answer["retransmits"] == 0


def test_a_clock_that_goes_wrong_misleads_nothing(start):
    server = start()
    for wrong in (-86400, 86400 * 365):
        answer = ping(server, json={"timestamp": time.time() + wrong})
        assert answer["network_quality"] == "excellent"
        assert answer["latency_ms"] >= 0
    assert answer["latency_ms"] == 0


@pytest.mark.parametrize("body", [b"", b"{}", b'{"timestamp": null}'])
def test_without_a_time_half_the_round_trip(start, body):
    server = start()
    answer = ping(server, data=body)
    assert answer["latency_ms"] == pytest.approx(answer["rtt_ms"] / 2)


def test_without_evidence_little_and_one(start):
    answer = ping(start())
    assert answer["recommended_chunk_size"] == MIB
    assert answer["recommended_parallel"] == 1


def test_after_a_transfer_by_its_rate(start):
    server = start()
    server.put("fast.bin", b"x" * 32 * MIB)
    answer = ping(server)
    assert answer["recommended_chunk_size"] > MIB
    assert 1 <= answer["recommended_parallel"] <= 8
    size = answer["recommended_chunk_size"]
    assert size & (size - 1) == 0 and 256 * 1024 <= size <= 64 * MIB


def test_a_small_transfer_tells_nothing(start):
    server = start()
    server.put("small.bin", b"x" * 1000)
    assert ping(server)["recommended_chunk_size"] == MIB


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"17",
        b'{"timestamp": "now"}',
        b'{"timestamp": true}',
        b'{"timestamp": {}}',
        b'{"timestamp": 1} x',
    ],
)
def test_what_is_no_time(start, body):
    response = start().post("/ping", data=body)
    assert response.status_code == 400, response.text
    assert response.json()["code"] in ("invalid_parameter", "invalid_json")


def test_one_byte_more_than_a_small_body(start):
    server = start()
    fits = b'{"timestamp": 1}'.ljust(65536)
    ping(server, data=fits)
    response = server.post("/ping", data=fits + b" ")
    assert response.status_code == 413, response.text
    assert response.json()["max_body_size"] == 65536
    assert response.json()["max_file_size"] > 0


def test_any_key_will_do(start):
    server = start(REQUIRE_API_KEY="true")
    expect.error(server.post("/ping"), 401)
    for scope in ("read", "write"):
        key = server.post(
            "/generate_key", json={"scopes": [scope]}, headers=server.as_admin
        ).json()["api_key"]
        ping(server, headers={"X-API-Key": key})
