# SPDX-License-Identifier: MIT
"""TLS: who gets in and how, and that all else is as without it.  The other
tests of this directory run over TLS, too: script/test tls."""

import hashlib
import random
import signal
import socket
import ssl
import subprocess
import warnings

import pytest

import expect
import tls
from live import Polling, Stream, WebSocket, is_completed
from raw import Raw, chunked, head

DATA = random.Random(91).randbytes(3 << 20)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue()


@pytest.fixture
def own(start, pair):
    return start(**pair.settings)


def connect(own, context=None, name="localhost"):
    context = context or tls.context(own.ca)
    plain = socket.create_connection((own.host, own.port), 20)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


# --- how it is spoken ---------------------------------------------------------


@pytest.mark.parametrize(
    "version,said",
    [
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
def test_versions(own, version, said):
    with connect(own, tls.context(own.ca, version)) as s:
        assert s.version() == said
        assert s.cipher()[0].startswith(("TLS_AES", "ECDHE-ECDSA-AES"))
        assert "GCM" in s.cipher()[0]
        assert s.compression() is None


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1]
)
def test_old_versions_are_refused(own, version):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(own.ca)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError) as refused:
        connect(own, context)
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize(
    "ciphers",
    ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-SHA"],
)
def test_weak_ciphers_are_refused(own, ciphers):
    context = tls.context(own.ca, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(ciphers)
    with pytest.raises(ssl.SSLError) as refused:
        connect(own, context)
    assert "HANDSHAKE_FAILURE" in refused.value.reason


def test_a_client_without_aes_in_hardware_gets_chacha(own):
    context = tls.context(own.ca, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE+CHACHA20:ECDHE+AESGCM")
    with connect(own, context) as s:
        assert "CHACHA20" in s.cipher()[0]


def test_an_rsa_key(start, authority):
    own = start(**authority.issue("rsa", key=tls.RSA).settings)
    assert own.get("/health").status_code == 200
    context = tls.context(own.ca, ssl.TLSVersion.TLSv1_2)
    with connect(own, context) as s:
        assert s.cipher()[0] == "ECDHE-RSA-AES128-GCM-SHA256"


def test_alpn(own):
    context = tls.context(own.ca)
    with connect(own, context) as s:
        assert s.selected_alpn_protocol() is None
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connect(own, context) as s:
        assert s.selected_alpn_protocol() == "http/1.1"
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError) as refused:
        connect(own, context)
    assert "no application protocol" in str(refused.value)


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
)
def test_sessions_are_resumed(own, version):
    context = tls.context(own.ca, version)
    session = None
    for is_second in (False, True):
        plain = socket.create_connection((own.host, own.port), 20)
        with context.wrap_socket(
            plain, server_hostname="localhost", session=session
        ) as s:
            s.sendall(head("GET", "/health"))
            # with 1.3 the ticket comes with the first answer
            assert s.recv(8) == b"HTTP/1.1"
            assert s.session_reused is is_second
            session = s.session


