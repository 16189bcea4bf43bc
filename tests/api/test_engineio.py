# SPDX-License-Identifier: MIT
"""Engine.IO 4: handshakes, polls, WebSockets, the upgrade, heartbeats, and
what breaks the protocol."""

import json
import threading

import pytest

from live import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PATH,
    PING,
    PONG,
    TEXT,
    Polling,
    WebSocket,
    handshake,
)

SID = "0123456789abcdef0123456789abcdef"
MAX_PAYLOAD = 65536


def is_refused(answer, status, code, message):
    assert answer.status_code == status, answer
    body = answer.json()
    assert body["success"] is False
    assert (body["code"], body["message"]) == (code, message)
    assert body["error"].endswith(".")
    return True


# --- the handshake


def test_opens_by_polling(server):
    opened = handshake(server)
    assert set(opened) >= {
        "sid",
        "upgrades",
        "pingInterval",
        "pingTimeout",
        "maxPayload",
    }
    assert opened["upgrades"] == ["websocket"]
    assert opened["maxPayload"] == MAX_PAYLOAD
    assert len(opened["sid"]) >= 20
    assert handshake(server)["sid"] != opened["sid"]


def test_opens_by_websocket(server):
    with WebSocket(server) as ws:
        packet = ws.text()
        assert packet[0] == "0"
        opened = json.loads(packet[1:])
        assert opened["upgrades"] == []
        assert opened["maxPayload"] == MAX_PAYLOAD


def test_an_answer_to_a_poll_is_text_that_is_not_kept(server):
    answer = server.get(PATH + "polling")
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "method,query,code,message",
    [
        ("GET", "EIO=4", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=abc", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=polling&sid=abc", 1, "Session ID unknown"),
        (
            "GET",
            "EIO=4&transport=polling&sid=" + SID,
            1,
            "Session ID unknown",
        ),
        (
            "POST",
            "EIO=4&transport=polling&sid=" + SID,
            1,
            "Session ID unknown",
        ),
        ("POST", "EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET", "EIO=4&transport=websocket", 3, "Bad request"),
        ("GET", "EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=%zz&transport=polling", 5, "Unsupported protocol version"),
    ],
)
def test_what_is_no_handshake(server, method, query, code, message):
    answer = server.ask(method, "/socket.io/?" + query)
    assert is_refused(answer, 400, code, message)


def test_a_websocket_of_an_unknown_session(server):
    ws = WebSocket(server, SID)
    assert is_refused(ws.answer, 400, 1, "Session ID unknown")


