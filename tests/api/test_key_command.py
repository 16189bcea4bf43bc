# SPDX-License-Identifier: MIT
"""sftd key new: a key for who has none at hand."""

import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

import expect
from sftd import program


def run(server, *options, **settings):
    done = subprocess.run(
        [program(), "key", "new", *options],
        env={**server.environment(), **settings},
        cwd=server.place,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def made(server, *options):
    """The key of a command that went well: all that it writes."""
    status, out, err = run(server, *options)
    assert status == 0, err
    assert out.endswith("\n") and len(out.split()) == 1
    assert "made key" in err
    return {"X-API-Key": out.strip()}


def listed(server, **wanted):
    keys = server.get("/keys", headers=server.as_admin).json()["keys"]
    (one,) = [k for k in keys if wanted.items() <= k.items()]
    return one


def test_the_running_server_knows_it_at_once(start):
    own = start()
    for i in range(5):
        key = made(own, "--scopes", "admin", "--name", f"number {i}")
        assert own.get("/keys", headers=key).status_code == 200
        entry = listed(own, name=f"number {i}")
        assert entry["scopes"] == ["admin"]
        assert entry["expires_at"] is None
    assert own.log.wait("keys made beside the server are known", 5)


def test_without_a_server(start):
    own = start()
    own.stop()
    key = made(own, "--scopes", "admin")
    own.start()
    assert own.get("/keys", headers=key).status_code == 200


def test_scopes_prefix_and_expiry(start):
    own = start(REQUIRE_API_KEY="true")
    plain = made(own)
    assert own.put("b", b"x", headers=plain).status_code == 201
    assert own.get("/files", headers=plain).status_code == 200
    expect.error(own.get("/keys", headers=plain), 403)
    team = made(
        own,
        "--scopes",
        "read, write",
        "--prefix=team/",
        "--expires=30d",
        "--name=T",
    )
    assert own.put("team/a", b"x", headers=team).status_code == 201
    expect.error(own.put("a", b"x", headers=team), 403)
    expect.error(own.download("b", headers=team), 404)
    entry = listed(own, name="T")
    assert entry["prefix"] == "team/"
    left = datetime.fromisoformat(
        entry["expires_at"].replace("Z", "+00:00")
    ) - datetime.now(timezone.utc)
    assert timedelta(days=29) < left <= timedelta(days=30)


def test_it_can_be_revoked_as_any(start):
    own = start()
    key = made(own, "--name", "short", "--scopes", "read")
    assert own.get("/files", headers=key).status_code == 200
    path = f"/keys/{listed(own, name='short')['id']}"
    assert own.delete(path, headers=own.as_admin).status_code == 204
    expect.error(own.get("/files", headers=key), 401)
    # and does not come back when the next one is made
    made(own)
    expect.error(own.get("/files", headers=key), 401)


def test_its_expiry_is_kept(start):
    own = start()
    key = made(own, "--expires", "1s")
    expect.until(lambda: own.get("/files", headers=key).status_code == 401)


@pytest.mark.parametrize(
    "options,word",
    [
        (("--scopes", "all"), "scope"),
        (("--scopes", ""), "--scopes"),
        (("--scopes", "read,,write"), "scope"),
        (("--expires", "soon"), "--expires"),
        (("--expires", "0"), "--expires"),
        (("--expires", "-1h"), "--expires"),
        (("--expires", "999999d"), "--expires"),
        (("--prefix", "../x"), "name"),
        (("--prefix", ""), "name"),
        (("--prefix", "a/", "--scopes", "admin"), "prefix"),
        (("--name", "a\nb"), "name"),
        (("--name", "x" * 129), "name"),
        (("--bogus",), "--bogus"),
        (("more",), "more"),
    ],
)
def test_bad_options(start, options, word):
    own = start()
    status, out, err = run(own, *options)
    assert status == 2
    assert out == ""
    assert word in err and err.count("\n") == 1
    keys = own.get("/keys", headers=own.as_admin).json()["keys"]
    assert keys == []


def test_where_there_is_no_server(start, tmp_path):
    own = start()
    for place in (tmp_path / "nowhere", tmp_path):
        status, out, err = run(own, UPLOAD_DIR=str(place))
        assert status == 1
        assert out == "" and "UPLOAD_DIR" in err
    assert not (tmp_path / "nowhere").exists()


def test_beside_a_check_of_the_files(start):
    own = start()
    own.put("big", b"x" * 3_000_000)
    with subprocess.Popen(
        [program(), "verify", "--rate", "1M"],
        env=own.environment(),
        cwd=own.place,
        stdout=subprocess.DEVNULL,
    ) as check:
        lock = own.storage / "maintenance.lock"
        expect.until(lock.exists)
        key = made(own, "--scopes", "admin")
        assert own.get("/keys", headers=key).status_code == 200
        assert check.wait(60) == 0


def test_the_last_use_outlives_the_server(start):
    own = start()
    key = made(own, "--name", "used")
    before = time.time()
    own.get("/files", headers=key)
    used = listed(own, name="used")["last_used_at"]
    own.restart()
    assert listed(own, name="used")["last_used_at"] == used
    when = datetime.fromisoformat(used.replace("Z", "+00:00")).timestamp()
    assert before - 1 <= when <= time.time() + 1
