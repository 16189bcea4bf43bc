# SPDX-License-Identifier: MIT
"""Starts that fail: at once, with one clear line and a non-zero code; and
what a good start says."""

import os
import socket
import stat
import subprocess

import pytest

import expect
from sftd import Sftd, program


@pytest.fixture
def fails(tmp_path, start):
    """fails(words, NAME=value...): the start fails and says the words."""

    def check(*words, arguments=(), place="failing", **settings):
        where = tmp_path / place
        where.mkdir(exist_ok=True)
        one = Sftd(where, {"LOG_FORMAT": "text", **settings}, arguments)
        one.launch()
        status = one.wait()
        one.log.thread.join(10)
        one.check_sanitizers()
        assert status not in (0, 86) and status > 0, status
        lines = [line for line in one.log.lines if line.strip()]
        assert len(lines) == 1, one.log.text()
        for word in words:
            assert word in lines[0], lines[0]
        return lines[0]

    return check


def test_the_port_is_taken(fails):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        fails("SERVER_PORT", str(port), SERVER_PORT=str(port))
        fails(
            str(port), SERVER_PORT=str(port), AUTO_RESTART_ENABLED="false"
        )


def test_an_address_that_is_not_ours(fails):
    fails("SERVER_HOST", "192.0.2.1", "0.0.0.0", SERVER_HOST="192.0.2.1")


def test_a_host_that_nobody_knows(fails):
    host = "no-such-host.invalid"
    fails("SERVER_HOST", host, "0.0.0.0", SERVER_HOST=host)


@pytest.mark.parametrize("supervised", ["true", "false"])
def test_a_congestion_control_that_is_not_there(fails, supervised):
    fails(
        "TCP_CONGESTION",
        "'carrier-pigeon'",
        "'auto'",
        "reno",
        TCP_CONGESTION="carrier-pigeon",
        AUTO_RESTART_ENABLED=supervised,
    )


def test_a_status_file_that_is_a_directory(fails, tmp_path):
    """It is not set aside as a damaged one, with all that is in it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "thesis.txt").write_text("do not touch")
    fails("LOG_FILE", str(folder), "a file", LOG_FILE=folder)
    assert (folder / "thesis.txt").read_text() == "do not touch"


def test_a_status_file_that_is_the_servers_directory(fails, tmp_path):
    place = tmp_path / "same"
    fails("LOG_FILE", str(place), LOG_FILE=place, UPLOAD_DIR=place)
    assert place.is_dir() and not list(tmp_path.glob("same.*"))


def test_a_status_file_that_is_a_device(fails, tmp_path):
    """As /dev/null is; a pipe would also keep the start waiting."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    fails("LOG_FILE", str(pipe), "a file", LOG_FILE=pipe)
    assert pipe.is_fifo()


@pytest.mark.parametrize("supervised", ["true", "false"])
def test_a_second_server_on_a_directory(start, fails, supervised):
    first = start("first")
    fails(
        str(first.storage),
        UPLOAD_DIR=first.storage,
        AUTO_RESTART_ENABLED=supervised,
    )
    assert first.get("/health").status_code == 200


