# SPDX-License-Identifier: MIT
"""Downloads of encrypted files: as if they were plain, or the container; and
what happens to those that were altered in storage."""

import random
from http.client import IncompleteRead

import pytest

import expect
import sealed
from sftd import Sftd

KEY = b"0123456789abcdef"
SIZE = 5 * 65536 + 777
DATA = random.Random(7).randbytes(SIZE)
NAME = "sealed-of-the-tests.bin"
ETAG = f'"{expect.sha256(DATA)}"'


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    server = Sftd(tmp_path_factory.mktemp("keyed"),
                  {"ENCRYPTION_KEY": KEY.decode()}).start()
    response = server.put(NAME, DATA, "?encryption=true")
    expect.uploaded(response, NAME, DATA, status=201, encryption=True)
    yield server
    server.end()


# --- as if plain ---------------------------------------------------------------


def test_whole(keyed):
    response = keyed.download(NAME)
    assert response.status_code == 200
    assert response.content == DATA
    assert response.headers["Content-Length"] == str(SIZE)
    assert response.headers["ETag"] == ETAG
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Repr-Digest"] == expect.digest_field(DATA)
    assert "Last-Modified" in response.headers


def test_head(keyed):
    response = keyed.head(f"/download/{NAME}")
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(SIZE)
    assert response.headers["ETag"] == ETAG


RANGES = [(0, 0), (0, 65535), (65535, 65536), (65536, 65536), (1, SIZE - 2),
          (SIZE - 1, SIZE - 1), (5 * 65536 - 1, 5 * 65536), (0, SIZE - 1)]
RANGES += [
    tuple(sorted(random.Random(i).sample(range(SIZE), 2))) for i in range(40)
]


@pytest.mark.parametrize("first,last", RANGES)
def test_ranges(keyed, first, last):
    response = keyed.download(
        NAME, headers={"Range": f"bytes={first}-{last}"}
    )
    assert response.status_code == 206
    assert response.content == DATA[first : last + 1]
    assert response.headers["Content-Length"] == str(last - first + 1)
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"


