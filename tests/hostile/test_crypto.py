# SPDX-License-Identifier: MIT
"""Encrypted files in the hands of somebody who has the disk, or the logs, or
a look at the processes."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import requests

import expect
import form
import images
import sealed
from chunks import Upload, completed, content, good
from raw import head
from sftd import SANITIZERS, children, program
from survival import works
from tus import begin, hang, offset, patch

KEY = b"0123456789abcdef"
MARK = b"the-plaintext-that-no-disk-may-see-"
STEP = sealed.SEGMENT


@pytest.fixture
def keyed(start):
    return start(ENCRYPTION_KEY=KEY.decode())


def nonces(stored):
    """Of all segments of a container, or of a part of one without its head."""
    at = range(sealed.HEADER, len(stored), sealed.STEP)
    return [stored[i : i + 16] for i in at]


def marked(n):
    return (MARK * (n // len(MARK) + 1))[:n]


# --- nonces ------------------------------------------------------------------


def hanging_chunk(server, up, number, data):
    """A chunk whose body does not come to its end."""
    fields = [form.part(k, v) for k, v in up.fields_of(number).items()]
    body = form.body(*fields, form.part("chunk", data + b"more", "blob"))
    kind = ("Content-Type", form.content_type())
    raw = server.raw()
    lines = head("POST", "/upload_chunk", kind, ("Content-Length", len(body)))
    raw.send(lines + body[: body.index(data) + len(data)])
    return raw


def written(server, up, number):
    """What lies in the places of a chunk's first two segments, if it does."""
    (path,) = (server.storage / "temp").iterdir()
    found = nonces(path.read_bytes())[2 * number : 2 * number + 2]
    return [n for n in found if len(n) == 16 and any(n)]


def test_nonce_reuse_when_a_chunk_is_sent_again(keyed):
    """A chunk is broken off, and sent again with other bytes, four times:
    under one data key no nonce serves twice."""
    # Fails with the segment's number as its nonce: in crypto/seal.c, in place
    # of rand_bytes().
    pieces = [content(2 * STEP, i) for i in range(2)] + [b"end"]
    up = Upload(keyed, "a", pieces, encryption="true")
    good(up.send(0))
    seen = written(keyed, up, 0)
    for i in range(4):
        before = written(keyed, up, 1)
        with hanging_chunk(keyed, up, 1, content(2 * STEP, f"x{i}")) as raw:
            now = expect.until(
                lambda old=before: different(written(keyed, up, 1), old)
            )
            raw.reset()
        seen += now
    good(up.send(1))
    completed(up.send(2), up)
    seen += nonces(sealed.object_of(keyed, "a").read_bytes())[2:]
    assert len(seen) >= 8 and len(set(seen)) == len(seen)
    assert works(keyed)


def different(now, before):
    """Those that were not there before, if any: the others may still come."""
    return [n for n in now if n not in before]


def test_equal_segments_are_not_told_apart(keyed):
    """Zeros, in one file and in two, look like anything else on the disk."""
    # Fails with the segment's number as its nonce: in crypto/seal.c, in place
    # of rand_bytes().
    segments = []
    for name in ("a", "b"):
        assert keyed.put(name, bytes(4 * STEP), "?encryption=true").ok
        stored = sealed.object_of(keyed, name).read_bytes()
        segments += [sealed.segment(stored, i)[16:] for i in range(4)]
        segments += nonces(stored)
    assert len(set(segments)) == len(segments)
    assert works(keyed)


# --- altered on the disk -----------------------------------------------------

DATA = content(5 * STEP + 777)


def other_of(stored):
    return sealed.write(DATA, KEY)


