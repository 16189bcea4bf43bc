# SPDX-License-Identifier: MIT
"""What holds for all commands of sft: global options, help, exit statuses,
and which server is spoken to."""

import json
import os
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from fake_server import KEY, Fake, answered, error, hang

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    ("upload",),
    ("batch",),
    ("download",),
    ("ls",),
    ("rm",),
    ("cancel",),
    ("status",),
    ("queue",),
    ("watch",),
    ("priority",),
    ("history",),
    ("stats",),
    ("clients",),
    ("ping",),
    ("health",),
    ("key", "new"),
    ("key", "list"),
    ("key", "revoke"),
    ("metadata",),
    ("thumbnail",),
    ("completion",),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_help(sft):
    result = sft("--help")
    assert result.status == 0
    assert result.err == ""
    for words in COMMANDS:
        assert f"  {' '.join(words)} " in result.out
    for option in ("--server", "--key-file", "--json", "--timeout", "-v,"):
        assert option in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    assert sft("-h").out == result.out


@pytest.mark.parametrize("words", COMMANDS)
def test_help_of_a_command(sft, fake, words):
    for arguments in ((*words, "--help"), ("--help", *words)):
        result = sft(*arguments)
        assert result.status == 0, result
        assert result.out.startswith(f"Usage: sft {' '.join(words)} ")
        assert "--server URL" in result.out
        assert all(len(line) <= 80 for line in result.out.splitlines())
    assert fake.requests == []


def test_the_word_help(sft):
    assert sft("help").out == sft("--help").out
    for words in (("upload",), ("key",), ("key", "new")):
        wanted = sft(*words, "--help").out
        assert wanted.startswith(f"Usage: sft {' '.join(words)} ")
        assert sft("help", *words).out == wanted
    assert sft("-v", "help", "-q", "ls").out == sft("ls", "--help").out
    assert sft("help", "nothing").status == 2


def test_help_of_a_group(sft):
    for arguments in (("key", "--help"), ("--help", "key")):
        result = sft(*arguments)
        assert result.status == 0
        assert "key revoke" in result.out


def test_the_manual_knows_every_option_and_command(sft):
    page = (ROOT / "docs" / "man" / "sft.1").read_text()
    in_page = set(re.findall(r"^\.It Fl .*?-([a-z-]+)", page, re.M))
    in_help = set()
    for words in COMMANDS:
        text = sft(*words, "--help").out
        in_help |= set(re.findall(r"^ .*?--([a-z-]+)", text, re.M))
        assert f".It Ic {' '.join(words)}" in page
    assert in_page == in_help


def test_advice_fits_the_terminal(sft):
    terminal = sft.on_terminal(
        "health", "--server", f"127.0.0.1:{free_port()}", size=(24, 50)
    )
    assert terminal.end() == 3
    advice = terminal.text.split("\r\n")[1:-1]
    assert len(advice) == 3
    for line in advice:
        assert line.startswith("     ")
        assert len(line) <= 50


def test_version(sft):
    for arguments in (("--version",), ("upload", "--version")):
        result = sft(*arguments)
        assert result.status == 0
        assert result.out == "sft 0.1.0\n"


@pytest.mark.parametrize(
    "arguments,word",
    [
        ((), "--help"),
        (("frobnicate",), "'frobnicate'"),
        (("key",), "'sft key --help'"),
        (("key", "lose"), "'key lose'"),
        (("dowload", "x"), "did you mean 'download'?"),
        (("--nonsense",), "--nonsense"),
        (("--timeout", "0"), "see 'sft --help'"),
        (("upload",), "FILE..."),
        (("upload", "--nonsense", "a"), "'sft upload --help'"),
        (("upload", "a", "--priority"), "--priority"),
        (("download",), "NAME..."),
        (("status", "extra"), "'extra'"),
        (("health", "extra"), "'extra'"),
        (("key", "revoke"), "ID"),
        (("key", "revoke", "a", "b"), "'b'"),
        (("health", "--timeout", "0"), "--timeout"),
        (("health", "--timeout", "soon"), "--timeout"),
        (("health", "--json=yes"), "--json"),
        (("health", "--retry", "3"), "--retry"),
    ],
)
def test_wrong_usage(sft, fake, arguments, word):
    result = sft(*arguments)
    assert result.status == 2
    assert word in result.err
    assert result.out == ""
    assert fake.requests == []


