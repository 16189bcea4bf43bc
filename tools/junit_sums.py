# SPDX-License-Identifier: MIT
"""usage: junit_sums.py RESULTS.xml

Prints "PASSED FAILED SKIPPED" of a JUnit file; "0 0 0" when there is none.
"""

import sys
import xml.etree.ElementTree as ET


def sums(path):
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError):
        return 0, 0, 0
    total = failed = skipped = 0
    for suite in root.iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return max(total - failed - skipped, 0), failed, skipped


print(*sums(sys.argv[1]))
