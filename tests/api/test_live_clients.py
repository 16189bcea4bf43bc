# SPDX-License-Identifier: MIT
"""The clients of Socket.IO that people use, unmodified: socket.io-client
and python-socketio."""

import json
import queue
import shutil
import socket
import subprocess
import threading

import pytest

import tls
from live import is_completed
from sftd import ROOT

NODE = ROOT / "tests" / "node"
WAIT = 30
TRANSPORTS = pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]]
)


class Heard:
    """What a client said, in order."""

    def __init__(self):
        self.queue = queue.Queue()

    def next(self, what, fits=lambda data: True):
        """The data of the next such thing; others are skipped."""
        while True:
            name, data = self.queue.get(timeout=WAIT)
            print(name, data)
            if name == what and fits(data):
                return data

    def all(self, **wanted):
        """Until all of these were said with their data, in any order."""
        while wanted:
            name, data = self.queue.get(timeout=WAIT)
            print(name, data)
            if name in wanted:
                assert data == wanted.pop(name)


@pytest.fixture
def run_node():
    """run_node(arguments...): what it says, line by line."""
    if shutil.which("node") is None or not (
        NODE / "node_modules" / "socket.io-client"
    ).exists():
        pytest.skip("needs node, and `npm ci` in tests/node")
    running = []

    def run(*arguments):
        process = subprocess.Popen(
            ["node", *arguments], cwd=NODE, stdout=subprocess.PIPE, text=True
        )
        heard = Heard()

        def follow():
            for line in process.stdout:
                heard.queue.put(json.loads(line))

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        running.append((process, thread))
        return heard

    yield run
    for process, thread in running:
        process.kill()
        process.wait()
        thread.join()
        process.stdout.close()


@pytest.fixture
def watch(run_node):
    """watch(server, *emits, options...) runs socket.io-client."""

    def watch_one(server, *emits, **options):
        asked = {"url": server.url, "options": options, "emit": emits}
        return run_node("socket_watch.js", json.dumps(asked))

    return watch_one


# --- socket.io-client


@TRANSPORTS
def test_node(server, name, watch, transports):
    heard = watch(
        server,
        ["subscribe_status", {"filename": name}],
        ["subscribe_status", {"filename": "../x"}],
        ["subscribe_all"],
        transports=transports,
    )
    transport = heard.next("connect")
    assert transport in transports
    wanted = {"ack subscribe_all": {"success": True}}
    if len(transports) > 1 and transport == "polling":
        wanted["upgrade"] = "websocket"
    heard.all(**wanted)
    server.put(name, b"x" * 1000)
    assert heard.next("status_update")["status"] == "uploading"
    got = heard.next("status_update", is_completed(name))
    assert got == server.status(name)


@TRANSPORTS
def test_node_gets_acknowledgements_and_errors(
    server, name, watch, transports
):
    heard = watch(
        server,
        ["subscribe_status", {"filename": name}],
        ["subscribe_status", {}],
        transports=transports,
    )
    answers = [heard.next("ack subscribe_status") for _ in range(2)]
    assert answers[0] == {"success": True}
    assert answers[1]["code"] == "invalid_parameter"


def test_node_sends_binary(server, watch):
    heard = watch(
        server,
        ["subscribe_all", {"type": "Buffer", "data": [1, 2]}],
        transports=["websocket"],
    )
    assert heard.next("ack subscribe_all") == {"success": True}


@TRANSPORTS
def test_node_comes_back_after_a_restart(start, watch, transports):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = start(SERVER_PORT=port)
    server.put("a", b"x")
    heard = watch(
        server,
        ["subscribe_status", {"filename": "a"}],
        transports=transports,
    )
    heard.next("status_update", is_completed("a"))
    server.restart()
    heard.next("disconnect")
    heard.next("connect")
    # Subscribing again brings the present state.
    heard.next("status_update", is_completed("a"))
    server.put("a", b"y")
    heard.next("status_update", lambda t: t["status"] == "uploading")
    heard.next("status_update", is_completed("a"))


@TRANSPORTS
def test_node_and_keys(start, watch, transports):
    server = start(REQUIRE_API_KEY="true")
    heard = watch(server, transports=transports)
    error = heard.next("connect_error")
    assert error["data"]["code"] == "unauthorized"
    heard = watch(
        server, transports=transports, auth={"apiKey": "wrong"}
    )
    assert heard.next("connect_error")["data"]["code"] == "invalid_api_key"
    heard = watch(
        server,
        ["subscribe_stats"],
        transports=transports,
        auth={"apiKey": server.admin_key},
    )
    assert "total_transfers" in heard.next("stats_update")