ALTERED = {
    "swapped": (lambda c: sealed.swap(c, 2, 4), 2),
    "repeated": (
        lambda c: sealed.replace(
            c, sealed.HEADER + 3 * sealed.STEP, sealed.segment(c, 1)
        ),
        3,
    ),
    "truncated": (lambda c: c[: sealed.HEADER + 5 * sealed.STEP], 5),
    "truncated within": (lambda c: c[:-1], 5),
    "longer": (lambda c: c + sealed.segment(c, 1), 5),
    "spliced": (
        lambda c: sealed.replace(
            c,
            sealed.HEADER + sealed.STEP,
            sealed.segment(other_of(c), 1),
        ),
        1,
    ),
    "spliced behind its head": (
        lambda c: c[: sealed.HEADER] + other_of(c)[sealed.HEADER :],
        0,
    ),
    "one bit in a tag": (
        lambda c: sealed.flip(c, sealed.HEADER + 3 * sealed.STEP - 1),
        2,
    ),
}


def read_until_it_ends(server, path, **fields):
    """(status, bytes as far as they came, were they all)"""
    with requests.Session() as session:
        session.trust_env = False
        got = session.get(
            server.url + path, headers=fields, stream=True, timeout=60
        )
        body = b""
        try:
            while piece := got.raw.read(4096):
                body += piece
        except Exception as e:  # what urllib3 makes of an end too early
            assert "IncompleteRead" in repr(e) or "reset" in repr(e), repr(e)
            return got, body, False
        length = got.headers.get("Content-Length")
        return got, body, length is None or len(body) == int(length)


@pytest.mark.parametrize("case", ALTERED)
def test_swapped_repeated_truncated_and_spliced_segments(keyed, case):
    """A container is altered on the disk: what comes is a part of the file up
    to the first bad segment, and no end that looks well."""
    # Fails without the number and the mark of the last one in a segment's
    # header (crypto/seal.c), and without the look at the tag for one bit.
    assert keyed.put("a", DATA, "?encryption=true").ok
    path = sealed.object_of(keyed, "a")
    alter, n_good = ALTERED[case]
    sealed.overwrite(path, alter(path.read_bytes()))
    got, body, is_whole = read_until_it_ends(keyed, "/download/a")
    if n_good == 0:
        expect.error(keyed.download("a"), 500, "decryption_failed")
    else:
        assert not is_whole
        assert body == DATA[: n_good * STEP]
    # nor does a part of it, or an archive
    first = f"bytes={n_good * STEP}-"
    got, body, is_whole = read_until_it_ends(
        keyed, "/download/a", Range=first
    )
    assert got.status_code == 500 or (not is_whole and body == b"")
    got, body, is_whole = read_until_it_ends(
        keyed, "/download_batch?file=a", **keyed.as_admin
    )
    assert got.status_code >= 400 or not is_whole
    assert works(keyed)


def test_bytes_released_before_their_tag_is_checked(keyed):
    """The last byte of a segment's tag is altered: not one byte of that
    segment leaves the server, whole, in ranges, or in a preview."""
    # Fails when crypto/seal_source.c gives out what it decrypted whatever the
    # tag.
    assert keyed.put("a", DATA, "?encryption=true").ok
    path = sealed.object_of(keyed, "a")
    end = sealed.HEADER + 2 * sealed.STEP
    sealed.overwrite(path, sealed.flip(path.read_bytes(), end - 1))
    for first, last, n_good in (
        (0, len(DATA) - 1, STEP),
        (STEP, STEP, 0),
        (STEP, 2 * STEP - 1, 0),
        (STEP - 1, STEP, 1),
        (2 * STEP - 1, 2 * STEP + 10, 0),
        (2 * STEP - 1, 2 * STEP - 1, 0),
    ):
        got, body, is_whole = read_until_it_ends(
            keyed, "/download/a", Range=f"bytes={first}-{last}"
        )
        if got.status_code == 500:
            assert b"decryption_failed" in body
            continue
        assert not is_whole
        assert len(body) <= n_good, (first, last)
        assert body == DATA[first : first + len(body)]
    # what is sound is still there
    got = keyed.download("a", headers={"Range": f"bytes={2 * STEP}-"})
    assert got.content == DATA[2 * STEP :]
    assert works(keyed)