def test_a_foreign_directory(fails, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("do not touch")
    fails(str(foreign), UPLOAD_DIR=foreign)
    assert os.listdir(foreign) == ["thesis.txt"]


def test_a_newer_format(start, fails):
    own = start("own")
    own.stop()
    (own.storage / "FORMAT").write_text("sft 999\n")
    before = own.files_below()
    fails(str(own.storage), "999", UPLOAD_DIR=own.storage)
    assert own.files_below() == before


@pytest.mark.parametrize("content", ["", "hello\n", "sft\n", "sft x\n", "\0"])
def test_a_foreign_format(start, fails, content):
    own = start("own")
    own.stop()
    (own.storage / "FORMAT").write_text(content)
    fails(str(own.storage), UPLOAD_DIR=own.storage)


def test_a_file_in_place_of_the_directory(fails, tmp_path):
    path = tmp_path / "file"
    path.write_text("hello")
    fails(str(path), UPLOAD_DIR=path)
    assert path.read_text() == "hello"


def test_a_directory_that_cannot_be_made(fails):
    fails("UPLOAD_DIR", "/proc/sftd", UPLOAD_DIR="/proc/sftd")


def test_a_directory_that_cannot_be_written(fails, tmp_path):
    path = tmp_path / "readonly"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "none", str(path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount here")
    try:
        fails(str(path), UPLOAD_DIR=path)
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk(fails, tmp_path):
    path = tmp_path / "full"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount here")
    try:
        fails(UPLOAD_DIR=path / "storage")
    finally:
        subprocess.run(["umount", str(path)], check=True)


BAD_SETTINGS = [
    ("SERVER_PORT", "70000"),
    ("SERVER_PORT", "http"),
    ("SERVER_PORT", "-1"),
    ("MAX_FILE_SIZE", "big"),
    ("MAX_FILE_SIZE", "-5"),
    ("MAX_FILE_SIZE", "10X"),
    ("MAX_FILE_SIZE", "99999999999999999999"),
    ("REQUIRE_API_KEY", "maybe"),
    ("AUTO_RESTART_ENABLED", "2"),
    ("CORS_ORIGINS", "example.org"),
    ("CORS_ORIGINS", "https://a.example/path"),
    ("DURABILITY", "some"),
    ("LOG_LEVEL", "loud"),
    ("LOG_FORMAT", "xml"),
    ("HEADER_TIMEOUT", "10 parsecs"),
    ("HEADER_TIMEOUT", "0"),
    ("STALL_TIMEOUT", "-1s"),
    ("MAX_CONNECTIONS", "0"),
    ("QUEUE_KEEP_SECONDS", "1h30"),
    ("MIN_FREE_SPACE", "1.5G"),
    ("TCP_CONGESTION", "a b"),
    ("UPLOAD_DIR", ""),
    ("TRUSTED_PROXIES", "10.0.0.0/33"),
    ("TRUSTED_PROXIES", "proxy.example.org"),
    ("TRUSTED_PROXIES", "10.0.0.1,"),
    ("RATE_LIMIT", "-1"),
    ("AUTH_FAIL_LIMIT", "many"),
]


@pytest.mark.parametrize("name,value", BAD_SETTINGS)
def test_a_bad_setting(fails, name, value):
    line = fails(name, **{name: value})
    if value:
        assert value in line


def test_a_key_that_is_too_short_is_not_shown(fails):
    line = fails("ADMIN_API_KEY", ADMIN_API_KEY="s3cr3t-s3cr3t")
    assert "s3cr3t" not in line


@pytest.mark.parametrize(
    "name,value",
    [
        ("ENCRYPTION_KEY", "s3cr3t-15-chars"),
        ("ENCRYPTION_KEY", "s3cr3t-17-charact"),
        ("ENCRYPTION_KEY", "00112233445566778899s3cr3t001122"),
        ("ENCRYPTION_KEY_PREVIOUS", "0123456789abcdef,s3cr3t"),
        ("ENCRYPTION_KEY_PREVIOUS",
         ",".join(f"s3cr3t-{n:09}" for n in range(33))),
    ],
)
def test_a_master_key_that_is_none_is_not_shown(fails, name, value):
    line = fails("ENCRYPTION_KEY" if "," not in value else "key",
                 **{name: value})
    assert "s3cr3t" not in line


@pytest.mark.parametrize(
    "name,value",
    [
        ("STORAGE_URL", "s3://bucket"),
        ("DATABASE_URL", "postgresql://localhost/x"),
    ],
)
def test_a_setting_of_a_part_that_is_not_there_yet(fails, name, value):
    fails(name, **{name: value})


def test_an_unknown_name_in_a_file(fails, tmp_path):
    path = tmp_path / "config"
    path.write_text("SERVER_PORTS=1\n")
    fails("SERVER_PORTS", arguments=("--config", str(path)))


def test_a_file_that_is_not_there(fails, tmp_path):
    path = str(tmp_path / "nothing")
    fails(path, arguments=("--config", path))


@pytest.mark.parametrize(
    "arguments",
    [("--no-such-option",), ("--server-port",), ("frobnicate",), ("-z",)],
)
def test_usage(fails, arguments):
    fails(arguments=arguments)


def test_the_directory_is_private(start):
    own = start()
    assert stat.S_IMODE(own.storage.stat().st_mode) == 0o700
    own.put("x", b"secret")
    for path in own.storage.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} {mode:o}"


def test_a_deep_directory_is_made(start, tmp_path):
    own = start(UPLOAD_DIR=tmp_path / "a" / "b" / "c")
    assert own.get("/health").status_code == 200


def test_what_it_says_to_people(start):
    own = start(ADMIN_API_KEY=None)
    log = own.log.text()
    assert str(own.port) in log
    assert str(own.storage) in log
    assert "admin.key" in log


def test_the_options_win_over_the_environment_over_the_file(start, tmp_path):
    path = tmp_path / "config"
    path.write_text(
        "# a comment\nMAX_FILE_SIZE=1000\nQUEUE_KEEP_SECONDS=7\n"
        'CORS_ORIGINS="https://file.example"\n'
    )
    own = start(
        arguments=("--config", str(path), "--max-file-size", "10"),
        MAX_FILE_SIZE="100",
    )
    answer = expect.error(own.put("x", bytes(11)), 413, "file_too_large")
    assert answer["max_file_size"] == 10
    response = own.get("/status", headers={"Origin": "https://file.example"})
    assert response.headers["Access-Control-Allow-Origin"]


def test_port_stands_in_for_server_port(start):
    own = start(SERVER_PORT=None, PORT="0")
    assert own.get("/health").status_code == 200


def run(*arguments, **settings):
    environment = {"PATH": os.environ["PATH"], **settings}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return subprocess.run(
        [program(), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_help(start):
    done = run("--help")
    assert done.returncode == 0
    for name in (
        "--config",
        "--server-port",
        "--max-file-size",
        "--durability",
    ):
        assert name in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "option", ["--help", "--version", "--print-config", "--completion=bash"]
)
def test_output_that_cannot_be_written(option):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [program(), option], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert "cannot write to standard output: No space left" in done.stderr


def test_version(start):
    done = run("--version")
    assert done.returncode == 0
    version = start().get("/health").json()["version"]
    assert version in done.stdout


def test_print_config_masks_secrets(start):
    done = run(
        "--print-config",
        MAX_FILE_SIZE="5M",
        ADMIN_API_KEY="very-secret-0123456789",
    )
    assert done.returncode == 0
    assert "5242880" in done.stdout or "5M" in done.stdout
    assert "DURABILITY" in done.stdout
    assert "very-secret" not in done.stdout + done.stderr


def test_a_line_of_the_log_is_json(start):
    own = start(LOG_FORMAT="json")
    (listening,) = own.log.events("listening")
    assert listening["port"] == own.port
    assert listening["level"] == "info"
    assert expect.is_time(listening["time"])
    assert len(own.log.events()) == len(own.log.lines)
