# SPDX-License-Identifier: MIT
import pytest

from small_tree import caught, passes

TOOL = "check-layers"


@pytest.mark.parametrize(
    "path, include",
    [
        ("src/base/a.c", '"base/b.h"'),
        ("src/net/a.c", '"crypto/b.h"'),
        ("src/engine/a.h", '"storage/b.h"'),
        ("src/sftd/main.c", '"api/b.h"'),
        ("src/net/a.c", '"net/a_priv.h"'),
        ("src/db/a.c", "<sqlite3.h>"),
        ("src/crypto/a.c", "<openssl/evp.h>"),
        ("src/net/a.c", "<openssl/ssl.h>"),
        ("src/sft/a.c", "<curl/curl.h>"),
        ("src/engine/a.c", "<magic.h>"),
        ("src/api/a.c", "<jansson.h>"),
        ("src/base/a.c", "<stdio.h>"),
        ("tests/unit/a.c", '"net/a_priv.h"'),
        ("tests/unit/a.c", "<sqlite3.h>"),
        ("bench/a.c", "<openssl/evp.h>"),
    ],
)
def test_allows(tmp_path, path, include):
    passes(TOOL, tmp_path, {path: f"#include {include}\n"})


@pytest.mark.parametrize(
    "path, include, words",
    [
        ("src/base/a.c", '"net/b.h"', 'base may not include "net/b.h"'),
        ("src/api/a.c", '"db/b.h"', 'api may not include "db/b.h"'),
        ("src/api/a.c", '"storage/b.h"', "api may not"),
        ("src/engine/a.c", '"net/b.h"', "engine may not"),
        ("src/sft/a.c", '"engine/b.h"', "sft may not"),
        ("src/sftd/a.c", '"sft/b.h"', "sftd may not"),
        ("src/net/a.c", '"loop/b_priv.h"', "private to loop"),
        ("src/base/a.c", '"err.h"', "named from src/"),
        ("src/base/a.c", '"nowhere/err.h"', "named from src/"),
        ("src/other/a.c", "<stdio.h>", "no layer"),
        ("src/engine/a.c", "<sqlite3.h>", "only for db"),
        ("src/net/a.c", "<openssl/evp.h>", "only for crypto"),
        ("src/api/a.c", "<openssl/ssl.h>", "only for net"),
        ("src/engine/a.c", "<curl/curl.h>", "only for sft"),
        ("src/api/a.c", "<magic.h>", "only for engine"),
        ("src/net/a.c", "<jansson.h>", "only for base"),
        ("src/base/a.c", '"base/b.c"', "not for including"),
        ("tests/unit/a.c", '"base/b.c"', "not for including"),
        ("src/base/a.c", '  "net/b.h"', "may not"),
    ],
)
def test_catches(tmp_path, path, include, words):
    caught(TOOL, tmp_path, {path: f"\n#  include {include}\n"}, f"{path}:2:", words)


def test_comments_do_not_include(tmp_path):
    text = '/*\n#include "net/b.h"\n*/\n#include "base/c.h"\n'
    passes(TOOL, tmp_path, {"src/base/a.c": text})


def test_an_empty_tree_is_an_error(tmp_path):
    caught(TOOL, tmp_path, {}, "found no file")