def test_wrong_usage_json(sft, fake):
    result = sft("--json", "upload")
    assert result.status == 2
    document = json.loads(result.out)
    assert document["success"] is False
    assert document["code"] == "usage"


def test_global_options_stand_anywhere(sft, fake):
    server = ("--server", fake.url)
    env = {"SFT_SERVER": "http://127.0.0.1:1"}
    for arguments in (
        (*server, "health"),
        ("health", *server),
        (f"--server={fake.url}", "-q", "health", "--json"),
        ("key", *server, "list"),
    ):
        assert sft(*arguments, env=env).status == 0


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_slashes_after_the_server(sft, fake, slashes):
    assert sft("health", "--server", fake.url + slashes).status == 0
    assert fake.requests[0][1] == "/health"


def test_a_server_without_a_scheme(sft, fake):
    address = f"127.0.0.1:{fake.port}"
    assert sft("health", "--server", address).status == 0


def test_a_server_in_a_folder(sft, fake):
    fake.on("GET", "/files/here/health", answered(200, {"status": "ok"}))
    assert sft("health", "--server", f"{fake.url}/files/here/").status == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost",
        "http://",
        "http://user:secret@localhost",
        "http://localhost/?a=b",
        "http://local host",
        "http://localhost/\r\nX-Evil: 1",
        "",
    ],
)
def test_no_server(sft, fake, url):
    result = sft("health", "--server", url)
    assert result.status == 2, result
    assert "secret" not in result.err


def test_an_empty_environment_is_none(sft, fake):
    env = {"SFT_SERVER": "", "SFT_API_KEY": "", "SFT_CA": ""}
    result = sft("health", env=env)
    if result.status == 3:
        assert "http://localhost:8080" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("health",),
        ("status",),
        ("download", "a"),
        ("upload", "a", "b"),
        ("key", "list"),
    ],
)
def test_nobody_listens(sft, arguments):
    for name in ("a", "b"):
        if arguments[0] == "upload":
            sft.file(name)
    env = {"SFT_SERVER": f"http://127.0.0.1:{free_port()}"}
    begin = time.monotonic()
    result = sft(*arguments, env=env)
    assert time.monotonic() - begin < 20
    assert result.status == 3
    assert env["SFT_SERVER"] in result.err
    assert "Connection refused" in result.err
    for word in ("script/server", "sftd", "--server", "SFT_SERVER"):
        assert word in result.err
    assert result.err.count("cannot reach") == 1


def test_nobody_listens_json(sft):
    env = {"SFT_SERVER": f"http://127.0.0.1:{free_port()}"}
    result = sft("health", "--json", env=env)
    assert result.status == 3
    assert json.loads(result.out)["code"] == "unreachable"


def test_no_such_host(sft):
    env = {"SFT_SERVER": "http://no-such-host.invalid"}
    result = sft("health", env=env)
    assert result.status == 3
    assert "no-such-host.invalid" in result.err


def test_a_server_that_says_nothing(sft, fake):
    fake.on("GET", "/health", hang)
    result = sft("health", "--timeout", "1")
    assert result.status == 1
    assert "nothing came" in result.err


def test_something_that_is_no_http(sft):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = sft.begin("health", "--server", f"127.0.0.1:{port}")
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"220 mail.example ESMTP\r\n")
        connection.close()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"does not speak HTTP" in err


