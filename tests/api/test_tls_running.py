# SPDX-License-Identifier: MIT
"""TLS while the server runs: its certificate is exchanged, clients waste its
time, and plain HTTP is pointed to it; and starts that fail."""

import os
import resource
import select
import signal
import socket
import ssl
import subprocess
import time

import pytest

import expect
import tls
from raw import Raw, head
from sftd import Sftd, program

READ_AGAIN = "the certificate was read again"
UNUSABLE = (
    "the certificate or its key cannot be used; the old ones stay in use"
)
HANDSHAKES = 1024  # proto/limits.h


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue()


@pytest.fixture(scope="module")
def other(authority):
    """Another certificate for the same names."""
    return authority.issue("other")


def shown(own):
    """The certificate that a new connection gets."""
    with own.raw() as raw:
        return raw.socket.getpeercert(binary_form=True)


def der(pair):
    return ssl.PEM_cert_to_DER_cert(pair.cert.read_text())


# --- exchanging the certificate -----------------------------------------------


@pytest.mark.parametrize("by_signal", [True, False])
@pytest.mark.parametrize("supervised", ["true", "false"])
def test_a_new_certificate(
    start, pair, other, tmp_path, by_signal, supervised
):
    files = pair.copy(tmp_path / "files")
    own = start(**files.settings, AUTO_RESTART_ENABLED=supervised)
    assert shown(own) == der(pair)
    with own.raw() as raw:
        body = os.urandom(1 << 20)
        raw.send(head("PUT", "/upload/x", ("Content-Length", len(body))))
        raw.send(body[:500000])
        other.put(files)
        if by_signal:
            own.signal(signal.SIGHUP)
        assert own.log.wait(READ_AGAIN) is not None
        expect.until(lambda: shown(own) == der(other))
        # who is there goes on with the old one
        raw.send(body[500000:])
        expect.uploaded(raw.response("PUT"), "x", body, 201)
        assert raw.ask("GET", "/download/x").content == body
    assert own.log.events(UNUSABLE) == []


def test_a_bad_pair_changes_nothing(start, pair, other, tmp_path):
    files = pair.copy(tmp_path / "files")
    own = start(**files.settings)
    files.key.write_bytes(other.key.read_bytes())
    failed = own.log.wait(UNUSABLE)
    assert failed is not None
    assert "TLS_KEY" in failed["error"]
    assert shown(own) == der(pair)
    own.signal(signal.SIGHUP)
    assert own.log.wait(UNUSABLE, 2) is not None
    assert shown(own) == der(pair)
    # said once for a change, however often it is looked at: by the time the
    # next change is seen, there would have been more
    files.cert.unlink()
    assert "TLS_CERT" in own.log.wait(UNUSABLE, 3)["error"]
    assert shown(own) == der(pair)
    other.put(files)
    assert own.log.wait(READ_AGAIN) is not None
    assert shown(own) == der(other)
    assert len(own.log.events(UNUSABLE)) == 3


def test_expiry_is_warned_of(start, authority):
    dates = ("20240101000000Z", "20240201000000Z")
    gone = authority.issue("gone", dates=dates)
    own = start(**gone.settings)
    said = "the certificate has expired: clients will not trust it"
    assert own.log.events(said)[0]["not_after"] == "2024-02-01T00:00:00Z"
    with pytest.raises(ssl.SSLCertVerificationError):
        own.raw()
    # it works nevertheless, for whom it is enough
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with own.raw(tls=careless) as raw:
        assert raw.ask("GET", "/health").status_code == 200


