# SPDX-License-Identifier: MIT
"""Socket.IO 5: connecting, subscriptions, acknowledgements, what breaks it,
and the events of the contract."""

import contextlib
import json
import threading
import time

import pytest

from live import BINARY, Polling, WebSocket, is_completed
from raw import head

STATUS = {
    "filename", "status", "checksum", "encryption", "priority", "progress",
    "speed", "eta", "transferred_bytes", "total_bytes", "client_ip",
    "client_id", "retry_count", "created_at", "updated_at", "id", "direction",
    "error",
}  # fmt: skip
ROOMS = 100


@pytest.fixture
def ws(server):
    with WebSocket(server) as one:
        assert one.connect().startswith('40{"sid":"')
        yield one


def is_error(data, code):
    assert set(data) == {"success", "error", "code"}
    assert data["success"] is False
    assert data["code"] == code
    assert data["error"].endswith(".")
    return True


# --- connecting


def test_connects_with_a_sid_of_its_own(server):
    with WebSocket(server) as ws:
        engine = json.loads(ws.text()[1:])
        ws.send("40")
        packet = ws.text()
        assert packet.startswith("40")
        assert json.loads(packet[2:])["sid"] != engine["sid"]


@pytest.mark.parametrize("auth", ["{}", '{"token":"x"}', '{"apiKey":null}'])
def test_connects_with_whatever_auth_when_no_key_is_needed(server, auth):
    with WebSocket(server) as ws:
        ws.text()
        ws.send("40" + auth)
        assert ws.text().startswith('40{"sid":"')