@pytest.mark.parametrize(
    "status,exit_status",
    [(400, 1), (401, 5), (403, 5), (404, 1), (502, 1), (503, 1)],
)
def test_a_page_of_a_proxy(sft, fake, status, exit_status):
    page = answered(status, b"<h1>nope</h1>", Content_Type="text/html")
    fake.on("GET", "/status", page)
    result = sft("status")
    assert result.status == exit_status
    assert str(status) in result.err
    assert "proxy" in result.err
    assert "<h1>" not in result.err


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{", b'"x"'])
def test_a_good_answer_that_is_no_json(sft, fake, body):
    fake.on("GET", "/status", answered(200, body))
    result = sft("status")
    assert result.status == 1
    assert "not sftd" in result.err


def test_redirects_are_not_followed(sft, fake):
    elsewhere = Fake()
    moved = answered(301, b"", Location=f"{elsewhere.url}/health")
    fake.on("GET", "/health", moved)
    try:
        result = sft("health", env={"SFT_API_KEY": KEY})
    finally:
        elsewhere.end()
    assert result.status == 1
    assert "301" in result.err
    assert elsewhere.url in result.err
    assert elsewhere.requests == []


def test_a_compressed_answer_is_not_asked_for(sft, fake):
    sft("health")
    assert "Accept-Encoding" not in fake.requests[0][2]


def test_the_agent_is_named(sft, fake):
    sft("health")
    assert fake.requests[0][2]["User-Agent"] == "sft/0.1.0"


def test_the_key_from_the_environment(sft, fake):
    fake.key_needed = True
    assert sft("status").status == 5
    assert sft("status", env={"SFT_API_KEY": KEY}).status == 0


def test_the_key_from_a_file(sft, fake):
    fake.key_needed = True
    sft.file("key", f"{KEY}\n".encode())
    assert sft("status", "--key-file", "key").status == 0
    wrong = {"SFT_API_KEY": "wrong"}
    assert sft("status", "--key-file", "key", env=wrong).status == 0


def test_the_key_from_the_line(sft, fake):
    fake.key_needed = True
    wrong = {"SFT_API_KEY": "wrong"}
    assert sft("status", "--key", KEY, env=wrong).status == 0
    assert sft(f"--key={KEY}", "status", env=wrong).status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--key", "two words"),
        ("--key", "line\r\nX-Evil: 1"),
        ("--key", "schlüssel"),
        ("--key", "k" * 257),
        ("--key", ""),
        ("--key-file", "empty"),
        ("--key-file", "lines"),
        ("--key", "a", "--key-file", "good"),
    ],
)
def test_no_key(sft, fake, arguments):
    sft.file("empty", b"\n")
    sft.file("lines", b"one\ntwo\n")
    sft.file("good", b"one\n")
    result = sft("status", *arguments)
    assert result.status == 2
    assert "key" in result.err
    assert "schl" not in result.err
    assert fake.requests == []


def test_a_key_file_that_is_not_there(sft, fake):
    result = sft("status", "--key-file", "nowhere")
    assert result.status == 1
    assert "nowhere" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--key", "sft_secret"),
        ("status", "--key=sft_secret"),
        ("--key", "sft_secret", "status"),
        ("status", "--key", "sft_secret", "--key", "sft_secret2"),
    ],
)
def test_a_key_on_the_line_is_masked(sft, fake, arguments):
    fake.on("GET", "/status", hang)
    process = sft.begin(*arguments)
    try:
        while not fake.requests:
            time.sleep(0.01)
        line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.kill()
        process.wait()
    assert b"sft_secret" not in line
    assert b"**********" in line
    assert b"status" in line
    assert fake.requests[0][2]["X-API-Key"].startswith("sft_secret")


def test_verbose(sft, fake):
    result = sft("-v", "health")
    lines = result.err.splitlines()
    assert lines[0] == f"sft: > GET {fake.url}/health"
    assert lines[1].startswith("sft: < 200 OK (")