def test_a_chain_is_sent_whole(start, authority, tmp_path):
    """The file has the certificate and those between it and the root."""
    pair = authority.issue().copy(tmp_path / "files")
    pair.cert.write_bytes(pair.cert.read_bytes() + authority.ca.read_bytes())
    own = start(**pair.settings)
    out = subprocess.run(
        ["openssl", "s_client", "-showcerts"]
        + ["-connect", f"{own.host}:{own.port}"],
        input="",
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert out.count("BEGIN CERTIFICATE") == 2


# --- those who waste time -----------------------------------------------------


def test_who_says_nothing_is_closed_in_time(start, pair):
    own = start(**pair.settings, HEADER_TIMEOUT="1s")
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40
    with Raw((own.host, own.port)) as silent:
        with Raw((own.host, own.port)) as half:
            begun = time.monotonic()
            half.send(hello)
            assert silent.is_closed(within=10)
            assert half.is_closed(within=10)
            assert time.monotonic() - begun >= 0.9


def test_a_handshake_in_drops_has_no_more_time(start, pair):
    """The time is for all of it, and does not begin anew with each byte."""
    own = start(**pair.settings, HEADER_TIMEOUT="1s")
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 400
    begun = time.monotonic()
    with Raw((own.host, own.port)) as slow:
        for i in range(len(hello)):
            try:
                slow.send(hello[i : i + 1])
            except ConnectionError:
                break
            if select.select([slow.socket], [], [], 0.1)[0]:
                break
        assert slow.is_closed(within=10)
    assert 0.9 <= time.monotonic() - begun < 10


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = 2 * HANDSHAKES
    if hard != resource.RLIM_INFINITY and hard < need:
        pytest.skip(f"needs {need} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_over(s):
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_flood_of_handshakes_keeps_nobody_out(start, pair, many_files):
    """Those that began first give way."""
    own = start(
        **pair.settings,
        MAX_CONNECTIONS_PER_CLIENT="0",
        HEADER_TIMEOUT="10m",
    )
    flood = []
    try:
        for _ in range(HANDSHAKES + 300):
            flood.append(socket.create_connection((own.host, own.port), 20))
            flood[-1].setblocking(False)
        expect.until(lambda: sum(map(is_over, flood)) >= 300)
        assert own.get("/health").status_code == 200
        left = [s for s in flood if not is_over(s)]
        assert 0 < len(left) <= HANDSHAKES
        # the first are gone, the last are there
        assert is_over(flood[0]) and not is_over(flood[-1])
    finally:
        for s in flood:
            s.close()


def test_too_many_connections_hear_it_by_tls(start, pair):
    own = start(**pair.settings, MAX_CONNECTIONS_PER_CLIENT="1")
    with own.raw() as first:
        assert first.ask("GET", "/health").status_code == 200
        with own.raw() as second:
            second.request("GET", "/health")
            expect.error(second.response(), 503, "too_many_connections")
        assert first.ask("GET", "/health").status_code == 200


def test_idle_connections_end_with_a_word(start, pair):
    own = start(**pair.settings, IDLE_TIMEOUT="300ms")
    with own.raw() as raw:
        assert raw.ask("GET", "/health").status_code == 200
        assert raw.socket.recv(1) == b""  # SSLEOFError without


def test_the_end_of_the_server(start, pair):
    own = start(**pair.settings)
    with own.raw() as idle, Raw((own.host, own.port)) as silent:
        assert idle.ask("GET", "/health").status_code == 200
        own.signal(signal.SIGTERM)
        assert idle.socket.recv(1) == b""
        assert silent.is_closed()
        assert own.wait() == 0


# --- plain HTTP is pointed to TLS ---------------------------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def redirecting(start, pair):
    own = start(**pair.settings, HTTP_REDIRECT_PORT=free_port())
    own.plain_port = int(own.settings["HTTP_REDIRECT_PORT"])
    return own


def plain(own):
    return Raw((own.host, own.plain_port))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_redirect(redirecting, method):
    with plain(redirecting) as raw:
        for host, named in (
            ("localhost", "localhost"),
            (f"files.example:{redirecting.plain_port}", "files.example"),
            ("[::1]:80", "[::1]"),
        ):
            target = "/download/a%20b?x=1&y=%2F"
            answer = raw.ask(method, target, host=host)
            assert answer.status_code == 308
            assert answer.headers["Location"] == (
                f"https://{named}:{redirecting.port}{target}"
            )
            # a promise counts only when it was made by TLS
            assert "Strict-Transport-Security" not in answer.headers


def test_the_redirect_leads_there(redirecting):
    redirecting.put("x", b"bytes")
    answer = redirecting.get("/download/x")
    assert answer.content == b"bytes"
    assert answer.headers["Strict-Transport-Security"] == "max-age=15552000"
    out = subprocess.run(
        ["curl", "-q", "-sS", "-L", "--noproxy", "*", "-m", "60"]
        + ["--cacert", str(redirecting.ca)]
        + [f"http://localhost:{redirecting.plain_port}/download/x"],
        capture_output=True,
        check=True,
    ).stdout
    assert out == b"bytes"


def test_without_a_redirect_the_host_is_not_bound_to_tls(start, pair):
    answer = start(**pair.settings).get("/health")
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "X"])
def test_nothing_is_changed_by_plain_http(redirecting, method):
    with plain(redirecting) as raw:
        answer = raw.ask(method, "/upload/x", body=b"x" * 1000)
        body = expect.error(answer, 405, "method_not_allowed")
        assert "https://" in body["error"]
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert raw.is_closed()
    assert redirecting.lacks("x")