# --- plaintext ---------------------------------------------------------------


def places_with(server, *secrets):
    found = []
    for path in server.place.rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            found += [str(path) for s in secrets if s in text]
    return found


def test_plaintext_in_temporary_files(keyed):
    """While each kind of encrypted upload is under way, after the server was
    killed, and when it is done."""
    # Fails with REC_PLAIN in place of REC_SEALED in engine/append.c.
    data = marked(600_000)
    url = begin(keyed, len(data), filename="tus", encryption="true")
    raw = hang(keyed, url, 0, len(data), data[:400_001])
    up = Upload(
        keyed, "chunks", [data[:300_000], data[300_000:]], encryption="true"
    )
    good(up.send(1))
    expect.until(
        lambda: keyed.status("tus")["transferred_bytes"] >= 400_001
    )
    assert len(keyed.files_below("temp")) >= 2
    assert places_with(keyed, MARK) == []
    keyed.kill()
    raw.close()
    assert places_with(keyed, MARK) == []
    keyed.start()
    at = offset(keyed, url)
    assert patch(keyed, url, at, data[at:]).status_code == 204
    up.server = keyed
    completed(up.send(0), up)
    assert keyed.has("tus", data)
    assert keyed.form("form", data, {"encryption": "true"}).ok
    assert places_with(keyed, MARK) == []
    assert works(keyed)


def test_plaintext_in_previews(keyed):
    """A preview of an encrypted image lies on the disk as the image does."""
    # Fails when engine/preview_store.c keeps the preview of a sealed file
    # as it is.
    for name, query in (("secret", "?encryption=true"), ("public", "")):
        assert keyed.put(f"{name}.jpg", images.jpeg(), query).ok
        got = keyed.get(f"/thumbnail/{name}.jpg")
        assert images.shows_quarters(images.opened(got.content))
    # One lies plain, that of the plain image; the other does not.
    thumbs = [
        (keyed.storage / p).read_bytes() for p in keyed.files_below("thumbs")
    ]
    assert len(thumbs) >= 2
    assert sum(b"\xff\xd8\xff" in t for t in thumbs) == 1
    assert works(keyed)


def test_plaintext_in_logs(start):
    """At the most talkative level: neither content, nor fields of forms, nor
    what an image says of itself."""
    # There is no defence to take away: nothing logs content.
    own = start(LOG_LEVEL="debug", ENCRYPTION_KEY=KEY.decode())
    exif = images.Image.Exif()
    exif[images.DESCRIPTION] = MARK.decode()
    picture = images.saved(images.quarters(), "JPEG", exif=exif)
    assert own.put("a.jpg", picture, "?encryption=true").ok
    own.get("/thumbnail/a.jpg")
    own.form("b", marked(100_000), {"encryption": "true", "x": MARK.decode()})
    own.download("b", headers={"Cookie": MARK.decode()})
    own.post("/upload", data=MARK * 10)
    assert works(own)
    own.stop()
    assert MARK.decode() not in own.log.text()


def test_core_dumps(keyed):
    """A server that dies leaves no core, and nobody else may look into it."""
    # Fails without secrecy_no_dumps() in sftd/main.c.
    keyed.may_restart = True
    for pid in (keyed.process.pid, keyed.child):
        limits = Path("/proc", str(pid), "limits").read_text()
        (line,) = [x for x in limits.splitlines() if "core file" in x]
        assert line.split()[4:6] == ["0", "0"], line
    keyed.put("a", marked(100_000), "?encryption=true")
    was = keyed.child
    os.kill(was, signal.SIGABRT)

    def again():
        pid = keyed.server_pid()
        return pid if pid != was else None

    keyed.child = expect.until(again)
    expect.until(lambda: keyed.get("/health").status_code == 200)
    assert not list(keyed.place.rglob("core*"))
    assert works(keyed)