@pytest.mark.parametrize(
    "fields",
    [
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "c2hvcnQ="},
        {"Sec-WebSocket-Key": ""},
        {"Upgrade": "h2c"},
        {"Connection": "keep-alive"},
    ],
)
def test_a_broken_opening_handshake_says_what_would_do(server, fields):
    asked = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        "Sec-WebSocket-Version": "13",
        **fields,
    }
    with server.raw() as raw:
        answer = raw.ask("GET", PATH + "websocket", *asked.items())
    assert answer.status_code == 400
    assert answer.headers["Sec-WebSocket-Version"] == "13"


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_foreign_page_is_refused(server, transport):
    fields = {"Origin": "https://evil.example"}
    if transport == "polling":
        answer = server.get(PATH + "polling", headers=fields)
    else:
        answer = WebSocket(server, fields=fields.items()).answer
    assert answer.status_code == 403
    body = answer.json()
    assert (body["success"], body["code"]) == (False, "origin_forbidden")


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_page_that_may(server, transport):
    origin = "http://localhost:3000"
    if transport == "websocket":
        with WebSocket(server, fields=[("Origin", origin)]) as ws:
            assert ws.is_open
        return
    session = Polling(server, headers={"Origin": origin})
    answer = session.post("40")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    answer = session.poll()
    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_a_preflight(server):
    answer = server.options(
        PATH + "polling",
        headers={
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert answer.status_code == 204
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


# --- polling


def test_packets_share_a_payload(server):
    session = Polling(server)
    session.send("40", "3", '42["subscribe_all"]', '421["subscribe_all"]')
    packets = session.until(lambda p: p.startswith("431"))
    assert packets[0].startswith('40{"sid":"')
    assert packets[-1] == '431[{"success":true}]'


def test_a_poll_waits_for_something(server):
    session = Polling(server)
    got = []
    poller = threading.Thread(target=lambda: got.extend(session.packets()))
    poller.start()
    session.send("40")
    poller.join(20)
    assert got[0].startswith('40{"sid":"')


def test_a_second_poll_at_once_ends_the_session(server):
    session = Polling(server)
    with server.raw() as first, server.raw() as second:
        first.request("GET", session.path)
        second.request("GET", session.path)
        answers = {}
        for raw in (first, second):
            answer = raw.response("GET")
            answers[answer.status_code] = answer
    assert set(answers) == {200, 400}
    assert answers[200].text == "1"
    assert is_refused(answers[400], 400, 3, "Bad request")
    assert session.is_gone()


def test_a_poll_broken_off_ends_the_session(server):
    session = Polling(server)
    raw = server.raw()
    raw.request("GET", session.path)
    # It waits, or this would be answered.
    assert not raw.is_readable(0.2)
    raw.reset()
    while server.post(session.path, data=b"3").status_code == 200:
        pass
    assert session.is_gone()


@pytest.mark.parametrize(
    "payload",
    [b"", b"abc", b"9", b"4", b"2", b"0{}", b"5", b"6", b"\x1e", b"3\x1e",
     b"40\x1eabc", b"b!!", b"bAQID", b"\xff\xfe", b"4\x00", b"42[", b"47"],
)  # fmt: skip
def test_a_payload_that_is_none_ends_the_session(server, payload):
    session = Polling(server)
    answer = server.post(session.path, data=payload)
    assert is_refused(answer, 400, 3, "Bad request")
    assert session.is_gone()


def test_a_payload_may_be_so_long(server):
    session = Polling(server)
    event = '420["subscribe_stats","%s"]'
    longest = event % ("x" * (MAX_PAYLOAD - len(event) + 2 - len("40\x1e")))
    assert server.post(session.path, data="40\x1e" + longest).text == "ok"
    answer = server.post(session.path, data=b"4" + b"x" * MAX_PAYLOAD)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def test_the_client_ends_it(server):
    session = Polling(server)
    session.send("1")
    assert session.is_gone()


def test_a_close_answers_the_poll(server):
    # Which of two connections is read first is not ours to say: of a few
    # polls one waits when the close comes.
    for _ in range(50):
        session = Polling(server)
        with server.raw() as raw:
            raw.request("GET", session.path)
            session.send("1")
            answer = raw.response()
        if answer.status_code == 200:
            break
        assert is_refused(answer, 400, 1, "Session ID unknown")
    assert answer.text == "1"


# --- WebSockets


def test_a_websocket_ends_with_the_clients_word(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.send("1")
        assert ws.closed()[0] == 1000


@pytest.mark.parametrize("packet", ["abc", "", "9", "2", "5", "0", "4", "49"])
def test_a_packet_that_is_none_closes_it(server, packet):
    with WebSocket(server) as ws:
        ws.text()
        ws.send(packet)
        assert ws.closed()[0] == 1002


def test_pings_of_the_websocket_itself(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.frame(PING, b"are you there")
        assert ws.receive() == (PONG, b"are you there")
        ws.frame(PONG, b"unasked")
        ws.frame(PING)
        assert ws.receive() == (PONG, b"")


def test_a_message_in_pieces_with_a_ping_between(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.frame(TEXT, b"4", final=False)
        ws.frame(CONTINUATION, b"", final=False)
        ws.frame(PING, b"between")
        assert ws.receive() == (PONG, b"between")
        ws.frame(CONTINUATION, b"0")
        assert ws.text().startswith('40{"sid":"')


def test_a_message_byte_by_byte(server):
    with WebSocket(server) as ws:
        ws.text()
        for byte in b"\x81\x82\x00\x00\x00\x0040":
            ws.raw.send(bytes([byte]))
        assert ws.text().startswith('40{"sid":"')


def breaks(send):
    return pytest.param(send, id=send.__name__)


def unmasked(ws):
    ws.frame(TEXT, b"40", masked=False)


def reserved_bit(ws):
    ws.frame(TEXT, b"40", rsv=4)


def unknown_opcode(ws):
    ws.frame(3, b"40")


def unknown_control(ws):
    ws.frame(11, b"40")


def continuation_of_nothing(ws):
    ws.frame(CONTINUATION, b"40")


def message_in_a_message(ws):
    ws.frame(TEXT, b"4", final=False)
    ws.frame(TEXT, b"0")


def long_ping(ws):
    ws.frame(PING, b"x" * 126)


def ping_in_pieces(ws):
    ws.frame(PING, b"x", final=False)


def close_of_one_byte(ws):
    ws.frame(CLOSE, b"\x03")


def close_with_a_bad_code(ws):
    ws.frame(CLOSE, b"\x03\xed")


def a_length_that_is_longer_than_need_be(ws):
    ws.raw.send(b"\x81\xfe\x00\x02\x00\x00\x00\x0040")


def a_negative_length(ws):
    ws.raw.send(b"\x81\xff" + b"\xff" * 8 + b"\x00" * 4)


@pytest.mark.parametrize(
    "send",
    map(
        breaks,
        [
            unmasked,
            reserved_bit,
            unknown_opcode,
            unknown_control,
            continuation_of_nothing,
            message_in_a_message,
            long_ping,
            ping_in_pieces,
            close_of_one_byte,
            close_with_a_bad_code,
            a_length_that_is_longer_than_need_be,
            a_negative_length,
        ],
    ),
)
def test_a_frame_that_breaks_the_rules(server, send):
    with WebSocket(server) as ws:
        ws.text()
        send(ws)
        assert ws.closed()[0] == 1002


def test_text_that_is_none(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.frame(TEXT, b"4\xc0\xaf")
        assert ws.closed()[0] == 1007


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_message_that_is_too_long(server, in_pieces):
    with WebSocket(server) as ws:
        ws.text()
        data = b"4" + b"x" * MAX_PAYLOAD
        if in_pieces:
            ws.frame(TEXT, data[:60000], final=False)
            ws.frame(CONTINUATION, data[60000:])
        else:
            ws.frame(TEXT, data)
        assert ws.closed()[0] == 1009


def test_a_close_is_answered_with_its_code(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.frame(CLOSE, b"\x0f\xa0bye")
        assert ws.closed()[0] == 4000


def test_binary_out_of_the_blue_closes_it(server):
    with WebSocket(server) as ws:
        ws.text()
        ws.frame(BINARY, b"\x01\x02")
        assert ws.closed()[0] == 1002


# --- the upgrade


def upgraded(server):
    session = Polling(server)
    ws = WebSocket(server, session.sid)
    ws.send("2probe")
    assert ws.text() == "3probe"
    ws.send("5")
    return session, ws


def test_upgrades(server):
    session, ws = upgraded(server)
    with ws:
        ws.send("40")
        assert ws.text().startswith('40{"sid":"')


def test_a_waiting_poll_is_let_go_by_the_probe(server):
    session = Polling(server)
    with server.raw() as raw, WebSocket(server, session.sid) as ws:
        raw.request("GET", session.path)
        assert not raw.is_readable(0.1)
        ws.send("2probe")
        assert ws.text() == "3probe"
        assert raw.response().text == "6"


def test_what_waited_comes_by_websocket(server):
    session = Polling(server)
    session.send("40")
    with WebSocket(server, session.sid) as ws:
        ws.send("2probe")
        assert ws.text() == "3probe"
        ws.send("5")
        assert ws.text().startswith('40{"sid":"')


def test_no_polls_after_the_upgrade(server):
    session, ws = upgraded(server)
    with ws:
        ws.send("40")
        ws.text()
        assert is_refused(session.poll(), 400, 3, "Bad request")
        ws.send('420["subscribe_all"]')
        assert ws.text() == '430[{"success":true}]'


def test_no_second_upgrade(server):
    session, ws = upgraded(server)
    with ws:
        ws.send("40")
        ws.text()
        second = WebSocket(server, session.sid)
        assert is_refused(second.answer, 400, 3, "Bad request")


@pytest.mark.parametrize("packet", ["2", "5", "40", "abc", "2other"])
def test_a_probe_that_is_none_leaves_the_polls(server, packet):
    session = Polling(server)
    with WebSocket(server, session.sid) as ws:
        ws.send(packet)
        assert ws.closed()[0] == 1002
    assert session.connect().startswith('40{"sid":"')


def test_a_probe_that_goes_leaves_the_polls(server):
    session = Polling(server)
    with WebSocket(server, session.sid) as ws:
        ws.send("2probe")
        assert ws.text() == "3probe"
    assert session.connect().startswith('40{"sid":"')
    assert session.until(lambda p: True)


def test_a_websocket_that_goes_takes_its_session_along(server):
    session, ws = upgraded(server)
    ws.send("40")
    ws.text()
    ws.close()
    while True:
        answer = server.get(PATH + "polling&sid=" + session.sid)
        assert answer.status_code == 400
        if answer.json()["code"] == 1:
            break


# --- heartbeats


@pytest.mark.timeout(120)
def test_who_does_not_answer_a_ping_goes(server):
    """25 s to the ping and 20 s for the pong are the protocol's."""
    polling, talking, silent = Polling(server), [], []

    def follow(ws, to, answers):
        with ws:
            ws.connect()
            try:
                while True:
                    to.append(ws.text())
                    if to[-1] == "2" and answers:
                        ws.send("3")
                    if to.count("2") == 2:
                        return
            except (AssertionError, EOFError):
                to.append("closed")

    threads = [
        threading.Thread(target=follow, args=(ws, to, answers))
        for ws, to, answers in [
            (WebSocket(server, timeout=90), talking, True),
            (WebSocket(server, timeout=90), silent, False),
        ]
    ]
    for thread in threads:
        thread.start()
    assert polling.packets() == ["2"]
    assert polling.packets() == ["1"]
    assert polling.is_gone()
    for thread in threads:
        thread.join(60)
    assert silent == ["2", "closed"]
    assert talking == ["2", "2"]
