# SPDX-License-Identifier: MIT
"""What POST /ping and the log say of lines with a delay, a narrow place, and
loss (crooked.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import crooked

TESTS = Path(crooked.__file__).resolve().parent
KIB = 1024
MIB = 1024 * KIB


@pytest.fixture
def visit(tmp_path):
    """visit(bytes, delay_ms=...): what crooked_visit.py says."""
    reason = crooked.why_not()
    if reason:
        pytest.skip(reason)

    def run(n, **line):
        done = subprocess.run(
            [
                *crooked.command(**line), sys.executable,
                str(TESTS / "crooked_visit.py"), str(tmp_path), str(n),
            ],
            cwd=TESTS,
            env={**os.environ, "LINE_STRAIGHT": str(tmp_path / "straight")},
            stdout=subprocess.PIPE,
            timeout=240,
        )  # fmt: skip
        assert done.returncode == 0
        said = json.loads(done.stdout)
        assert said["is_whole"]
        assert said["near"]["network_quality"] == "excellent"
        return said

    return run


def largest(rate):
    """The chunk that two seconds of that rate are enough for."""
    size = 256 * KIB
    while size * 2 <= min(rate * 2, 64 * MIB):
        size *= 2
    return size


def test_a_straight_line(visit):
    said = visit(MIB)
    assert said["sent"]["network_quality"] == "excellent"
    assert said["log"] == []


def test_a_delay(visit):
    said = visit(MIB, delay_ms=40)
    assert said["sent"]["network_quality"] in ("good", "fair")
    assert 80 <= said["sent"]["rtt_ms"] < 200
    assert said["straight"]["rtt_ms"] < 50
    assert said["log"] == []


def test_a_narrow_line_has_smaller_chunks(visit):
    said = visit(MIB, bytes_per_s=400_000)
    assert said["rate"] < 500_000
    # of what the server measured; the client's clock began earlier
    sizes = (largest(said["rate"]), 2 * largest(said["rate"]))
    assert said["sent"]["recommended_chunk_size"] in sizes
    assert said["sent"]["recommended_chunk_size"] <= MIB


def test_loss_makes_chunks_smaller(visit):
    said = visit(3 * MIB, delay_ms=5, loss=0.06)
    assert said["fetched"]["retransmits"] > 10
    assert said["fetched"]["network_quality"] in ("fair", "poor")
    before = said["sent"]["recommended_chunk_size"]
    assert said["fetched"]["recommended_chunk_size"] <= before


def test_the_log_says_when_a_line_turns_bad_and_recovers(visit):
    said = visit(300 * KIB, delay_ms=300)
    assert said["sent"]["network_quality"] == "poor"
    assert said["straight"]["network_quality"] in ("excellent", "good")
    assert said["log"] == [
        ["connection unstable", crooked.FAR],
        ["connection recovered", crooked.FAR],
    ]
