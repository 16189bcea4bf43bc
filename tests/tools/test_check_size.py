# SPDX-License-Identifier: MIT
import pytest

from small_tree import SPDX, caught, passes

TOOL = "check-size"


def function(lines, parameters="void"):
    """A definition of so many lines, from its name to its bracket."""
    body = "\twork();\n" * (lines - 3)
    return f"static int\nf({parameters})\n{{\n{body}}}\n"


@pytest.mark.parametrize("lines", [1, 500])
def test_allows_files_of(tmp_path, lines):
    output = passes(TOOL, tmp_path, {"src/base/a.c": "\n" * lines})
    assert "warning" not in output


@pytest.mark.parametrize("lines", [501, 800])
def test_warns_of_files_of(tmp_path, lines):
    output = passes(TOOL, tmp_path, {"tests/unit/a.c": "\n" * lines})
    assert f"warning: {lines} lines" in output


def test_catches_a_long_file(tmp_path):
    caught(TOOL, tmp_path, {"bench/a.c": "\n" * 801}, "bench/a.c:801: 801 lines")


def test_catches_a_long_python_file(tmp_path):
    caught(TOOL, tmp_path, {"tests/api/a.py": "\n" * 801}, "801 lines")


def test_allows_a_function_of_60_lines(tmp_path):
    output = passes(TOOL, tmp_path, {"src/base/a.c": function(60)})
    assert "warning" not in output


@pytest.mark.parametrize("lines", [61, 100])
def test_warns_of_functions_of(tmp_path, lines):
    output = passes(TOOL, tmp_path, {"src/base/a.c": SPDX + function(lines)})
    assert f"a.c:3: warning: f() has {lines} lines" in output


def test_catches_a_long_function(tmp_path):
    text = function(40) + "\n" + function(101) + "\n" + function(40)
    caught(TOOL, tmp_path, {"src/base/a.c": text}, "f() has 101 lines")


def test_catches_a_long_function_after_a_wrapped_head(tmp_path):
    text = function(101, "int a,\n    int b")
    caught(TOOL, tmp_path, {"src/base/a.c": text}, "f() has 102 lines")


@pytest.mark.parametrize(
    "text",
    [
        "int f(int a, int b, int c, int d, int e);\n",
        "int f(void);\n",
        "int\nf(int a, int (*g)(int, int), int b, int c, int d)\n{\n}\n",
        "struct t {\n\tint (*f)(int, int, int, int, int);\n};\n",
        "/* f(a, b, c, d, e, g) */\n",
        "static int x[] = {\n\tf(1, 2, 3, 4, 5, 6),\n};\n",
    ],
)
def test_allows_parameters(tmp_path, text):
    passes(TOOL, tmp_path, {"src/base/a.c": text})


@pytest.mark.parametrize(
    "text",
    [
        "int f(int a, int b, int c, int d, int e, int g);\n",
        "int *f(int a, int b, int c,\n    int d, int e, int g);\n",
        "static int\nf(int a, int b, int c, int d, int e, int g)\n{\n}\n",
    ],
)
def test_catches_six_parameters(tmp_path, text):
    caught(TOOL, tmp_path, {"src/base/a.c": text}, "f() has 6 parameters")


def test_catches_six_parameters_of_a_pointer(tmp_path):
    text = "struct t {\n\tint (*f)(int a, int b, int c,\n\t    int, int, int);\n};\n"
    caught(TOOL, tmp_path, {"src/base/a.h": text}, "a.h:2: (*f)() has 6")