@pytest.mark.parametrize(
    "arguments",
    [
        ("health",),
        ("status",),
        ("status", "--file", "a"),
        ("upload", "a"),
        ("download", "b", "--force"),
        ("key", "new"),
        ("key", "list"),
        ("key", "revoke", "k1"),
        ("download", "missing"),
        ("status", "--file", "missing"),
        ("key", "revoke", "missing"),
    ],
)
def test_json_is_all_there_is(sft, fake, arguments):
    fake.set_status([])
    fake.files["b"] = b"x"
    sft.file("a")
    sft("key", "new")
    result = sft(*arguments, "--json", "-v")
    assert result.out.endswith("\n")
    assert isinstance(json.loads(result.out), dict)


def test_output_that_cannot_be_written(sft, fake):
    with open("/dev/full", "wb") as full:
        process = sft.begin("health", stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"cannot write to standard output" in err


def test_a_reader_that_has_seen_enough(sft, fake):
    there, here = os.pipe()
    os.close(there)
    process = sft.begin("health", stdout=here)
    os.close(here)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == b""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=t "
        "-addext subjectAltName=IP:127.0.0.1 "
        f"-keyout {place}/key.pem -out {place}/cert.pem".split(),
        check=True,
        capture_output=True,
    )
    return place


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    one = Fake(context)
    yield one
    one.end()


def test_a_certificate_nobody_knows(sft, secure):
    result = sft("health", "--server", secure.url)
    assert result.status == 3
    assert "--ca" in result.err
    assert "--insecure" in result.err


def test_a_certificate_that_is_trusted(sft, secure, certificate):
    ca = str(certificate / "cert.pem")
    server = ("--server", secure.url)
    assert sft("health", *server, "--ca", ca).status == 0
    assert sft("health", *server, env={"SFT_CA": ca}).status == 0
    assert sft("health", *server, "--insecure").status == 0


def test_a_file_over_tls(sft, secure, certificate):
    options = ("--server", secure.url, "--ca", str(certificate / "cert.pem"))
    content = os.urandom(1 << 20) * 3
    result = sft("upload", sft.file("a", content), *options)
    assert result.status == 0, result
    result = sft("download", "a", "-o", "b", *options)
    assert result.status == 0, result
    assert (sft.place / "b").read_bytes() == content


def test_certificates_that_are_none(sft, secure):
    sft.file("bad.pem", b"no certificate")
    server = ("--server", secure.url)
    assert sft("health", *server, "--ca", "bad.pem").status == 3
    assert sft("health", *server, "--ca", "nowhere.pem").status == 2


def test_one_connection_for_many_requests(sft, fake):
    ports = set()

    def behave(handler):
        ports.add(handler.client_address[1])
        handler.upload("x", {})

    names = []
    for i in range(5):
        names.append(sft.file(f"f{i}"))
        fake.on("PUT", f"/upload/f{i}", behave)
    assert sft("upload", *names).status == 0
    assert len(ports) == 1


def test_a_connection_that_died_between_requests(sft, fake):
    """The second upload finds its connection gone, and begins anew."""

    def behave(handler):
        handler.upload("a", {})
        handler.close_connection = True  # without having said so

    fake.on("PUT", "/upload/a", behave)
    for _ in range(5):
        result = sft("upload", sft.file("a"), sft.file("b"))
        assert result.status == 0, result


def test_an_error_without_a_body(sft, fake):
    fake.on("GET", "/health", answered(500, None))
    result = sft("health")
    assert result.status == 1
    assert "500" in result.err


def test_a_code_without_a_sentence(sft, fake):
    fake.on("GET", "/health", answered(500, {"code": "io"}))
    assert sft("health").status == 1


def test_a_long_sentence_is_cut(sft, fake):
    fake.on("GET", "/health", answered(500, error("io", "長い" * 500)))
    result = sft("health")
    assert result.status == 1
    assert result.err.startswith("sft: 長い長い")
    assert "\ufffd" not in result.err
