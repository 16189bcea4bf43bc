# SPDX-License-Identifier: MIT
"""GET and HEAD /download/<filename>"""

import email.utils
import random
import re
import threading
from urllib.parse import quote, unquote

import pytest

import expect

DATA = random.Random(10).randbytes(150_000)


def test_the_fields(server, name):
    server.put(name, DATA)
    response = server.download(name)
    assert response.status_code == 200
    assert response.content == DATA
    fields = response.headers
    assert fields["Content-Length"] == str(len(DATA))
    assert fields["ETag"] == f'"{expect.sha256(DATA)}"'
    assert fields["Accept-Ranges"] == "bytes"
    assert fields["Repr-Digest"] == expect.digest_field(DATA)
    assert fields["X-Content-Type-Options"] == "nosniff"
    policy = fields["Content-Security-Policy"]
    assert "sandbox" in policy and "allow-scripts" not in policy
    assert fields["Content-Disposition"].startswith("attachment")
    modified = email.utils.parsedate_to_datetime(fields["Last-Modified"])
    sent = email.utils.parsedate_to_datetime(fields["Date"])
    assert abs((sent - modified).total_seconds()) < 120
    assert fields["Last-Modified"].endswith(" GMT")


def test_head_has_the_same_fields_and_no_body(server, name):
    server.put(name, DATA)
    with server.raw() as raw:
        get = raw.ask("GET", f"/download/{name}")
        head = raw.ask("HEAD", f"/download/{name}")
        assert head.status_code == 200

        def compared(response):
            return {
                k.lower(): v
                for k, v in response.headers.items()
                if k.lower() not in ("date", "x-request-id")
            }

        assert compared(head) == compared(get)
        assert raw.ask("GET", "/health").status_code == 200


def test_an_empty_file(server, name):
    server.put(name, b"")
    response = server.download(name)
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["Content-Length"] == "0"
    assert response.headers["ETag"] == f'"{expect.sha256(b"")}"'


def test_a_file_that_is_not_there(server, name):
    expect.error(server.download(name), 404, "file_not_found")
    assert server.head(f"/download/{name}").status_code == 404


def test_a_folder_is_no_file(server, names):
    top = names("")
    server.put(f"{top}/a", DATA)
    expect.error(server.download(top), 404, "file_not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("value", ["true", "false", "1", "0"])
def test_decrypt_changes_nothing_for_plain_files(server, name, value, method):
    server.put(name, DATA)
    response = server.ask(method, f"/download/{name}?decrypt={value}")
    assert response.status_code == 200
    assert response.headers["ETag"] == f'"{expect.sha256(DATA)}"'
    if method == "GET":
        assert response.content == DATA


def test_decrypt_has_two_values(server, name):
    server.put(name, DATA)
    response = server.get(f"/download/{name}?decrypt=maybe")
    expect.error(response, 400, "invalid_parameter")


@pytest.mark.parametrize(
    "segment",
    [
        "plain.txt",
        "two words.txt",
        "Grüße.txt",
        "日本語.txt",
        'q"uo"te.txt',
        "semi;colon=x, comma.txt",
        "it's (1) 100%.txt",
        "percent%22.txt",
        "a*b.txt",
        "<script>alert(1).html",
    ],
)
def test_the_disposition_names_the_last_segment(server, names, segment):
    name = f"{names('')}/{segment}"
    server.put(name, DATA)
    with server.raw() as raw:
        response = raw.ask("GET", f"/download/{quote(name)}")
    field = response.headers["Content-Disposition"]
    kind, *rest = field.split(";", 1)
    assert kind.strip() == "attachment"
    found = re.search(r"filename\*=(?:UTF-8|utf-8)''([^;]*)$", field)
    if found is None:  # a plain name needs no more than filename=
        found = re.search(r'filename="?([A-Za-z0-9._-]+)"?$', field)
        assert found, field
        assert found.group(1) == segment
    else:
        # RFC 8187: what is no attr-char is percent-encoded
        assert re.match(r"^[A-Za-z0-9!#$&+.^_`|~%-]+$", found.group(1)), field
        assert unquote(found.group(1)) == segment
    assert field.isascii()
    # what old clients read is one well-formed string, never another name
    plain = re.search(r'filename="((?:[^"\\]|\\.)*)"', field)
    assert plain is None or "/" not in plain.group(1)


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    ],
)
def test_active_content_is_not_shown_in_place(server, names, data):
    name = names(".html")
    server.put(name, data)
    fields = server.download(name).headers
    assert fields["Content-Disposition"].startswith("attachment")
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in fields["Content-Security-Policy"]


def test_the_type_is_that_of_the_upload(server, names):
    name = names(".bin")
    answer = server.put(name, b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n").json()
    sent = server.download(name).headers["Content-Type"]
    assert sent.split(";")[0] == answer["mime_type"].split(";")[0]


def test_last_modified_moves_when_it_is_replaced(server, name):
    server.put(name, b"1")
    before = server.download(name).headers["Last-Modified"]

    def moved():
        server.put(name, b"2")
        return server.download(name).headers["Last-Modified"] != before

    expect.until(moved)


def test_a_large_file_in_small_reads(server, name):
    data = random.Random(11).randbytes(12 << 20)
    server.put(name, data)
    with server.raw(receive_buffer=8192) as raw:
        response = raw.ask("GET", f"/download/{name}")
        assert response.content == data


def test_pipelined_downloads(server, names):
    files = {names(): random.Random(i).randbytes(70_000) for i in range(6)}
    for name, data in files.items():
        server.put(name, data)
    with server.raw() as raw:
        for name in files:
            raw.request("GET", f"/download/{name}")
        for data in files.values():
            assert raw.response().content == data


def test_a_client_that_leaves_harms_nobody(server, name):
    data = random.Random(12).randbytes(8 << 20)
    server.put(name, data)
    for way in ("close", "reset"):
        raw = server.raw(receive_buffer=8192)
        raw.request("GET", f"/download/{name}")
        assert raw.response_head().status_code == 200
        raw.read(1000)
        getattr(raw, way)()
    assert server.has(name, data)


@pytest.mark.tsan
def test_many_at_once(server, name):
    data = random.Random(13).randbytes(3 << 20)
    server.put(name, data)
    bad = []

    def download():
        if server.download(name).content != data:
            bad.append(1)

    threads = [threading.Thread(target=download) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad
