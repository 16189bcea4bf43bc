# SPDX-License-Identifier: MIT
"""A crash at each point that a batch passes: all of its files are there
afterwards, or none of them."""

import pytest
import requests

import batches
import expect
from test_fault_points import POINTS, ended_by_the_fault, launch

OLD = b"old bytes " * 1000
NEW = {
    "replaced": b"new bytes, more of them " * 5000,
    "new": b"x" * 200_000,
    "small": b"s",
    "empty": b"",
}
PASSED = [
    p
    for p in POINTS
    if p.startswith(("batch.", "place.", "upload.taken", "upload.prepared"))
] + [
    "publish.begin",
    "publish.birth",
    "publish.synced",
    "db.before_commit",
    "db.after_commit",
]
WAYS = {"plain": "encryption=false", "sealed": "encryption=true", "late": ""}


def test_there_are_points():
    assert {"batch.prepared", "batch.placed", "batch.recorded"} <= set(PASSED)


def post(own, query):
    """The answer, None when there was none."""
    parts = batches.files(NEW)
    try:
        return batches.post(own, *parts, query="?" + query)
    except requests.ConnectionError:
        return None


def there(own):
    """Which of the new ones are."""
    found = set()
    for name, data in NEW.items():
        response = own.download(name)
        if response.status_code == 200 and response.content == data:
            found.add(name)
        elif name == "replaced":
            assert response.content == OLD
        else:
            assert response.status_code == 404
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize("point", PASSED)
def test_all_or_none(faulty, start, point, nth, way):
    own = start(AUTO_RESTART_ENABLED="false")
    assert own.put("kept", OLD).status_code == 201
    assert own.put("replaced", OLD).status_code == 201
    own.stop()

    response = None
    if launch(own, f"{point}:{nth}"):
        response = post(own, WAYS[way])
        if point.startswith("batch.") or point == "place.synced":
            # passed once a batch
            for _ in range(nth - 1):
                response = post(own, WAYS[way])
    assert ended_by_the_fault(own), f"{point}:{nth} was not passed"
    if response is not None:
        batches.answer(response)

    own.start()
    found = there(own)
    assert found in (set(), set(NEW)), found
    if response is not None:
        assert found == set(NEW)
    if point == "batch.recorded":
        assert found == set(NEW)
    if point in ("batch.prepared", "upload.prepared", "publish.synced"):
        # what was not placed is not kept for anybody to look at
        assert own.files_below("lost") == []
    assert own.has("kept", OLD)
    expect.until(lambda: own.files_below("temp") == [])
    files = 2 if not found else 1 + len(NEW)
    expect.until(lambda: len(own.files_below("objects")) == files)
    # and it works on
    batches.stored(own, post(own, WAYS[way]), NEW)
