# SPDX-License-Identifier: MIT
import subprocess
import sys

from small_tree import TOOLS


def sums(path):
    done = subprocess.run(
        [sys.executable, TOOLS / "junit_sums.py", path],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_sums_all_suites(tmp_path):
    path = tmp_path / "r.xml"
    path.write_text(
        "<testsuites>"
        '<testsuite tests="10" failures="1" errors="2" skipped="3"/>'
        '<testsuite tests="5" failures="0" errors="0" skipped="0"/>'
        "</testsuites>"
    )
    assert sums(path) == "9 3 3"


def test_no_file_is_no_test(tmp_path):
    assert sums(tmp_path / "none.xml") == "0 0 0"


def test_half_a_file_is_no_test(tmp_path):
    path = tmp_path / "r.xml"
    path.write_text('<testsuites><testsuite tests="5"')
    assert sums(path) == "0 0 0"
