# SPDX-License-Identifier: MIT
"""What the checkers share: which files to look at, and C without its
comments and strings."""

import re
import sys
from pathlib import Path

CODE_DIRS = ("src", "tests", "bench", "tools")

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
    re.DOTALL,
)

# Group 1 is a // comment; what could hide one is matched and passed over.
LINE_COMMENT = re.compile(
    r"""/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(//[^\n]*)""",
    re.DOTALL,
)


def root_from_args():
    """The tree to check: the one named, else the one this file lies in."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1]).resolve()
    return Path(__file__).resolve().parent.parent


def files_under(root, dirs, suffixes):
    """Paths relative to root, sorted; build directories are not code."""
    found = []
    for name in dirs:
        for path in (root / name).rglob("*"):
            relative = path.relative_to(root)
            if path.suffix not in suffixes or not path.is_file():
                continue
            if any(p.startswith("build") for p in relative.parts[:-1]):
                continue
            if "node_modules" in relative.parts:
                continue
            found.append(relative)
    return sorted(found)


def c_files(root, dirs=CODE_DIRS):
    return files_under(root, dirs, (".c", ".h"))


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """Comments become blanks; line numbers stay."""

    def replace(match):
        token = match.group(0)
        return _blank(token) if token[0] == "/" else token

    return _TOKEN.sub(replace, text)


def bare_code(text):
    """Comments and what stands in quotes become blanks; line numbers and
    the quotes stay."""

    def replace(match):
        token = match.group(0)
        if token[0] == "/":
            return _blank(token)
        return token[0] + _blank(token[1:-1]) + token[-1]

    return _TOKEN.sub(replace, text)


class Report:
    """Collects findings, prints them, and gives the exit status."""

    def __init__(self, name):
        self.name = name
        self.errors = 0

    def error(self, path, line, message):
        self.errors += 1
        print(f"{path}:{line}: {message}")

    def warning(self, path, line, message):
        print(f"{path}:{line}: warning: {message}")

    def done(self, n_files):
        if n_files == 0:
            print(f"{self.name}: found no file to check")
            return 1
        if self.errors:
            print(f"{self.name}: {self.errors} errors in {n_files} files")
            return 1
        print(f"{self.name}: {n_files} files, all well")
        return 0
