# SPDX-License-Identifier: MIT
"""POST /upload"""

import itertools
import random

import pytest

import expect
import form

DATA = random.Random(1).randbytes(100_000)
SHA256 = expect.sha256(DATA)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080200000090"
    "7753de0000000c4944415408d763f8cfc0000003010100c9fe92ef000000"
    "0049454e44ae426082"
)


def test_a_file_goes_up_and_comes_down(server, name):
    answer = expect.uploaded(server.form(name, DATA), name, DATA)
    assert server.has(name, DATA)
    assert server.status(name)["id"] == answer["id"]


def test_without_options_the_priority_is_0(server, name):
    assert server.form(name, DATA).json()["priority"] == 0


def test_an_empty_file_is_a_file(server, name):
    answer = expect.uploaded(server.form(name, b""), name, b"")
    assert answer["size"] == 0
    assert server.has(name, b"")


@pytest.mark.parametrize("size", [1, 2, 65535, 65536, 65537, 1 << 20, 5 << 20])
def test_sizes(server, name, size):
    data = random.Random(size).randbytes(size)
    expect.uploaded(server.form(name, data), name, data)
    assert server.has(name, data)


def test_parts_in_any_order(server, names):
    for order in itertools.permutations(range(4)):
        name = names()
        parts = [
            form.file(DATA, "other.bin"),
            form.part("filename", name),
            form.part("priority", "7"),
            form.part("sha256", SHA256),
        ]
        response = form.post(server, *[parts[i] for i in order])
        answer = expect.uploaded(response, name, DATA)
        assert answer["priority"] == 7


def test_fields_that_come_after_the_file_count(server, name):
    response = form.post(
        server,
        form.file(DATA, "other.bin"),
        form.part("filename", name),
        form.part("client_id", "late"),
        form.part("priority", "10"),
        form.part("encryption", "no"),
        form.part("if_exists", "error"),
    )
    answer = expect.uploaded(response, name, DATA)
    assert answer["priority"] == 10
    status = server.status(name)
    assert (status["client_id"], status["priority"]) == ("late", 10)


def test_options_as_query_parameters(server, name):
    response = form.post(
        server,
        form.file(DATA, "other.bin"),
        path=f"/upload?filename={name}&priority=3&client_id=me"
        f"&sha256={SHA256}&encryption=false&if_exists=error",
    )
    answer = expect.uploaded(response, name, DATA)
    assert answer["priority"] == 3
    assert server.status(name)["client_id"] == "me"


def test_the_digest_may_be_in_upper_case(server, name):
    response = server.form(name, DATA, {"sha256": SHA256.upper()})
    expect.uploaded(response, name, DATA)


@pytest.mark.parametrize("where", ["before", "after", "query"])
def test_another_digest_than_expected(server, name, where):
    expect.uploaded(server.form(name, b"old"), name, b"old")
    wrong = SHA256[:-1] + ("0" if SHA256[-1] != "0" else "1")
    parts = [form.file(DATA, name)]
    path = "/upload"
    if where == "before":
        parts.insert(0, form.part("sha256", wrong))
    elif where == "after":
        parts.append(form.part("sha256", wrong))
    else:
        path += f"?sha256={wrong}"
    expect.error(form.post(server, *parts, path=path), 422, "hash_mismatch")
    assert server.has(name, b"old")
    status = server.status(name)
    assert status["status"] == "failed" and status["error"]


BAD_VALUES = [
    ("priority", "11"),
    ("priority", "-1"),
    ("priority", "1.5"),
    ("priority", "high"),
    ("priority", "0x1"),
    ("priority", "99999999999999999999"),
    ("priority", "4294967296"),
    ("encryption", "maybe"),
    ("encryption", "2"),
    ("sha256", "abc"),
    ("sha256", "g" * 64),
    ("sha256", SHA256 + "00"),
    ("if_exists", "ask"),
]


@pytest.mark.parametrize("where", ["before", "after", "query"])
@pytest.mark.parametrize("field,value", BAD_VALUES)
def test_bad_values(server, name, field, value, where):
    parts = [form.file(DATA, name)]
    path = "/upload"
    if where == "before":
        parts.insert(0, form.part(field, value))
    elif where == "after":
        parts.append(form.part(field, value))
    else:
        path += f"?{field}={value}"
    response = form.post(server, *parts, path=path)
    answer = expect.error(response, 400, "invalid_parameter")
    assert field in answer["error"]
    assert server.lacks(name)


@pytest.mark.parametrize("value", ["false", "0", "no", "off"])
def test_ways_to_say_that_it_is_not_encrypted(server, name, value):
    response = server.form(name, DATA, {"encryption": value})
    expect.uploaded(response, name, DATA)


def test_no_file_part(server):
    response = form.post(server, form.part("filename", "x"))
    expect.error(response, 400, "missing_file")


def test_a_form_without_parts(server):
    empty = f"--{form.BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": form.content_type()}
    response = server.post("/upload", data=empty, headers=headers)
    expect.error(response, 400, ("missing_file", "malformed_request"))


def test_a_file_part_without_any_name(server):
    response = form.post(server, form.part("file", DATA))
    expect.error(response, 400, ("invalid_filename", "missing_file"))


def test_a_file_part_named_by_the_field_alone(server, name):
    response = form.post(
        server, form.part("file", DATA), form.part("filename", name)
    )
    expect.uploaded(response, name, DATA)


def test_unknown_fields_do_no_harm(server, name):
    response = form.post(
        server,
        form.part("note", "hello"),
        form.file(DATA, name),
        form.part("MAX_FILE_SIZE", "1"),
    )
    expect.uploaded(response, name, DATA)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/x-www-form-urlencoded",
        "application/json",
        "text/plain; boundary=x",
        "multipart/mixed; boundary=x",
    ],
)
def test_what_is_no_form(server, name, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    path = f"/upload?filename={name}"
    response = server.post(path, data=b"file=abc", headers=headers)
    expect.error(response, (400, 415))
    assert server.lacks(name)


def test_no_body_at_all(server):
    with server.raw() as raw:
        expect.error(raw.ask("POST", "/upload", body=b""), (400, 415))


@pytest.mark.parametrize(
    "data,suffix,mime_type",
    [
        (PNG, ".bin", "image/png"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", ".txt", "application/pdf"),
        (b"Dear reader,\nthis is text.\n", ".txt", "text/plain"),
        (b"PK\x03\x04" + bytes(100), ".jpg", "application/zip"),
    ],
)
def test_the_type_comes_from_the_content(
    server, names, data, suffix, mime_type
):
    name = names(suffix)
    answer = expect.uploaded(server.form(name, data), name, data)
    assert answer["mime_type"].split(";")[0] == mime_type


def test_two_uploads_have_two_ids(server, name):
    first = server.form(name, DATA).json()["id"]
    second = server.form(name, DATA).json()["id"]
    assert first != second


def test_in_the_chunked_coding(server, name):
    def pieces():
        body = form.body(form.file(DATA, name))
        for i in range(0, len(body), 7000):
            yield body[i : i + 7000]

    response = server.post(
        "/upload",
        data=pieces(),
        headers={"Content-Type": form.content_type()},
    )
    expect.uploaded(response, name, DATA)
    assert server.has(name, DATA)


def test_the_answer_comes_on_a_connection_that_lives(server, name):
    body = form.body(form.file(DATA, name))
    fields = ("Content-Type", form.content_type())
    with server.raw() as raw:
        for _ in range(3):
            response = raw.ask("POST", "/upload", fields, body=body)
            expect.uploaded(response, name, DATA)