# --- the example page


@pytest.fixture
def open_page(run_node):
    """open_page(server, query, key) runs the script of examples/watch.html;
    see(fits) waits until what it shows fits, and gives its rows."""

    def open_one(server, query="", *key):
        address = f"http://localhost/watch.html?server={server.url}{query}"
        page = ROOT / "examples" / "watch.html"
        heard = run_node("page.js", str(page), address, *key)

        def see(fits):
            while True:
                shown = heard.queue.get(timeout=WAIT)
                print(shown)
                if fits(shown):
                    return shown["rows"]

        return see

    return open_one


def test_the_example_page_shows_all(start, open_page):
    server = start()
    see = open_page(server)
    see(lambda shown: shown["state"] == "connected by websocket")
    server.put("a", b"x" * 1000)
    rows = see(lambda s: s["rows"] and s["rows"][0][2] == "completed")
    assert rows[0][:4] == ["a", "↑", "completed", 100]
    # Of many it shows the newest.
    for i in range(205):
        server.put(f"m{i}", b"x")
    rows = see(
        lambda s: s["rows"][0][0] == "m204"
        and all(row[2] == "completed" for row in s["rows"])
    )
    assert [row[0] for row in rows] == [f"m{204 - i}" for i in range(200)]
    server.stop()
    see(lambda shown: shown["state"].startswith("disconnected: "))


def test_the_example_page_shows_one_file(start, open_page):
    server = start()
    server.put("a", b"x" * 1000)
    server.put("b", b"x")
    see = open_page(server, "&file=a")
    rows = see(lambda shown: shown["rows"])
    assert [row[:3] for row in rows] == [["a", "↑", "completed"]]
    see = open_page(server, "&file=..")
    see(lambda shown: "segment" in shown["state"])


def test_the_example_page_takes_a_key(start, open_page):
    server = start(REQUIRE_API_KEY="true")
    see = open_page(server)
    see(lambda shown: "key" in shown["state"].lower())
    see = open_page(server, "", server.admin_key)
    see(lambda shown: shown["state"] == "connected by websocket")


# --- python-socketio


@pytest.fixture
def python_client(monkeypatch):
    """connect(server, transports, **options) is a client and what it hears."""
    socketio = pytest.importorskip("socketio")
    tls.take_turns(monkeypatch)
    clients = []

    def connect(server, transports, **options):
        client = socketio.Client(reconnection_delay=0.05)
        heard = Heard()
        for event in (
            "connect",
            "connect_error",
            "disconnect",
            "status_update",
            "transfer_update",
            "stats_update",
            "error",
        ):
            client.on(
                event,
                lambda data=None, event=event: heard.queue.put((event, data)),
            )
        clients.append(client)
        client.connect(server.url, transports=transports, **options)
        return client, heard

    yield connect
    for client in clients:
        client.disconnect()


@TRANSPORTS
def test_python(server, name, python_client, transports):
    client, heard = python_client(server, transports)
    assert client.call(
        "subscribe_status", {"filename": name}, timeout=WAIT
    ) == {"success": True}
    server.put(name, b"x" * 1000)
    heard.next("status_update")
    got = heard.next("status_update", is_completed(name))
    assert got == server.status(name)
    answer = client.call("subscribe_status", {"filename": ""}, timeout=WAIT)
    assert answer["code"] == "invalid_filename"
    assert heard.next("error") == answer
    client.emit("subscribe_all", {"a": b"binary"})
    assert heard.next("error")["code"] == "invalid_parameter"
    assert client.call("subscribe_stats", timeout=WAIT) == {"success": True}
    assert "total_transfers" in heard.next("stats_update")


@TRANSPORTS
def test_python_and_keys(start, python_client, transports):
    socketio = pytest.importorskip("socketio")
    server = start(REQUIRE_API_KEY="true")
    with pytest.raises(socketio.exceptions.ConnectionError):
        python_client(server, transports, auth={"apiKey": "wrong"})
    client, _ = python_client(
        server, transports, auth={"apiKey": server.admin_key}
    )
    assert client.call("subscribe_all", timeout=WAIT) == {"success": True}


def test_python_comes_back_after_a_restart(start, python_client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = start(SERVER_PORT=port)
    client, heard = python_client(server, ["websocket"])
    client.call("subscribe_all", timeout=WAIT)
    heard.next("connect")
    server.restart()
    heard.next("connect")
    assert client.call("subscribe_all", timeout=WAIT) == {"success": True}
    server.put("a", b"y")
    heard.next("transfer_update", is_completed("a"))
