# SPDX-License-Identifier: MIT
"""usage: hostile_report.py RESULTS.xml

Prints for each test of tests/hostile in a JUnit file: whether the server held
out, the attack's name, and what was tried.
"""

import sys
import textwrap
import xml.etree.ElementTree as ET
from collections import defaultdict


def verdict(case):
    for bad in ("failure", "error"):
        if case.find(bad) is not None:
            return "BROKEN"
    return "held" if case.find("skipped") is None else "not tried"


def tried(case):
    for prop in case.iter("property"):
        if prop.get("name") == "tried":
            return prop.get("value")
    return ""


def worst(verdicts):
    for one in ("BROKEN", "not tried", "held"):
        if one in verdicts:
            return one
    return "not tried"


def attacks(root):
    """{part: {attack: [test cases]}}, in their order."""
    found = defaultdict(lambda: defaultdict(list))
    for case in root.iter("testcase"):
        part = case.get("classname").rpartition("test_")[2]
        name = case.get("name").partition("[")[0].removeprefix("test_")
        found[part.replace("_", " ")][name.replace("_", " ")].append(case)
    return found


def report(root):
    counts = defaultdict(int)
    for part, of_part in sorted(attacks(root).items()):
        print(f"\n{part}")
        for name, cases in of_part.items():
            how = worst([verdict(c) for c in cases])
            counts[how] += 1
            times = f" ({len(cases)} ways)" if len(cases) > 1 else ""
            print(f"  {how:9}  {name}{times}")
            for line in textwrap.wrap(tried(cases[0]), 64):
                print(f"{'':15}{line}")
    return counts


def main():
    try:
        counts = report(ET.parse(sys.argv[1]).getroot())
    except (OSError, ET.ParseError):
        print("hostile_report: no results", file=sys.stderr)
        return 1
    said = [f"{n} {how}" for how, n in sorted(counts.items())]
    print(f"\nattacks: {', '.join(said)}\n")
    return 0


sys.exit(main())