def s_client(own, *arguments, said):
    """What openssl's client prints; ${said} goes to its standard input."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"{own.host}:{own.port}"]
        + ["-CAfile", str(own.ca), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process.communicate(said, timeout=60)[0]


def test_no_renegotiation(own):
    out = s_client(own, "-tls1_2", said="R\n")
    assert "RENEGOTIATING" in out
    assert "no renegotiation" in out


def test_nothing_is_taken_early(own):
    out = s_client(own, "-tls1_3", said="Q\n")
    assert "Max Early Data: 0" in out or "Early data was not sent" in out
    assert "Verify return code: 0 (ok)" in out


# --- what is said over it -----------------------------------------------------


def curl(own, *arguments):
    done = subprocess.run(
        ["curl", "-q", "-sS", "--noproxy", "*", "-m", "60"]
        + ["--cacert", str(own.ca), *map(str, arguments)],
        capture_output=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_curl(own, tmp_path):
    url = f"https://localhost:{own.port}"
    file = tmp_path / "data"
    file.write_bytes(DATA)
    for sent in (
        curl(own, "-F", f"file=@{file}", f"{url}/upload"),
        curl(own, "-T", file, "-H", "Expect: 100-continue", f"{url}/upload/"),
    ):
        assert expect.sha256(DATA).encode() in sent
        assert curl(own, f"{url}/download/data") == DATA
    part = curl(own, "-r", "1000-2000000", f"{url}/download/data")
    assert part == DATA[1000:2000001]
    assert curl(own, "-0", f"{url}/download/data") == DATA


@pytest.mark.parametrize("encryption", ["false", "true"])
@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
)
def test_large_files_both_ways(own, encryption, version):
    raw = own.raw(tls=tls.context(own.ca, version))
    data = DATA * 10
    with raw:
        answer = raw.ask(
            "PUT", f"/upload/x?encryption={encryption}", body=data
        )
        assert answer.json()["hash"] == expect.sha256(data)
        got = raw.ask("GET", "/download/x").content
        assert hashlib.sha256(got).hexdigest() == expect.sha256(data)
        n = len(data)
        for first, last in ((0, 0), (n - 1, n - 1), (16383, 16385), (5, n)):
            answer = raw.ask(
                "GET", "/download/x", ("Range", f"bytes={first}-{last}")
            )
            assert answer.content == data[first : last + 1]


def test_requests_that_come_together(own):
    """Within one record, and behind bodies that a worker reads: what has
    been decrypted shows on no descriptor."""
    small = b"s" * 10
    large = DATA[: (64 << 10) + 7]
    requests = [
        head("PUT", "/upload/a", ("Content-Length", len(small))) + small,
        head("GET", "/download/a"),
        head("PUT", "/upload/b", ("Transfer-Encoding", "chunked"))
        + chunked(large, 9000),
        head("GET", "/download/b"),
        head("PUT", "/upload/c", ("Content-Length", len(large))) + large,
        head("GET", "/download/c"),
        head("GET", "/health"),
    ]
    methods = [r.split(b" ", 1)[0].decode() for r in requests]
    everything = b"".join(requests)
    for step in (len(everything), 16384, 16383, 5000):
        with own.raw() as raw:
            for i in range(0, len(everything), step):
                raw.send(everything[i : i + step])
            answers = [raw.response(method) for method in methods]
            statuses = {a.status_code for a in answers}
            assert statuses <= {200, 201}, (step, answers)
            assert answers[1].content == small
            assert answers[3].content == large
            assert answers[5].content == large


def test_a_head_in_pieces(own):
    with own.raw() as raw:
        for byte in head("GET", "/health"):
            raw.send(bytes([byte]))
        assert raw.response().status_code == 200


def test_one_that_reads_late(own):
    """The socket takes no more within a record, and the rest goes on from
    there."""
    own.put("big", DATA * 8)
    own.put("sealed", DATA * 8, "?encryption=true")
    for name in ("big", "sealed"):
        with own.raw(receive_buffer=8192) as raw:
            raw.request("GET", f"/download/{name}")
            assert raw.is_readable(20)
            # much more is to come than the sockets hold
            assert own.get("/health").status_code == 200
            answer = raw.response()
            assert answer.content == DATA * 8


def test_live_events(own):
    socket_ = WebSocket(own)
    stream = Stream(own, "?filename=x")
    polling = Polling(own)
    polling.connect()
    assert socket_.connect()[:2] == "40"
    socket_.emit("subscribe_status", {"filename": "x"})
    own.put("x", DATA)
    assert socket_.event("status_update", is_completed("x"))
    assert stream.answer.status_code == 200
    # larger than one record
    socket_.emit("subscribe_status", {"filename": "x" * 40000})
    socket_.close()


def test_python_socketio(own, monkeypatch):
    socketio = pytest.importorskip("socketio")
    for name in ("REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE"):
        monkeypatch.setenv(name, str(own.ca))
    tls.take_turns(monkeypatch)
    for transports in (["polling"], ["websocket"], ["polling", "websocket"]):
        client = socketio.Client()
        client.connect(own.url, transports=transports)
        assert client.call("subscribe_all", timeout=30) == {"success": True}
        client.disconnect()


def test_a_refused_body_is_heard_of(start, pair):
    """The answer arrives though the body was not read."""
    own = start(**pair.settings, MAX_FILE_SIZE="1000")
    with own.raw() as raw:
        raw.send(head("PUT", "/upload/x", ("Content-Length", len(DATA))))
        raw.send_until_blocked(DATA, pause=0.1)
        answer = raw.response("PUT")
        expect.error(answer, 413, "file_too_large")
        assert answer.headers["Connection"] == "close"
        # properly: with a word in TLS before TCP's end
        assert raw.socket.recv(1) == b""


def test_pages_of_the_server_itself_may_use_it(start, pair):
    own = start(**pair.settings, CORS_ORIGINS="https://elsewhere.example")
    there = f"{own.host}:{own.port}"
    good = own.put("x", b"x", headers={"Origin": f"https://{there}"})
    assert good.status_code == 201
    bad = own.put("x", b"x", headers={"Origin": f"http://{there}"})
    expect.error(bad, 403, "origin_forbidden")


def test_the_log_says_where_it_is(own):
    urls = own.log.events("clients reach this server at")
    assert urls and all(u["url"].startswith("https://") for u in urls)


# --- an end that is none ------------------------------------------------------


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_cut_upload_is_not_complete(own, name, framing):
    """TCP's end without TLS's could be anybody's, and TLS's without all of
    the body is one that gave up."""
    field = ("Content-Length", len(DATA))
    body = DATA[: 1 << 20]
    if framing == "chunked":
        field = ("Transfer-Encoding", "chunked")
        body = chunked(DATA, 65536, end=b"")
    raw = own.raw()
    raw.send(head("PUT", f"/upload/{name}", field) + body)
    expect.until(lambda: own.get(f"/status/{name}").status_code == 200)
    # no word in TLS
    socket.socket.shutdown(raw.socket, socket.SHUT_WR)
    expect.until(lambda: own.status(name)["status"] == "interrupted")
    raw.close()
    assert own.lacks(name)


def test_an_upload_that_its_client_ends_properly_is_not_complete(own, name):
    raw = own.raw()
    raw.send(
        head("PUT", f"/upload/{name}", ("Content-Length", len(DATA)))
        + DATA[: 1 << 20]
    )
    expect.until(lambda: own.get(f"/status/{name}").status_code == 200)
    raw.socket.setblocking(False)
    with pytest.raises((ssl.SSLWantReadError, ssl.SSLError)):
        raw.socket.unwrap()  # says that it is over
    expect.until(lambda: own.status(name)["status"] == "interrupted")
    raw.close()
    assert own.lacks(name)


def test_a_download_ends_with_a_word(own):
    """Without Content-Length the client could not tell otherwise."""
    own.put("a", DATA)
    own.put("b", DATA)
    with own.raw() as raw:
        raw.send(
            head(
                "GET",
                "/download_batch?files=a,b",
                *own.as_admin.items(),
                version="HTTP/1.0",
            )
        )
        answer = raw.response_head()
        assert answer.status_code == 200
        rest = b""
        while True:
            # SSLEOFError when it only stops
            data = raw.socket.recv(1 << 20)
            if not data:
                break
            rest += data
        assert DATA in rest


def test_a_client_that_just_goes_has_had_its_download(own):
    """The library tells such a client that it did wrong, which it does not
    take any more: that is no part of the download."""
    own.put("a", DATA)

    def downloads():
        answer = own.get("/history?direction=download", headers=own.as_admin)
        return [(e["status"], e["error"]) for e in answer.json()["entries"]]

    wanted = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        raw = own.raw(tls=tls.context(own.ca, version))
        assert raw.ask("GET", "/download/a").content == DATA
        raw.close()
        wanted.append(("completed", None))
        expect.until(lambda: downloads() == wanted)


# --- plain words on the TLS port ----------------------------------------------


def test_plain_http_is_told_what_to_do(own):
    with Raw((own.host, own.port)) as raw:
        raw.request("GET", "/health")
        answer = raw.response()
        body = expect.error(answer, 400, "malformed_request")
        assert "https://" in body["error"]
        assert raw.is_closed()


def test_garbage(own):
    for junk in (
        b"\x00" * 500,
        b"\x16\x03\x01\xff\xff" + b"x" * 500,
        b"\x16\x03\x01\x00\x05hello",
        b"\x80\x2e\x01\x03\x01" + b"\x00" * 50,
        random.Random(5).randbytes(4000),
    ):
        with Raw((own.host, own.port)) as raw:
            raw.send(junk)
            try:
                raw.half_close()
            except OSError:
                pass  # it did not wait for that
            raw.read_to_end()
    assert own.get("/health").status_code == 200


def test_garbage_after_the_handshake(own):
    with own.raw() as raw:
        assert raw.ask("GET", "/health").status_code == 200
        socket.socket.sendall(raw.socket, b"\x17\x03\x03\x00\x20" + b"x" * 32)
        with pytest.raises(ssl.SSLError) as refused:
            raw.socket.recv(1)
        assert "BAD_RECORD_MAC" in refused.value.reason
    assert own.get("/health").status_code == 200


def test_a_restarted_server_speaks_tls_again(own):
    own.put("x", DATA)
    own.may_restart = True
    ready = len(own.log.events("ready"))
    subprocess.run(["kill", "-9", str(own.child)], check=True)
    assert own.log.wait("ready", ready + 1) is not None
    own.child = own.server_pid()
    assert own.has("x", DATA)
    own.signal(signal.SIGTERM)
    assert own.wait() == 0
