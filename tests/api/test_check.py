# SPDX-License-Identifier: MIT
"""sftd --check: would a start succeed?"""

import subprocess

from sftd import Sftd, program


def check(one):
    done = subprocess.run(
        [program(), "--check"],
        env=one.environment(),
        cwd=one.place,
        capture_output=True,
        text=True,
        timeout=60,
    )
    one.check_sanitizers()
    return done


def fails(one, *words):
    done = check(one)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
    return done.stderr


def test_a_new_directory_is_sound(tmp_path):
    done = check(Sftd(tmp_path))
    assert done.returncode == 0
    assert done.stderr == ""
    assert "sound" in done.stdout
    assert str(tmp_path / "storage") in done.stdout


def test_what_a_server_left_is_sound_and_stays(start):
    own = start()
    own.put("a", b"bytes")
    own.stop()
    assert check(own).returncode == 0
    own.start()
    assert own.has("a", b"bytes")


def test_a_running_server_is_in_the_way(start):
    own = start()
    fails(own, str(own.storage), "in use")
    assert own.get("/health").status_code == 200


def test_a_bad_setting(tmp_path):
    one = Sftd(tmp_path, {"SERVER_PORT": "x"})
    fails(one, "SERVER_PORT", "'x'")
    assert not one.storage.exists()


def test_an_address_that_is_not_ours(tmp_path):
    one = Sftd(tmp_path, {"SERVER_HOST": "192.0.2.1"})
    fails(one, "SERVER_HOST", "192.0.2.1", "0.0.0.0")


def test_a_congestion_control_that_is_not_there(tmp_path):
    one = Sftd(tmp_path, {"TCP_CONGESTION": "carrier-pigeon"})
    fails(one, "TCP_CONGESTION", "'carrier-pigeon'", "'auto'")


def test_a_port_that_is_taken_may_be_a_servers(start, tmp_path):
    """Of which this one is to be the next."""
    own = start("own")
    one = Sftd(tmp_path, {"SERVER_PORT": str(own.port)})
    assert check(one).returncode == 0


def test_a_status_file_that_is_a_directory(tmp_path):
    one = Sftd(tmp_path, {"LOG_FILE": tmp_path})
    fails(one, "LOG_FILE", str(tmp_path))
    assert not one.storage.exists()


def test_a_status_file_in_a_folder_that_is_not_there(start, tmp_path):
    path = tmp_path / "missing" / "status.json"
    one = Sftd(tmp_path, {"LOG_FILE": path})
    fails(one, "LOG_FILE", str(path), "missing'", "No such file")
    assert not one.storage.exists()
    # Files are served without it.
    own = start(LOG_FILE=path)
    said = own.log.wait("no status file will be written")
    assert str(path) in said["error"]
    assert own.put("a", b"x").status_code == 201


def test_a_foreign_directory(tmp_path):
    one = Sftd(tmp_path)
    one.storage.mkdir()
    (one.storage / "something").write_text("else")
    fails(one, str(one.storage))
    assert [p.name for p in one.storage.iterdir()] == ["something"]