def test_decoders_hold_no_keys(keyed):
    """The processes that read images know neither keys nor other files."""
    # Fails without the empty environment that engine/decoder.c gives them.
    assert keyed.put("a.jpg", images.jpeg(), "?encryption=true").ok
    assert keyed.get("/thumbnail/a.jpg").ok
    decoders = children(keyed.child)
    assert decoders
    for pid in decoders:
        place = Path("/proc", str(pid))
        for part in ("environ", "cmdline"):
            try:
                text = (place / part).read_bytes()
            except OSError:
                continue  # not even to be looked at
            assert KEY not in text and b"admin" not in text.lower()
    assert works(keyed)


# --- keys --------------------------------------------------------------------

SECRETS = ("sixteen-secrets!", "other-secret-16b", "admin-secret-0123456789")


def secret_settings():
    return {
        "ENCRYPTION_KEY": SECRETS[0],
        "ENCRYPTION_KEY_PREVIOUS": SECRETS[1],
        "ADMIN_API_KEY": SECRETS[2],
    }


def test_keys_in_logs(start):
    """At the most talkative level, in good requests and bad, and in what is
    said of settings that are wrong."""
    # Fails with the value of a secret setting in what base/settings.c says of
    # one that is wrong.
    own = start(LOG_LEVEL="debug", **secret_settings())
    made = own.post("/generate_key", json={}, headers=own.as_admin).json()
    key = made["api_key"]
    own.put("a", b"x", headers={"X-API-Key": key})
    own.put("a", b"x", headers={"X-API-Key": key[:-1]})
    own.get(f"/files?api_key={key}", headers={"Authorization": f"Basic {key}"})
    with own.raw() as raw:
        raw.send(f"GET /x HTTP/1.1\r\nX-API-Key: {key}\r\n y\r\n\r\n".encode())
        raw.read_to_end()
    assert works(own)
    own.stop()
    text = own.log.text()
    for secret in (*SECRETS, key[:-1]):
        assert secret not in text
    assert places_with(own, key.encode(), SECRETS[0].encode()) == []
    for name in secret_settings():
        done = run(start, **{name: "too-short"})
        assert "too-short" not in done.stdout + done.stderr
        assert done.returncode != 0


def run(start, *arguments, **settings):
    """The program with settings and without a server's place."""
    env = {k: os.environ[k] for k in SANITIZERS if k in os.environ}
    return subprocess.run(
        [program(), *arguments],
        env={**env, "PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )


def test_keys_in_print_config(start):
    """--print-config with all secrets set, by environment and by option."""
    # Fails without the mask in base/settings_text.c.
    for arguments, settings in (
        ((), secret_settings()),
        ((f"--encryption-key={SECRETS[0]}",), {}),
        ((f"--admin-api-key={SECRETS[2]}",), {}),
    ):
        done = run(start, "--print-config", *arguments, **settings)
        assert done.returncode == 0, done.stderr
        assert "ENCRYPTION_KEY" in done.stdout
        for secret in SECRETS:
            assert secret not in done.stdout + done.stderr


def test_keys_in_the_process_list(start):
    """Keys given as options do not stay among the arguments, nor in the
    environment that others may read, nor go to the server's child."""
    # Fails without what take_option() in base/settings.c overwrites in argv.
    own = start(
        arguments=(
            f"--encryption-key={SECRETS[0]}",
            f"--admin-api-key={SECRETS[2]}",
        ),
        ADMIN_API_KEY=None,
    )
    own.admin_key, own.as_admin = SECRETS[2], {"X-API-Key": SECRETS[2]}
    assert own.get("/keys", headers=own.as_admin).status_code == 200
    for pid in (own.process.pid, own.child):
        for part in ("cmdline", "environ"):
            text = Path("/proc", str(pid), part).read_bytes()
            for secret in SECRETS:
                assert secret.encode() not in text, (pid, part)
    assert works(own)
