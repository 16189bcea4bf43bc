# SPDX-License-Identifier: MIT
"""A crash at each named point of publishing: what was acknowledged stays,
what was not is gone or whole, and the next start finds its way.

Needs a server with its fault points in: script/build --asan, or --debug."""

import re
from pathlib import Path

import pytest
import requests

import expect
import sftd

OLD = b"old bytes " * 1000
NEW = b"new bytes, more of them " * 5000


def points():
    """Every name that stands in a FAULT_POINT() of the source."""
    found = set()
    for path in sorted((sftd.ROOT / "src").rglob("*.c")):
        found |= set(re.findall(r'FAULT_POINT\("([^"]+)"\)', path.read_text()))
    return sorted(found)


POINTS = points()


def has_points(path):
    return path.exists() and b"SFT_FAULT" in path.read_bytes()


@pytest.fixture
def faulty(monkeypatch):
    candidates = [Path(sftd.program())]
    candidates += [
        sftd.ROOT / d / "sftd" for d in ("build-debug", "build-asan")
    ]
    for path in candidates:
        if has_points(path):
            monkeypatch.setenv("SFTD", str(path))
            return
    pytest.skip("no sftd with fault points: script/build --debug")


def test_there_are_points():
    assert len(POINTS) >= 5, POINTS


def upload(own, name, data, query=""):
    """The status of the answer, None when there was none."""
    try:
        return own.put(name, data, query).status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize("durability", ["full", "relaxed"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_there(faulty, start, point, nth, durability):
    own = start(AUTO_RESTART_ENABLED="false", DURABILITY=durability)
    assert upload(own, "kept", OLD) == 201
    assert upload(own, "replaced", OLD) == 201
    own.stop()

    own.settings["SFT_FAULT"] = f"{point}:{nth}"
    own.launch()
    statuses = {}
    if own.log.wait("ready") is not None:
        (listening,) = own.log.events("listening")
        own.port = listening["port"]
        own.url = f"http://{own.host}:{own.port}"
        statuses["replaced"] = upload(own, "replaced", NEW)
        statuses["new"] = upload(own, "new", NEW)
        statuses["small"] = upload(own, "small", b"s")
    if own.process.poll() is None:
        try:
            own.process.wait(1)
        except Exception:
            own.process.terminate()
    own.process.wait(30)
    crashed = own.process.returncode == -9
    print(f"{point}:{nth} crashed={crashed} {statuses}")

    del own.settings["SFT_FAULT"]
    own.start()
    assert own.has("kept", OLD)
    check(own, "replaced", statuses.get("replaced"), OLD, NEW)
    check(own, "new", statuses.get("new"), None, NEW)
    check(own, "small", statuses.get("small"), None, b"s")
    expect.until(lambda: own.files_below("temp") == [])
    there = sum(
        own.download(n).status_code == 200
        for n in ("kept", "replaced", "new", "small")
    )
    expect.until(lambda: len(own.files_below("objects")) == there)
    assert own.files_below("lost") == []
    # and it works on
    assert upload(own, "replaced", OLD) in (200, 201)
    assert own.has("replaced", OLD)


def check(own, name, status, before, after):
    """Acknowledged: the new bytes.  Refused or cut: the old or the new."""
    response = own.download(name)
    if response.status_code == 404:
        assert before is None, f"{name} is gone"
        assert status not in (200, 201), f"{name} was acknowledged"
        return
    assert response.status_code == 200, response.text
    if status in (200, 201):
        assert response.content == after
    else:
        assert response.content in (before, after)


@pytest.mark.parametrize("point", POINTS)
def test_every_point_is_passed(faulty, start, point):
    """A point that no upload, replacement or stop passes tests nothing."""
    own = start(AUTO_RESTART_ENABLED="false")
    own.put("x", OLD)
    own.stop()
    own.settings["SFT_FAULT"] = point
    own.launch()
    if own.log.wait("ready") is not None:
        (listening,) = own.log.events("listening")
        own.port = listening["port"]
        own.url = f"http://{own.host}:{own.port}"
        upload(own, "x", NEW)
        upload(own, "y", NEW)
        if own.process.poll() is None:
            try:
                own.process.wait(2)
            except Exception:
                own.process.terminate()
    assert own.process.wait(30) == -9, f"{point} was not passed"