def test_other_namespaces_are_refused(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.send("40/admin,")
        packet = ws.text()
        assert packet.startswith("44/admin,")
        body = json.loads(packet[len("44/admin,") :])
        assert body["message"] == "Invalid namespace"
        assert body["data"]["code"] == "invalid_namespace"
        ws.send("40")
        assert ws.text().startswith('40{"sid":"')


def test_disconnects_and_connects_again(server, ws, name):
    ws.emit("subscribe_status", {"filename": name}, ack=1)
    assert ws.reply() == '431[{"success":true}]'
    ws.send("41")
    ws.send("40")
    assert ws.text().startswith('40{"sid":"')
    server.put(name, b"x")
    ws.emit("subscribe_all", ack=2)
    *events, answer = ws.until(lambda packet: packet.startswith("43"))
    assert answer == '432[{"success":true}]'
    # Nothing of the subscription before.
    assert not any("status_update" in event for event in events)


@pytest.mark.parametrize(
    "packet",
    ['2["subscribe_all"]', "1", "3[]", '51-["x",{}]', "40{", "40[1", "4abc"],
)
def test_before_connecting_nothing_else_will_do(server, packet):
    with WebSocket(server) as ws:
        ws.text()
        ws.send(packet if packet.startswith("4") else "4" + packet)
        assert ws.closed()[0] == 1002


@pytest.mark.parametrize(
    "packet",
    [
        "42", "42{}", "42[]", "42[1]", "42[null]", '42["a"', '42"a"', "4",
        "4x", "47", "44{}", '42/other,["subscribe_all"]', '45["a"]',
        '4599-["a"]', '45-["a"]', '451["a"]', '4299999999999999999999["a"]',
        '42["subscribe_all",' + "[" * 100 + "]" * 100 + "]",
    ],
)  # fmt: skip
def test_a_packet_that_breaks_the_protocol(ws, packet):
    ws.send(packet)
    assert ws.closed()[0] == 1002


# --- events of the client


def test_unknown_events_get_an_error(ws):
    ws.emit("subscribe_everything", {}, ack=5)
    data = json.loads(ws.text()[2:])
    assert data[0] == "error" and is_error(data[1], "unknown_event")
    packet = ws.text()
    assert packet.startswith("435")
    assert json.loads(packet[3:]) == [data[1]]


@pytest.mark.parametrize(
    "args,code",
    [
        ([], "invalid_parameter"),
        ([None], "invalid_parameter"),
        (["a.txt"], "invalid_parameter"),
        ([["a.txt"]], "invalid_parameter"),
        ([{}], "invalid_parameter"),
        ([{"filename": 1}], "invalid_parameter"),
        ([{"filename": ""}], "invalid_filename"),
        ([{"filename": "../a"}], "invalid_filename"),
        ([{"filename": "a\u202eb"}], "invalid_filename"),
        ([{"filename": "x" * 1025}], "invalid_filename"),
    ],
)
@pytest.mark.parametrize("verb", ["subscribe", "unsubscribe"])
def test_a_bad_payload_gets_an_error_and_no_disconnect(ws, verb, args, code):
    ws.emit(f"{verb}_status", *args, ack=0)
    assert is_error(ws.event("error"), code)
    packet = ws.text()
    assert packet.startswith("430")
    assert is_error(json.loads(packet[3:])[0], code)
    ws.emit("subscribe_all", ack=1)
    assert ws.reply() == '431[{"success":true}]'


def test_without_an_id_there_is_no_acknowledgement(ws):
    ws.emit("subscribe_all")
    ws.emit("unsubscribe_all", ack=7)
    assert ws.reply() == '437[{"success":true}]'


def test_binary_is_taken_and_of_no_use(ws):
    ws.send('452-9["subscribe_all",{"_placeholder":true,"num":0},'
            '{"_placeholder":true,"num":1}]')  # fmt: skip
    assert is_error(ws.event("error"), "invalid_parameter")
    assert ws.reply().startswith("439[")
    ws.frame(BINARY, b"\x00\x01")
    ws.frame(BINARY, b"")
    ws.emit("subscribe_all", ack=1)
    assert ws.reply() == '431[{"success":true}]'


def test_binary_by_polling(server):
    session = Polling(server)
    session.connect()
    session.send('451-["x",{"_placeholder":true,"num":0}]', "bAQID")
    assert session.until(lambda p: p.startswith('42["error"'))
    session.send('420["subscribe_all"]')
    assert session.until(lambda p: p == '430[{"success":true}]')


@pytest.mark.parametrize("then", ['2["subscribe_all"]', "1"])
def test_text_where_binary_is_due_closes_it(ws, then):
    ws.send('451-["x",{"_placeholder":true,"num":0}]')
    ws.send("4" + then)
    assert ws.closed()[0] == 1002


def test_acknowledgements_of_the_client_are_ignored(ws):
    ws.send('431[{"success":true}]')
    ws.emit("subscribe_all", ack=1)
    assert ws.reply() == '431[{"success":true}]'


def test_so_many_subscriptions_and_no_more(ws, names):
    for i in range(ROOMS):
        ws.emit("subscribe_status", {"filename": names()}, ack=i)
        assert ws.reply() == f'43{i}[{{"success":true}}]'
    ws.emit("subscribe_status", {"filename": names()}, ack=999)
    assert is_error(ws.event("error"), "too_many_requests")
    assert ws.reply().startswith("43999[{")


# --- events of the server


def test_the_present_state_comes_at_once(server, ws, name):
    server.put(name, b"some bytes")
    ws.emit("subscribe_status", {"filename": name})
    got = ws.event("status_update")
    assert set(got) >= STATUS
    assert got == server.status(name)


def test_again_brings_it_again(server, ws, name):
    server.put(name, b"some bytes")
    for _ in range(3):
        ws.emit("subscribe_status", {"filename": name})
        assert is_completed(name)(ws.event("status_update"))


def test_of_an_unknown_file_there_is_no_state_yet(server, ws, name):
    ws.emit("subscribe_status", {"filename": name}, ack=1)
    assert ws.reply() == '431[{"success":true}]'
    server.put(name, b"x")
    assert ws.event("status_update")["status"] == "uploading"
    got = ws.event("status_update", is_completed(name))
    assert got == server.status(name)


def test_names_are_normalised(server, ws, names):
    name = names("-e\u0301.bin")
    ws.emit("subscribe_status", {"filename": name}, ack=1)
    ws.text()
    server.put(name, b"x")
    data = ws.event("status_update", lambda t: t["status"] == "completed")
    assert data["filename"].endswith("-\u00e9.bin")


def test_all_transfers_in_both_directions(server, ws, name):
    ws.subscribe("subscribe_all")
    server.put(name, b"x" * 1000)
    ws.event("transfer_update", is_completed(name))
    server.download(name)
    got = ws.event("transfer_update", is_completed(name))
    assert got["direction"] == "download"


def test_a_download_is_told_to_its_files_subscribers(server, ws, name):
    server.put(name, b"x" * 1000)
    ws.emit("subscribe_status", {"filename": name})
    ws.event("status_update", is_completed(name))
    server.download(name)
    got = ws.event("status_update", is_completed(name))
    assert got["direction"] == "download"


def test_other_files_are_not_told_of(server, ws, names):
    mine, other = names(), names()
    ws.emit("subscribe_status", {"filename": mine}, ack=1)
    ws.text()
    server.put(other, b"x")
    server.put(mine, b"x")
    assert ws.event("status_update")["filename"] == mine


def test_after_unsubscribing_nothing_comes(server, ws, names):
    first, second = names(), names()
    for one in (first, second):
        ws.emit("subscribe_status", {"filename": one})
    ws.emit("unsubscribe_status", {"filename": first}, ack=1)
    assert ws.reply() == '431[{"success":true}]'
    server.put(first, b"x")
    server.put(second, b"x")
    assert ws.event("status_update")["filename"] == second


def test_failed_and_cancelled_ones_say_why(server, ws, name, admin):
    ws.emit("subscribe_status", {"filename": name})
    answer = server.put(name, b"x", query="?sha256=" + "0" * 64)
    assert answer.status_code == 422
    got = ws.event("status_update", lambda t: t["status"] == "failed")
    assert got["error"]
    with server.raw() as raw:
        raw.request(
            "PUT", f"/upload/{name}", ("Content-Length", 10**6), body=None
        )
        raw.send(b"x" * 1000)
        ws.event("status_update", lambda t: t["status"] == "uploading")
        server.post(f"/cancel/{name}", headers=admin)
        got = ws.event("status_update", lambda t: t["status"] == "cancelled")
    assert got["error"]


def test_a_chunked_upload_from_the_first_to_the_last(server, ws, name):
    import hashlib

    ws.emit("subscribe_status", {"filename": name}, ack=1)
    ws.text()
    chunks = [b"a" * 1000, b"b" * 1000, b"c" * 10]
    for i, data in enumerate(chunks):
        answer = server.post(
            "/upload_chunk",
            files={"chunk": ("blob", data)},
            data={
                "filename": name,
                "chunk_number": i,
                "total_chunks": len(chunks),
                "chunk_hash": hashlib.sha256(data).hexdigest(),
            },
        )
        assert answer.status_code == 200, answer.text
    got = ws.event("status_update")
    assert got["status"] == "uploading"
    got = ws.event("status_update", is_completed(name))
    assert got["checksum"] == hashlib.sha256(b"".join(chunks)).hexdigest()
    assert got["transferred_bytes"] == 2010


def test_statistics_come_at_once_and_when_they_change(start):
    server = start()
    with WebSocket(server) as ws:
        ws.connect()
        ws.emit("subscribe_stats")
        first = ws.event("stats_update")
        there = server.get("/stats").json()
        assert set(first) == set(there)
        began = time.monotonic()
        for i in range(20):
            server.put(f"{i}", b"x")
        seen = 0
        while True:
            got = ws.event("stats_update")
            seen += 1
            if got["completed_count"] == 20:
                break
        took = time.monotonic() - began
        assert seen <= took + 2  # one at once, and one a second
        there = server.get("/stats").json()
        del got["uptime_seconds"], there["uptime_seconds"]
        assert got == there


def test_statistics_come_to_each_once_a_second(start):
    """Also when others subscribe in between, who get the newest first."""
    server = start()
    taken = []

    def follow(ws, began):
        seen, done = 1, 0
        while done < 40:
            done = ws.event("stats_update")["completed_count"]
            seen += 1
        taken.append((seen, time.monotonic() - began))

    with contextlib.ExitStack() as stack:
        followers = []
        for i in range(40):
            if i < 4:
                ws = stack.enter_context(WebSocket(server))
                ws.connect()
                began = time.monotonic()
                ws.emit("subscribe_stats")
                ws.event("stats_update")
                followers.append(
                    threading.Thread(target=follow, args=(ws, began))
                )
                followers[-1].start()
            server.put(f"{i}", b"x")
        for follower in followers:
            follower.join(30)
    assert len(taken) == 4
    for seen, seconds in taken:
        assert 2 <= seen <= seconds + 1, taken


def test_statistics_count_what_has_begun(start):
    """Also when nothing else happens afterwards."""
    server = start()
    with WebSocket(server) as ws, server.raw() as raw:
        ws.connect()
        ws.emit("subscribe_stats")
        ws.event("stats_update")
        raw.send(head("PUT", "/upload/x", ("Content-Length", 1 << 20)))
        raw.send(bytes(100_000))
        got = ws.event("stats_update", lambda s: s["uploads"] == 1)
        assert (got["total_transfers"], got["active_count"]) == (1, 1)
        assert (got["total_clients"], got["completed_count"]) == (1, 0)


def test_progress_comes_and_not_too_often(start):
    server = start(BANDWIDTH_LIMIT="1M")
    with WebSocket(server) as ws:
        ws.connect()
        ws.emit("subscribe_status", {"filename": "slow"}, ack=1)
        ws.text()
        server.put("slow", b"x" * 2500000)
        seen, times = [], []
        while not seen or seen[-1]["status"] != "completed":
            seen.append(ws.event("status_update"))
            times.append(seen[-1]["updated_at"])
        took = 2.5
        assert len(seen) >= 4 * (took - 1)
        assert len(seen) <= 10 * (took + 2)
        bytes_seen = [t["transferred_bytes"] for t in seen]
        assert bytes_seen == sorted(bytes_seen)
        assert times == sorted(times)
        assert seen[0]["progress"] == 0
        assert any(0 < t["progress"] < 100 for t in seen)
        assert any(t["speed"] > 0 and t["eta"] is not None for t in seen)
        assert seen[-1]["progress"] == 100


def test_queued_uploads_and_another_priority(start, name):
    server = start(MAX_ACTIVE_TRANSFERS=1, BANDWIDTH_LIMIT="200K")
    with WebSocket(server) as ws, server.raw() as first:
        ws.connect()
        first.request("PUT", "/upload/first", ("Content-Length", 10**7))
        first.send(b"x" * 200000)
        ws.emit("subscribe_all")
        ws.event("transfer_update", lambda t: t["filename"] == "first")
        with server.raw() as second:
            second.request("PUT", f"/upload/{name}", ("Content-Length", 10**6))
            mine = lambda t: t["filename"] == name  # noqa: E731
            assert ws.event("transfer_update", mine)["status"] == "queued"
            server.ask(
                "PATCH",
                f"/status/{name}",
                json={"priority": 7},
                headers=server.as_admin,
            )
            got = ws.event("transfer_update", mine)
            assert (got["status"], got["priority"]) == ("queued", 7)
            first.close()
            got = ws.event("transfer_update", mine)
            assert got["status"] == "uploading"


def test_by_polling_too(server, name):
    session = Polling(server)
    session.connect()
    session.send(f'420["subscribe_status",{{"filename":"{name}"}}]')
    server.put(name, b"x")
    packets = session.until(lambda p: '"status":"completed"' in p)
    assert packets[-1].startswith('42["status_update",{"filename"')
    assert json.loads(packets[-1][2:])[1] == server.status(name)
