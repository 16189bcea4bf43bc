# SPDX-License-Identifier: MIT
import pytest

from small_tree import SPDX, caught, passes

TOOL = "check-banned"


@pytest.mark.parametrize(
    "call",
    [
        "strcpy(a, b)",
        "strcat (a, b)",
        "sprintf(a, b)",
        "gets(a)",
        "strtok(a, b)",
        "atoi(a)",
        "strtol(a, b, 10)",
        "alloca(1)",
        "sleep(1)",
    ],
)
@pytest.mark.parametrize("where", ["src/base/a.c", "tests/unit/a.c", "bench/a.c"])
def test_catches_everywhere(tmp_path, where, call):
    name = call.split("(")[0].strip()
    text = f"{SPDX}int x = {call};\n"
    caught(TOOL, tmp_path, {where: text}, f"{where}:2: {name}(): use ")


@pytest.mark.parametrize(
    "call, home",
    [
        ("malloc(1)", "src/base/mem.c"),
        ("calloc(1, 1)", "src/base/mem.c"),
        ("realloc(p, 1)", "src/base/mem.c"),
        ("strdup(p)", "src/base/mem.c"),
        ("open(p, 0)", "src/base/file.c"),
        ("openat(0, p, 0)", "src/base/file.c"),
        ("fopen(p, m)", "src/base/file.c"),
        ("socket(1, 2, 3)", "src/net/addr.c"),
        ("accept4(1, 2, 3, 4)", "src/net/http_server.c"),
        ("pthread_create(a, b, c, d)", "src/base/thread.c"),
    ],
)
def test_catches_outside_its_wrapper(tmp_path, call, home):
    name = call.split("(")[0]
    text = f"{SPDX}\nint x = {call};\n"
    passes(TOOL, tmp_path, {home: text, "tests/unit/a.c": text})
    caught(TOOL, tmp_path, {"src/db/a.c": text}, f"src/db/a.c:3: {name}() is only")


@pytest.mark.parametrize(
    "code",
    [
        "/* strcpy(a, b) */",
        'log("do not sprintf(x)");',
        "s->open(s);",
        "ops.socket(s);",
        "x_open(s); my_strcpy(a);",
        "c = '\"'; /* malloc(1) */ d = '\"';",
        'u = "http://host";',
    ],
)
def test_allows(tmp_path, code):
    passes(TOOL, tmp_path, {"src/db/a.c": f"{SPDX}{code}\n"})


def test_catches_a_line_comment(tmp_path):
    text = f'{SPDX}x = "//"; // here\n'
    caught(TOOL, tmp_path, {"src/db/a.c": text}, "a.c:2: comments are")


def test_catches_a_missing_licence(tmp_path):
    caught(TOOL, tmp_path, {"src/db/a.h": "int x;\n"}, "a.h:1: the first line")


@pytest.mark.parametrize(
    "path", ["src/db/a.c", "tests/api/test_x.py", "docs/x.md", "script/x", "README.md"]
)
@pytest.mark.parametrize(
    "words",
    ["TODO: later", "FIXME", "XXX ugly", "HACK", "/home/me/x", "<<<<<<< HEAD"],
)
def test_catches_words(tmp_path, path, words):
    text = f"{SPDX}\n{words}\n" if path.endswith(".c") else f"\n\n{words}\n"
    caught(TOOL, tmp_path, {path: text}, f"{path}:3: ")


@pytest.mark.parametrize("words", ["TODO(#12): later", "mkdtemp: fXXXXXX", "autodo"])
def test_allows_words(tmp_path, words):
    passes(TOOL, tmp_path, {"docs/x.md": words + "\n"})
