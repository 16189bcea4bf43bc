# SPDX-License-Identifier: MIT
"""File names: what is refused, and how the rest is written."""

from urllib.parse import quote

import pytest

import expect
import form

DATA = b"some bytes"

# Percent-encoded, as they stand in a URL.
REFUSED = {
    "..": "..",
    ".": ".",
    "dots inside": "a/../b",
    "a dot inside": "a/./b",
    "dots at the end": "a/..",
    "a dot at the end": "a/.",
    "a leading slash": "/a",
    "an empty segment": "a//b",
    "a slash at the end": "a/",
    "a slash alone": "/",
    "encoded dots": "%2e%2e",
    "encoded slashes": "..%2f..%2fetc%2fpasswd",
    "an encoded leading slash": "%2Fetc%2Fpasswd",
    "an encoded empty segment": "a%2F%2Fb",
    "a backslash": "a%5Cb",
    "backslashes": "..%5c..%5cboot.ini",
    "NUL": "a%00b",
    "a tab": "a%09b",
    "CR LF": "a%0d%0ab",
    "US": "a%1Fb",
    "DEL": "a%7Fb",
    "C1, first": "a%C2%80b",
    "C1, next line": "a%C2%85b",
    "C1, last": "a%C2%9Fb",
    "line separator": "a%E2%80%A8b",
    "paragraph separator": "a%E2%80%A9b",
    "LRE": "a%E2%80%AAb",
    "RLE": "a%E2%80%ABb",
    "PDF": "a%E2%80%ACb",
    "LRO": "a%E2%80%ADb",
    "RLO": "a%E2%80%AEgnp.exe",
    "LRI": "a%E2%81%A6b",
    "RLI": "a%E2%81%A7b",
    "FSI": "a%E2%81%A8b",
    "PDI": "a%E2%81%A9b",
    "a lone continuation": "a%80b",
    "a cut sequence": "a%C3",
    "an overlong slash": "a%C0%AFb",
    "an overlong dot": "%C0%AE%C0%AE",
    "a surrogate": "a%ED%A0%80b",
    "beyond Unicode": "a%F4%90%80%80b",
    "FF": "a%FFb",
    "256 bytes": "a" * 256,
    "256 bytes in two-byte characters": "%C3%A9" * 128,
    "a long segment": "a/" + "b" * 256 + "/c",
    "1025 bytes": "/".join(["a" * 204] * 5) + "b",
}
assert len(REFUSED["1025 bytes"]) == 1025


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize(
    "method,route",
    [
        ("PUT", "/upload/"),
        ("GET", "/download/"),
        ("HEAD", "/download/"),
        ("GET", "/status/"),
    ],
)
def test_refused_in_urls(server, method, route, case):
    body = DATA if method == "PUT" else None
    with server.raw() as raw:
        response = raw.ask(method, route + REFUSED[case], body=body)
        if method == "HEAD":
            assert response.status_code == 400
        else:
            expect.error(response, 400, "invalid_filename")


def unquoted(text):
    out = b""
    parts = text.encode().split(b"%")
    out = parts[0]
    for part in parts[1:]:
        out += bytes([int(part[:2], 16)]) + part[2:]
    return out


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_the_filename_field(server, case):
    response = form.post(
        server,
        form.part("filename", unquoted(REFUSED[case])),
        form.file(DATA),
    )
    expect.error(response, 400, "invalid_filename")


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_the_query(server, case):
    name = REFUSED[case].replace("/", "%2F")
    response = form.post(
        server, form.file(DATA), path=f"/upload?filename={name}"
    )
    expect.error(response, 400, "invalid_filename")


def test_an_empty_name_is_refused(server):
    response = form.post(server, form.part("filename", ""), form.file(DATA))
    expect.error(response, 400, "invalid_filename")


@pytest.mark.parametrize(
    "sent", ["..", ".", "C:\\x\\..", "a/..", "a\x01b.txt", "a\x7fb", "a\0b"]
)
def test_refused_after_the_reduction(server, sent):
    response = form.post(server, form.file(DATA, sent))
    expect.error(response, 400, "invalid_filename")