@pytest.mark.parametrize(
    "bytes_",
    [
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: :80\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_malformed_requests_to_the_redirect(redirecting, bytes_):
    with plain(redirecting) as raw:
        raw.send(bytes_)
        expect.error(raw.response(), 400, "malformed_request")


def test_the_redirect_survives_the_server(redirecting):
    own = redirecting
    own.may_restart = True
    os.kill(own.child, signal.SIGKILL)
    # the supervisor has both sockets
    with plain(own) as raw:
        assert raw.ask("GET", "/x").status_code == 308
    assert own.get("/health").status_code == 200
    own.child = own.server_pid()


def test_no_redirect_after_the_end(redirecting):
    redirecting.stop()
    with pytest.raises(ConnectionError):
        plain(redirecting)


# --- starts that fail ---------------------------------------------------------


def complaint(place, **settings):
    """What both a start and a check say, in one line."""
    place.mkdir(exist_ok=True)
    settings = {"TLS_CERT": None, "TLS_KEY": None, **settings}
    lines = []
    for arguments in ((), ("--check",)):
        one = Sftd(place, {"LOG_FORMAT": "text", **settings})
        done = subprocess.run(
            [program(), *arguments],
            env=one.environment(),
            cwd=place,
            capture_output=True,
            text=True,
            timeout=60,
        )
        one.check_sanitizers()
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr
        lines.append(done.stderr)
    assert lines[0] == lines[1]
    assert not (place / "storage").exists()
    return lines[0]


def test_one_without_the_other(pair, tmp_path):
    line = complaint(tmp_path, TLS_CERT=pair.cert)
    assert "TLS_KEY is not" in line
    line = complaint(tmp_path, TLS_KEY=pair.key)
    assert "TLS_CERT is not" in line


@pytest.mark.parametrize("name", ["TLS_CERT", "TLS_KEY"])
def test_files_that_cannot_be_read(pair, tmp_path, name):
    absent = str(tmp_path / "absent.pem")
    line = complaint(tmp_path / "a", **{**pair.settings, name: absent})
    assert f"{name}: cannot read '{absent}': No such file" in line
    line = complaint(tmp_path / "b", **{**pair.settings, name: tmp_path})
    assert f"{name}: " in line
    junk = tmp_path / "junk.pem"
    junk.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    line = complaint(tmp_path / "c", **{**pair.settings, name: junk})
    assert f"{name}: '{junk}' has no" in line
    junk.write_text("")
    line = complaint(tmp_path / "d", **{**pair.settings, name: junk})
    assert f"{name}: '{junk}' has no" in line


def test_a_key_of_another_certificate(pair, other, authority, tmp_path):
    rsa = authority.issue("rsa", key=tls.RSA)
    for key in (other.key, rsa.key):
        line = complaint(tmp_path / "a", TLS_CERT=pair.cert, TLS_KEY=key)
        assert f"TLS_KEY: '{key}' is not the key" in line


def test_a_key_with_a_passphrase(pair, tmp_path):
    locked = tmp_path / "locked.pem"
    tls.openssl(
        *("ec", "-aes128", "-passout", "pass:secret"),
        *("-in", pair.key, "-out", locked),
    )
    line = complaint(tmp_path / "a", TLS_CERT=pair.cert, TLS_KEY=locked)
    assert "TLS_KEY: " in line and "passphrase" in line


def test_a_certificate_that_is_too_weak(authority, tmp_path):
    weak = authority.issue("weak", key=("-newkey", "rsa:1024"))
    line = complaint(tmp_path / "a", **weak.settings)
    assert f"TLS_CERT: '{weak.cert}'" in line and "too small" in line


def test_a_redirect_to_nothing(pair, tmp_path):
    port = str(free_port())
    line = complaint(tmp_path, HTTP_REDIRECT_PORT=port)
    assert "HTTP_REDIRECT_PORT" in line and "TLS_CERT" in line
    line = complaint(
        tmp_path, **pair.settings, SERVER_PORT=port, HTTP_REDIRECT_PORT=port
    )
    assert "HTTP_REDIRECT_PORT" in line and "SERVER_PORT" in line


def test_a_redirect_port_that_is_taken(pair, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        one = Sftd(tmp_path, {**pair.settings, "HTTP_REDIRECT_PORT": port})
        one.launch()
        assert one.wait() == 1
        one.log.thread.join(10)
        assert port in one.log.text()


def test_a_check_of_what_is_good(pair, tmp_path):
    one = Sftd(tmp_path, pair.settings)
    done = subprocess.run(
        [program(), "--check"], env=one.environment(), cwd=tmp_path
    )
    assert done.returncode == 0
