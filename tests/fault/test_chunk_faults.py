# SPDX-License-Identifier: MIT
"""A crash at each named point of an upload in chunks: no chunk that was
acknowledged has to be sent again, and nothing is left behind."""

import itertools

import pytest
import requests

import expect
from chunks import Upload, content, sha
from test_fault_points import POINTS, ended_by_the_fault, launch

CHUNKED = [p for p in POINTS if p.startswith(("session.", "chunk."))]
# 2 lies on the grid when 1 shows that there is none
SIZES = [65536, 70000, 65536, 65536, 10]
ORDER = [0, 2, 1, 4, 3]
DATA = content(sum(SIZES), "faults")
PIECES = [
    DATA[at : at + n]
    for at, n in zip(itertools.accumulate([0, *SIZES]), SIZES)
]


def test_there_are_points():
    assert len(CHUNKED) >= 8, CHUNKED


class Client:
    """Sends what is missing until the file is there."""

    def __init__(self, own, encryption):
        self.up = Upload(
            own, "file", PIECES, encryption=encryption, file_hash=sha(DATA)
        )
        self.sent = set()  # acknowledged

    def go_on(self):
        """Is the file there?  False: the server went."""
        try:
            info = self.up.resume_info()
            there = set(info["received_chunks"])
            assert self.sent <= there or info["can_resume"] is False
            for number in ORDER:
                if number in there:
                    continue
                response = self.up.send(number)
                assert response.status_code == 200, response.text
                self.sent.add(number)
                if response.json()["status"] == "completed":
                    return True
            # The last answer was lost: it can be had again.
            response = self.up.send(ORDER[-1])
            assert response.status_code == 200, response.text
            return response.json()["status"] == "completed"
        except requests.ConnectionError:
            return False


def cancel_another(own):
    """Ends a session, for the points of ending one."""
    up = Upload(own, "cancelled", [b"one", b"two"])
    try:
        assert up.send(0).status_code == 200
        response = own.post("/cancel/cancelled", headers=own.as_admin)
        assert response.status_code in (200, 404), response.text
        return True
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("encryption", ["false", "true"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", CHUNKED)
def test_a_crash_there(faulty, start, point, nth, encryption):
    own = start(AUTO_RESTART_ENABLED="false")
    own.stop()
    client = Client(own, encryption)
    assert launch(own, f"{point}:{nth}")
    done = client.go_on() and cancel_another(own)
    if not ended_by_the_fault(own):
        assert done, f"{point}:{nth} neither crashed nor let it complete"
        assert nth > 1, f"{point} was not passed"
    own.start()
    if not own.download("file").ok:
        assert client.go_on()
    assert own.has("file", DATA)
    own.post("/cancel/cancelled", headers=own.as_admin)
    expect.until(lambda: own.files_below("temp") == [])
    expect.until(lambda: len(own.files_below("objects")) == 1)
    assert own.files_below("lost") == []
