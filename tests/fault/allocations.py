#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: tests/fault/allocations.py [--each N] [--seed S] [PATTERN]

Runs the unit tests with one allocation failing, at N places of each test
(0: at every one).  A test may then fail, since what it expects does not
come, end with "out of memory", as our own allocations do; or
wait in vain until its time is up; it may not crash, or lose its mind in any
other way.  Needs script/build.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 90  # seconds; a test's own limit is 60
ALL_WITHIN = 600


def environment(nth, scratch):
    return {
        "PATH": os.environ["PATH"],
        "TMPDIR": scratch,
        "LD_PRELOAD": str(ROOT / "build/libfail_alloc.so"),
        "SFT_FAIL_ALLOC": str(nth),
    }


def run(test, nth, scratch, within=WITHIN):
    return subprocess.run(
        [ROOT / "build/unit_tests", test],
        env=environment(nth, scratch),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=within,
        check=False,
    )


def tests(pattern, scratch):
    """{name: allocations}, of those that pass when none fails."""
    done = run(pattern, 0, scratch, ALL_WITHIN)
    found = {}
    name = None
    text = (done.stdout + done.stderr).decode(errors="replace")
    # The two streams are separate: names in order, counts in order.
    names = re.findall(r"^\[ RUN      \] (\S+)", text, re.M)
    counts = re.findall(r"allocations: (\d+)", text)
    for name, count in zip(names, counts):
        found[name] = int(count)
    assert found and len(names) == len(counts), text[-2000:]
    return found


def verdict(done):
    """What was wrong; None when it ended as it may."""
    # 255: an assertion failed in a thread of the test's own.
    if done.returncode in (0, 1, 255, -signal.SIGALRM):
        return None
    said = (done.stdout + done.stderr).decode(errors="replace")
    # Some tests look at what programs write, and so does the line go there.
    hides = "test_sftd_commands" in said
    if done.returncode == -signal.SIGABRT:
        if "out of memory" in said or hides:
            return None
    # Threads of a test that failed and ended go on, without what it had.
    if "allocations: " in said:
        return None
    return f"status {done.returncode}: {said[-600:]}"


def attempt(job, scratch):
    test, nth = job
    try:
        wrong = verdict(run(test, nth, scratch))
    except subprocess.TimeoutExpired:
        wrong = "hangs"
    return None if wrong is None else f"{test}, allocation {nth}: {wrong}"


def places(count, each, rng):
    if each == 0 or each >= count:
        return range(1, count + 1)
    return sorted(rng.sample(range(1, count + 1), each))


def survey(pattern="", each=2, seed=1, most=None):
    """(how many runs, complaints); at most so many runs."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        jobs = [
            (test, nth)
            for test, count in sorted(tests(pattern, scratch).items())
            for nth in places(count, each, rng)
        ]
        if most is not None and len(jobs) > most:
            jobs = rng.sample(jobs, most)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda job: attempt(job, scratch), jobs)
            return len(jobs), [c for c in found if c is not None]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("pattern", nargs="?", default="")
    args = parser.parse_args()
    count, complaints = survey(args.pattern, args.each, args.seed)
    for complaint in complaints:
        print(complaint)
    print(f"{count} allocations failed, {len(complaints)} of them badly")
    return 1 if complaints or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
