# SPDX-License-Identifier: MIT
"""A crash at each named point of publishing: what was acknowledged stays,
what was not is gone or whole, and the next start finds its way."""

import re
import signal
import subprocess

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
# those of opening a database that is no good, of what test_sealed_faults.py,
# test_chunk_faults.py, test_tus_faults.py and test_batch_faults.py do, and
# those of everyday
REPAIR = ["db.set_aside", "db.staged", "db.placed"]
ELSEWHERE = (
    "rotate.",
    "rewrite.",
    "session.",
    "chunk.",
    "append.",
    "batch.",
    "place.",
    "upload.prepared",
)
DAILY = [
    p for p in POINTS if p not in REPAIR and not p.startswith(ELSEWHERE)
]


def test_there_are_points():
    assert len(POINTS) >= 5, POINTS


def upload(own, name, data):
    """The status of the answer, None when there was none."""
    try:
        return own.put(name, data).status_code
    except requests.ConnectionError:
        return None


def launch(own, fault):
    """Start it with the fault; does it serve?"""
    own.settings["SFT_FAULT"] = fault
    own.launch()
    del own.settings["SFT_FAULT"]
    if own.log.wait("ready") is None:
        return False
    (listening,) = own.log.events("listening")
    own.port = listening["port"]
    own.url = f"http://{own.host}:{own.port}"
    return True


def ended_by_the_fault(own):
    """It may take the clean stop to pass the point."""
    try:
        own.process.wait(1)
    except subprocess.TimeoutExpired:
        own.process.terminate()
        own.process.wait(30)
    return own.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("durability", ["full", "relaxed"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", DAILY)
def test_a_crash_there(faulty, start, point, nth, durability):
    own = start(AUTO_RESTART_ENABLED="false", DURABILITY=durability)
    assert upload(own, "kept", OLD) == 201
    assert upload(own, "replaced", OLD) == 201
    own.stop()

    statuses = {}
    if launch(own, f"{point}:{nth}"):
        statuses["replaced"] = upload(own, "replaced", NEW)
        statuses["new"] = upload(own, "new", NEW)
        statuses["small"] = upload(own, "small", b"s")
    assert ended_by_the_fault(own), f"{point}:{nth} was not passed"

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
    # what was published and never recorded goes to lost/
    expect.until(lambda: len(own.files_below("objects")) == there)
    assert len(own.files_below("lost")) <= 1
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


@pytest.mark.parametrize("gone", ["damaged", "lost"])
@pytest.mark.parametrize("point", REPAIR)
def test_a_crash_while_the_records_are_made_again(faulty, start, point, gone):
    """However often that is: at the end every file is there."""
    own = start(AUTO_RESTART_ENABLED="false")
    files = {"first": b"1", "folder/second": NEW, "replaced": OLD}
    for name, data in files.items():
        upload(own, name, data)
    own.stop()  # leaves a backup that knows these
    own.start()
    for name, data in {"today": b"4", "replaced": NEW}.items():
        assert upload(own, name, data) in (200, 201)
        files[name] = data
    own.kill()
    for path in own.storage.glob("records.db*"):
        path.unlink()
    if gone == "damaged":
        (own.storage / "records.db").write_bytes(b"no database" * 1000)

    for _ in range(2):
        launch(own, point)
        if not ended_by_the_fault(own):
            # the place is filled already: nothing was left to pass
            assert own.process.returncode == 0
    own.start()
    for name, data in files.items():
        assert own.has(name, data)
    # nothing but what had been replaced, if that was not removed before
    for path in own.files_below("lost"):
        assert (own.storage / path).read_bytes() == OLD