def test_suffix_and_beyond(keyed):
    response = keyed.download(NAME, headers={"Range": "bytes=-70000"})
    assert response.content == DATA[-70000:]
    response = keyed.download(NAME, headers={"Range": f"bytes={SIZE}-"})
    expect.error(response, 416, "range_not_satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


def test_conditions(keyed):
    get = keyed.download
    assert get(NAME, headers={"If-None-Match": ETAG}).status_code == 304
    part = {"Range": "bytes=0-9"}
    response = get(NAME, headers={**part, "If-Range": ETAG})
    assert (response.status_code, response.content) == (206, DATA[:10])
    response = get(NAME, headers={**part, "If-Range": '"other"'})
    assert (response.status_code, response.content) == (200, DATA)


def test_many_at_once_and_slowly(keyed):
    """Answers that are read a little at a time."""
    with keyed.session() as session:
        answers = [
            session.get(f"{keyed.url}/download/{NAME}", stream=True)
            for _ in range(8)
        ]
        bodies = [b""] * len(answers)
        streams = [a.iter_content(10_007) for a in answers]
        while any(len(b) < SIZE for b in bodies):
            for i, stream in enumerate(streams):
                bodies[i] += next(stream, b"")
        assert all(b == DATA for b in bodies)


# --- the container ---------------------------------------------------------------


def raw(server, **options):
    headers = {**server.as_admin, **options.pop("headers", {})}
    return server.get(
        f"/download/{NAME}?decrypt=false", headers=headers, **options
    )


def test_the_container(keyed):
    stored = sealed.object_of(keyed, NAME).read_bytes()
    response = raw(keyed)
    assert response.status_code == 200
    assert response.content == stored
    assert sealed.read(response.content, KEY) == DATA
    assert response.headers["Content-Length"] == str(len(stored))
    tag = response.headers["ETag"]
    assert tag.startswith('"') and tag != ETAG
    assert "Repr-Digest" not in response.headers
    for first, last in [(0, 0), (10, 79), (79, 80), (0, 200), (80, 81),
                        (100, 70_000), (len(stored) - 1, len(stored) - 1)]:
        part = {"Range": f"bytes={first}-{last}"}
        response = raw(keyed, headers={**part, "If-Range": tag})
        assert response.status_code == 206
        assert response.content == stored[first : last + 1]
    assert raw(keyed, headers={"If-None-Match": tag}).status_code == 304
    head = keyed.head(
        f"/download/{NAME}?decrypt=false", headers=keyed.as_admin
    )
    assert head.headers["Content-Length"] == str(len(stored))
    assert head.headers["ETag"] == tag


def test_the_container_needs_a_key_that_may_read(keyed):
    path = f"/download/{NAME}?decrypt=false"
    response = keyed.get(path)
    expect.error(response, 401)
    assert "WWW-Authenticate" in response.headers
    made = keyed.post(
        "/generate_key", json={"name": "w", "scopes": ["write"]},
        headers=keyed.as_admin,
    ).json()
    response = keyed.get(path, headers={"X-API-Key": made["api_key"]})
    expect.error(response, 403)
    made = keyed.post(
        "/generate_key", json={"name": "r", "scopes": ["read"]},
        headers=keyed.as_admin,
    ).json()
    response = keyed.get(path, headers={"X-API-Key": made["api_key"]})
    assert response.status_code == 200


def test_for_plain_files_it_changes_nothing(keyed, name):
    keyed.put(name, DATA)
    for query in ("", "?decrypt=false", "?decrypt=true"):
        response = keyed.get(f"/download/{name}{query}")
        assert response.content == DATA
        assert response.headers["ETag"] == ETAG
    expect.error(
        keyed.get(f"/download/{name}?decrypt=maybe"), 400,
        "invalid_parameter",
    )


def test_a_form_that_never_said_it_is_plain_to_readers(keyed, name):
    """Also while it still lies sealed."""
    big = DATA * 5
    keyed.form(name, big)
    for query in ("", "?decrypt=false"):
        response = keyed.get(f"/download/{name}{query}")
        assert response.content == big
        assert response.headers["ETag"] == f'"{expect.sha256(big)}"'


# --- altered ---------------------------------------------------------------------

SEGMENTS = 6


def at(segment, offset=0):
    return sealed.HEADER + segment * sealed.STEP + offset


def other_container():
    return sealed.write(random.Random(8).randbytes(SIZE), KEY)


# What is altered: (how, the first segment that is no good).
ALTERED = {
    "magic": (lambda c: sealed.flip(c, 0), 0),
    "version": (lambda c: sealed.replace(c, 8, b"\x02"), 0),
    "suite": (lambda c: sealed.replace(c, 9, b"\x02"), 0),
    "reserved": (lambda c: sealed.replace(c, 10, b"\x01"), 0),
    "segment size": (lambda c: sealed.replace(c, 13, b"\x02"), 0),
    "wrap nonce": (lambda c: sealed.flip(c, 40), 0),
    "wrapped key": (lambda c: sealed.flip(c, 50), 0),
    "wrap tag": (lambda c: sealed.flip(c, 70), 0),
    "header of another": (lambda c: other_container()[:80] + c[80:], 0),
    "all cut off": (lambda c: b"", 0),
    "header alone": (lambda c: c[:80], 0),
    "half a header": (lambda c: c[:33], 0),
    "swapped": (lambda c: sealed.swap(c, 2, 4), 2),
    "repeated": (
        lambda c: sealed.replace(c, at(3), sealed.segment(c, 1)), 3),
    "left out": (lambda c: c[: at(2)] + c[at(3) :], 2),
    "last cut off": (lambda c: c[: at(5)], 5),
    "one byte cut off": (lambda c: c[:-1], 5),
    "one byte more": (lambda c: c + b"x", 5),
    "a segment more": (lambda c: c + sealed.segment(c, 1), 5),
    "of another file": (
        lambda c: sealed.replace(
            c, at(1), sealed.segment(other_container(), 1)), 1),
}
for _i in range(SEGMENTS):
    ALTERED[f"nonce {_i}"] = (lambda c, i=_i: sealed.flip(c, at(i, 3)), _i)
    ALTERED[f"text {_i}"] = (lambda c, i=_i: sealed.flip(c, at(i, 500)), _i)
ALTERED["tag 0"] = (lambda c: sealed.flip(c, at(1) - 1), 0)
ALTERED["tag 5"] = (lambda c: sealed.flip(c, len(c) - 1), 5)


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    """(server, path of the object, its content)."""
    server = Sftd(tmp_path_factory.mktemp("victim"),
                  {"ENCRYPTION_KEY": KEY.decode()}).start()
    server.put(NAME, DATA, "?encryption=true")
    path = sealed.object_of(server, NAME)
    yield server, path, path.read_bytes()
    server.end()


def fetch(server, **headers):
    """(status, body as far as it came, was it whole, headers)"""
    with server.session() as session:
        answer = session.get(
            f"{server.url}/download/{NAME}", headers=headers, stream=True,
            timeout=60,
        )
        body, whole = b"", True
        try:
            for piece in answer.raw.stream(65536, decode_content=False):
                body += piece
        except Exception as e:  # whatever urllib3 makes of a short answer
            assert isinstance(
                getattr(e, "args", [None])[-1], (IncompleteRead, OSError)
            ) or "IncompleteRead" in repr(e), repr(e)
            whole = False
        length = int(answer.headers["Content-Length"])
        if len(body) < length:
            whole = False
        return answer, body, whole


@pytest.mark.parametrize("how", ALTERED)
def test_altered(victim, how):
    server, path, content = victim
    alter, first_bad = ALTERED[how]
    altered = alter(content)
    assert altered != content
    with pytest.raises(ValueError):
        assert sealed.read(altered, KEY) == DATA
        raise AssertionError("not altered")
    sealed.overwrite(path, altered)
    try:
        answer, body, whole = fetch(server)
        if first_bad == 0:
            assert answer.status_code == 500
            assert answer.headers["Content-Type"] == "application/json"
            assert b'"decryption_failed"' in body
            return
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == str(SIZE)
        assert not whole
        # All that is sound, and not a byte more.
        assert body == DATA[: first_bad * 65536]
        # A range that begins in it.
        answer, body, whole = fetch(
            server, Range=f"bytes={first_bad * 65536 + 5}-"
        )
        assert answer.status_code == 500
        assert b'"decryption_failed"' in body
        # One before it.
        answer, body, whole = fetch(
            server, Range=f"bytes=10-{first_bad * 65536 - 1}"
        )
        assert (answer.status_code, whole) == (206, True)
        assert body == DATA[10 : first_bad * 65536]
    finally:
        sealed.overwrite(path, content)
    answer, body, whole = fetch(server)
    assert (answer.status_code, body, whole) == (200, DATA, True)


def test_what_another_program_wrote_is_read(victim):
    server, path, content = victim
    theirs = sealed.write(DATA, KEY)
    sealed.overwrite(path, theirs)
    try:
        answer, body, whole = fetch(server)
        assert (answer.status_code, body, whole) == (200, DATA, True)
    finally:
        sealed.overwrite(path, content)


def test_a_container_sealed_under_another_key(victim):
    server, path, content = victim
    sealed.overwrite(path, sealed.write(DATA, b"another key 4567"))
    try:
        answer, body, _ = fetch(server)
        assert answer.status_code == 500
        assert b'"decryption_failed"' in body
        wanted = sealed.key_id(b"another key 4567").hex()
        expect.until(lambda: wanted in server.log.text())
        assert wanted.encode() not in body
    finally:
        sealed.overwrite(path, content)
