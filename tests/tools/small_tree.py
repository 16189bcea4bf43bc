# SPDX-License-Identifier: MIT
"""A small tree with violations in it, and a checker run over it."""

import subprocess
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SPDX = "/* SPDX-License-Identifier: MIT */\n"


def check(tool, root, files):
    """Write files ({path: text}), run the tool over them, and return its
    exit status and output."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    done = subprocess.run(
        [TOOLS / tool, root], capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def caught(tool, root, files, *expected):
    """Assert that the tool fails, and says each of expected."""
    status, output = check(tool, root, files)
    assert status == 1, output
    for words in expected:
        assert words in output


def passes(tool, root, files):
    status, output = check(tool, root, files)
    assert status == 0, output
    assert "all well" in output
    return output
