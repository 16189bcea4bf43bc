# SPDX-License-Identifier: MIT
import subprocess
import sys

from small_tree import TOOLS

CASE = '<testcase classname="tests.hostile.test_rights" name="test_{}">{}{}'
TRIED = '<properties><property name="tried" value="A foreign page."/>'
CASES = [
    CASE.format("cross_site[a]", TRIED + "</properties>", "</testcase>"),
    CASE.format("cross_site[b]", "<failure/>", "</testcase>"),
    CASE.format("timing", "", "</testcase>"),
    CASE.format("disk", "<skipped/>", "</testcase>"),
]


def report(path):
    return subprocess.run(
        [sys.executable, TOOLS / "hostile_report.py", path],
        capture_output=True,
        text=True,
    )


def test_each_attack_once_with_its_worst(tmp_path):
    path = tmp_path / "r.xml"
    path.write_text(f"<testsuites>{''.join(CASES)}</testsuites>")
    done = report(path)
    assert done.returncode == 0
    lines = [line.strip() for line in done.stdout.splitlines() if line]
    assert lines == [
        "rights",
        "BROKEN     cross site (2 ways)",
        "A foreign page.",
        "held       timing",
        "not tried  disk",
        "attacks: 1 BROKEN, 1 held, 1 not tried",
    ]


def test_no_file_is_no_report(tmp_path):
    done = report(tmp_path / "none.xml")
    assert done.returncode == 1 and done.stdout == ""
