# SPDX-License-Identifier: MIT
"""A program with its fault points in: script/build --asan, or --debug."""

from pathlib import Path

import pytest

import sftd


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
