# SPDX-License-Identifier: MIT
"""Downloads that a client has already: If-None-Match, If-Modified-Since."""

import email.utils
import random
from datetime import timedelta

import pytest

import expect

DATA = random.Random(30).randbytes(5000)
TAG = f'"{expect.sha256(DATA)}"'
NAME = "conditions-of-the-tests.bin"


@pytest.fixture(scope="module")
def modified(shared):
    shared.put(NAME, DATA)
    return shared.download(NAME).headers["Last-Modified"]


@pytest.fixture
def get(server, modified):
    def get_if(method="GET", **headers):
        fields = {k.replace("_", "-"): v for k, v in headers.items()}
        return server.ask(method, f"/download/{NAME}", headers=fields)

    return get_if


def not_modified(response):
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == TAG
    assert response.headers.get("Content-Length") in (None, str(len(DATA)))
    return True


def whole(response):
    assert response.status_code == 200
    assert response.content == DATA
    return True


@pytest.mark.parametrize(
    "value", [TAG, f"W/{TAG}", f'"x", {TAG}', f'"a,b",W/"c" ,{TAG}', "*"]
)
def test_the_client_has_it(get, value):
    assert not_modified(get(If_None_Match=value))
    assert not_modified(get("HEAD", If_None_Match=value))


@pytest.mark.parametrize(
    "value",
    ['"x"', f'"{"0" * 64}"', TAG.strip('"'), '"', "", f'"{TAG[1:9]}"', "x*"],
)
def test_the_client_has_something_else(get, value):
    assert whole(get(If_None_Match=value))


def shifted(date, seconds):
    moment = email.utils.parsedate_to_datetime(date)
    moment += timedelta(seconds=seconds)
    return email.utils.format_datetime(moment, usegmt=True)


def test_not_modified_since(get, modified):
    assert not_modified(get(If_Modified_Since=modified))
    assert not_modified(get(If_Modified_Since=shifted(modified, 1)))
    assert not_modified(get("HEAD", If_Modified_Since=modified))


def test_modified_since(get, modified):
    assert whole(get(If_Modified_Since=shifted(modified, -1)))
    assert whole(get(If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT"))


def test_the_old_forms_of_a_date(get, modified):
    moment = email.utils.parsedate_to_datetime(modified)
    asctime = f"{moment:%a %b} {moment.day:2d} {moment:%H:%M:%S %Y}"
    rfc850 = f"{moment:%A, %d-%b-%y %H:%M:%S} GMT"
    assert not_modified(get(If_Modified_Since=asctime))
    assert not_modified(get(If_Modified_Since=rfc850))


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "Thu, 99 Jan 2099 00:00:00 GMT",
        "Fri, 31 Dec 2100 23:59:59 EST",
        "1764000000",
        "2100-01-01T00:00:00Z",
    ],
)
def test_what_is_no_date_is_ignored(get, value):
    assert whole(get(If_Modified_Since=value))


def test_the_tag_goes_before_the_date(get, modified):
    assert whole(get(If_None_Match='"x"', If_Modified_Since=modified))
    old = shifted(modified, -100)
    assert not_modified(get(If_None_Match=TAG, If_Modified_Since=old))


def test_it_goes_before_a_range(get):
    assert not_modified(get(If_None_Match=TAG, Range="bytes=0-9"))
    response = get(If_None_Match='"x"', Range="bytes=0-9")
    assert response.status_code == 206


def test_after_a_replacement_the_tag_fits_no_more(server, name):
    server.put(name, b"1")
    tag = server.download(name).headers["ETag"]
    headers = {"If-None-Match": tag}
    assert server.download(name, headers=headers).status_code == 304
    server.put(name, b"2")
    response = server.download(name, headers=headers)
    assert (response.status_code, response.content) == (200, b"2")


@pytest.mark.parametrize(
    "field,status", [("If-None-Match", 304), ("If-Match", 200)]
)
def test_tags_in_two_fields_are_one_list(server, modified, field, status):
    for tags in ((TAG, '"a"'), ('"a"', TAG), ('"a", "b"', f'"c", {TAG}')):
        with server.raw() as raw:
            fields = [(field, tag) for tag in tags]
            answer = raw.ask("GET", f"/download/{NAME}", *fields)
            assert answer.status_code == status


def test_the_connection_goes_on_after_a_304(server, modified):
    with server.raw() as raw:
        for _ in range(3):
            response = raw.ask(
                "GET", f"/download/{NAME}", ("If-None-Match", TAG)
            )
            assert response.status_code == 304
        assert raw.ask("GET", f"/download/{NAME}").content == DATA