def test_dots_in_the_path_are_not_resolved(server):
    for target in (
        "/download/../../etc/passwd",
        "/download/x/../../health",
        "/download/%2e%2e/health",
    ):
        with server.raw() as raw:
            expect.error(raw.ask("GET", target), 400, "invalid_filename")


def test_what_is_encoded_twice_is_decoded_once(server, name):
    twice = f"{name}%252e%252e%252f%2541"
    with server.raw() as raw:
        response = raw.ask("PUT", f"/upload/{twice}", body=DATA)
        expect.uploaded(response, f"{name}%2e%2e%2f%41", DATA, 201)
        response = raw.ask("GET", f"/download/{twice}")
        assert response.content == DATA


ACCEPTED = [
    "a b.txt",
    " lead and trail ",
    "Grüße.txt",
    "日本語/ファイル.txt",
    "😀.txt",
    "a+b=c&d;e,f.txt",
    "100%.txt",
    "50%25.txt",
    "what?.txt",
    "#1.txt",
    "it's \"quoted\".txt",
    "<script>.html",
    "a:b|c*d.txt",
    "~user/$HOME/`x`.txt",
    "...",
    "..a",
    ".hidden",
    "a..b",
    "'; DROP TABLE files; --",
    "con.txt",
    "x" * 255,
    "é" * 127,
    "\u00a0nbsp",
    "\ufeffbom",
    "zero\u200bwidth",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(server, names, text):
    name = f"{names('')}/{text}"
    expect.uploaded(server.put(name, DATA), name, DATA, status=201)
    assert server.has(name, DATA)
    assert server.status(name)["filename"] == name


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted_in_the_filename_field(server, names, text):
    name = f"{names('')}/{text}"
    response = form.post(
        server, form.part("filename", name), form.file(DATA)
    )
    expect.uploaded(response, name, DATA)
    assert server.has(name, DATA)


def test_1024_bytes(server, names):
    name = names("") + "/"
    name += "/".join(["a" * 200] * 5)
    name += "b" * (1024 - len(name))
    expect.uploaded(server.put(name, DATA), name, DATA, status=201)
    assert server.has(name, DATA)
    expect.error(server.put(name + "b", DATA), 400, "invalid_filename")


def test_names_are_normalised(server, names):
    top = names("")
    composed, decomposed = f"{top}/\u00e9", f"{top}/e\u0301"
    expect.uploaded(server.put(decomposed, DATA), composed, DATA, status=201)
    assert server.has(composed, DATA)
    assert server.has(decomposed, DATA)
    expect.uploaded(server.put(composed, b"2"), composed, b"2", status=200)
    response = server.form("x", b"3", {"filename": decomposed})
    expect.uploaded(response, composed, b"3")


def test_normalisation_may_not_pass_the_limit(server):
    # U+0958 decomposes for good: three bytes become six
    expect.error(server.put("\u0958" * 85, DATA), 400, "invalid_filename")


def test_an_encoded_slash_is_a_slash(server, names):
    top = names("")
    with server.raw() as raw:
        response = raw.ask("PUT", f"/upload/{top}%2Fa%2fb", body=DATA)
        expect.uploaded(response, f"{top}/a/b", DATA, status=201)
        response = raw.ask("GET", f"/download/{top}/a%2Fb")
        assert response.content == DATA
        response = raw.ask("GET", f"/status/{top}%2Fa/b")
        assert response.json()["filename"] == f"{top}/a/b"


def test_a_name_may_be_another_ones_folder(server, names):
    top = names("")
    expect.uploaded(server.put(top, b"1"), top, b"1", status=201)
    below = f"{top}/y"
    expect.uploaded(server.put(below, b"2"), below, b"2", status=201)
    deep = f"{top}/y/z"
    expect.uploaded(server.put(deep, b"3"), deep, b"3", status=201)
    assert server.has(top, b"1")
    assert server.has(below, b"2")
    assert server.has(deep, b"3")


def test_case_matters(server, names):
    top = names("")
    server.put(f"{top}/A", b"1")
    server.put(f"{top}/a", b"2")
    assert server.has(f"{top}/A", b"1")
    assert server.has(f"{top}/a", b"2")


def test_a_plus_in_a_path_is_a_plus(server, names):
    top = names("")
    with server.raw() as raw:
        response = raw.ask("PUT", f"/upload/{top}/a+b", body=DATA)
        expect.uploaded(response, f"{top}/a+b", DATA, status=201)


def test_names_of_routes_are_names(server, names):
    top = names("")
    for text in ("upload", "download/x", "status", "keys", "health"):
        name = f"{top}/{text}"
        expect.uploaded(server.put(name, DATA), name, DATA, status=201)
        assert server.has(name, DATA)


# the parameters of Content-Disposition -> the name, with @ for a unique text
DISPOSITIONS = [
    ('filename="@.txt"', "@.txt"),
    ("filename=@.txt", "@.txt"),
    ('filename="C:\\x\\@.txt"', "@.txt"),
    ('filename="\\\\host\\share\\@.txt"', "@.txt"),
    ('filename="dir/sub/@.txt"', "@.txt"),
    ('filename="/etc/@.txt"', "@.txt"),
    ('filename="../../@.txt"', "@.txt"),
    ('filename="a%22@%22.txt"', 'a"@".txt'),
    ('filename="@%41%2F%25.txt"', "@%41%2F%25.txt"),
    ('filename="@é.txt"', "@é.txt"),
    ("filename*=UTF-8''@%C3%A9.txt", "@é.txt"),
    ("filename*=utf-8'de'@%20x.txt", "@ x.txt"),
    ("filename=\"no.txt\"; filename*=UTF-8''@.txt", "@.txt"),
    ("filename*=UTF-8''@.txt; filename=\"no.txt\"", "@.txt"),
    ("filename*=UTF-8''..%2F..%2F@.txt", "@.txt"),
    ("filename*=UTF-8''C%3A%5Cx%5C@.txt", "@.txt"),
    ('filename="@;x=y.txt"', "@;x=y.txt"),
]


@pytest.mark.parametrize("parameters,expected", DISPOSITIONS)
def test_the_name_in_a_form(server, names, parameters, expected):
    unique = names("")
    disposition = 'form-data; name="file"; ' + parameters
    part = form.part("", DATA, disposition=disposition.replace("@", unique))
    name = expected.replace("@", unique)
    expect.uploaded(form.post(server, part), name, DATA)


@pytest.mark.parametrize("sent", ["a%0D%0Ab", "a%0Ab"])
def test_line_ends_in_a_form_are_decoded_and_refused(server, sent):
    response = form.post(server, form.file(DATA, sent))
    expect.error(response, 400, "invalid_filename")


@pytest.mark.parametrize(
    "value", ["UTF-8''%FF", "UTF-8''a%0", "UTF-8", "x'y", "KOI8-R''a"]
)
def test_a_bad_extended_name_is_not_stored_under_it(server, names, value):
    # refused, or the plain name is taken
    name = names()
    response = form.post(
        server,
        form.part(
            "",
            DATA,
            disposition=f'form-data; name="file"; filename="{name}";'
            f" filename*={value}",
        ),
    )
    if response.status_code == 200:
        assert response.json()["filename"] == name
    else:
        expect.error(response, 400)


def test_the_field_goes_before_both_and_is_taken_as_it_stands(server, names):
    name = f"{names('')}/a%2Fb%22.txt"
    response = form.post(
        server,
        form.part(
            "",
            DATA,
            disposition='form-data; name="file"; filename="no.txt";'
            " filename*=UTF-8''never.txt",
        ),
        form.part("filename", name),
    )
    expect.uploaded(response, name, DATA)
    assert server.has(name, DATA)


def test_the_query_names_a_form_too(server, names):
    name = f"{names('')}/x y.txt"
    path = f"/upload?filename={quote(name, safe='')}"
    response = form.post(server, form.file(DATA, "no.txt"), path=path)
    expect.uploaded(response, name, DATA)


def test_a_plus_in_the_query_of_an_upload(server, names):
    # in a query a plus stands for a space, as in every form
    name = names("")
    response = form.post(
        server, form.file(DATA), path=f"/upload?filename={name}+x%2By"
    )
    expect.uploaded(response, f"{name} x+y", DATA)
