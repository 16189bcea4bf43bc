# SPDX-License-Identifier: MIT
"""Uploads with encryption=true: what comes is what another program reads
out of the stored container, and its plaintext is nowhere else."""

import base64
import os
import random

import pytest

import expect
import form
import sealed
from raw import head
from sftd import ROOT, Sftd

KEY = b"0123456789abcdef"
SIZES = [0, 1, 65535, 65536, 65537, 458751, 458752, 458753, 524288, 1048576,
         1048577, 3_145_735]
MARK = b"the-plaintext-that-no-disk-may-see-"


def data_of(size):
    return random.Random(size).randbytes(size)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A server with a key that the tests know, for the whole module."""
    server = Sftd(tmp_path_factory.mktemp("keyed"),
                  {"ENCRYPTION_KEY": KEY.decode()}).start()
    yield server
    server.end()


def stored(server, name):
    return sealed.object_of(server, name).read_bytes()


ORDERS = {
    "before": ([("encryption", "true")], "", []),
    "after": ([], "", [("encryption", "yes")]),
    "query": ([], "?encryption=on", []),
    "twice": ([("encryption", "1")], "", [("encryption", "true")]),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", SIZES)
def test_forms_in_every_order(keyed, name, size, order):
    data = data_of(size)
    before, query, after = ORDERS[order]
    response = form.post(
        keyed,
        *[form.part(*p) for p in before],
        form.file(data, name),
        *[form.part(*p) for p in after],
        path="/upload" + query,
    )
    expect.uploaded(response, name, data, encryption=True)
    assert sealed.read(stored(keyed, name), KEY) == data
    assert keyed.has(name, data)
    assert keyed.status(name)["encryption"] is True


@pytest.mark.parametrize("size", SIZES)
def test_put(keyed, name, size):
    data = data_of(size)
    response = keyed.put(name, data, "?encryption=true")
    expect.uploaded(response, name, data, status=201, encryption=True)
    assert sealed.read(stored(keyed, name), KEY) == data
    assert keyed.has(name, data)


def test_a_slow_client_and_chunked_coding(keyed, name):
    data = data_of(300_001)

    def pieces():
        for at in range(0, len(data), 7001):
            yield data[at : at + 7001]

    response = keyed.put(name, pieces(), "?encryption=true")
    expect.uploaded(response, name, data, status=201, encryption=True)
    assert sealed.read(stored(keyed, name), KEY) == data


def test_nothing_is_sealed_alike_twice(keyed, names):
    data = data_of(70_000)
    seen = set()
    for name in (names(), names()):
        keyed.put(name, data, "?encryption=true")
        c = stored(keyed, name)
        parts = [c[32:48], c[48:64], c[80:96], c[65648:65664], c[96:112]]
        seen.update(parts)
    assert len(seen) == 10


@pytest.mark.parametrize("size", [0, 70_000, 1_048_576, 1_048_577, 3_000_000])
def test_a_form_that_never_says_it_is_plain_in_the_end(keyed, name, size):
    data = data_of(size)
    response = form.post(keyed, form.file(data, name))
    expect.uploaded(response, name, data)
    assert keyed.has(name, data)
    # at once when it is small, else when nothing else goes on
    expect.until(lambda: stored(keyed, name) == data)
    assert keyed.has(name, data)
    assert keyed.status(name)["encryption"] is False


@pytest.mark.parametrize("values", [("true", "false"), ("no", "yes")])
def test_yes_and_no_in_one_form(keyed, name, values):
    first, second = values
    response = form.post(
        keyed,
        form.part("encryption", first),
        form.file(b"data", name),
        form.part("encryption", second),
    )
    expect.error(response, 400, "invalid_parameter")
    assert keyed.lacks(name)


@pytest.mark.parametrize("value", ["", "maybe", "2", "truee"])
def test_bad_values(keyed, name, value):
    response = form.post(
        keyed, form.file(b"data", name), form.part("encryption", value)
    )
    expect.error(response, 400, "invalid_parameter")
    assert keyed.lacks(name)


def test_a_wrong_hash_leaves_nothing(keyed, name):
    before = keyed.files_below("objects")
    response = keyed.put(
        name, data_of(200_000), f"?encryption=true&sha256={'0' * 64}"
    )
    expect.error(response, 422, "hash_mismatch")
    assert keyed.lacks(name)
    # What another test replaced may go meanwhile.
    expect.until(
        lambda: set(keyed.files_below("objects")) <= set(before)
    )
    assert keyed.files_below("temp") == []


def test_replacing_changes_how_it_lies(keyed, name):
    data = data_of(100_000)
    keyed.put(name, data, "?encryption=true")
    keyed.put(name, data[:50_000])
    assert keyed.has(name, data[:50_000])
    expect.until(lambda: stored(keyed, name) == data[:50_000])
    keyed.put(name, data, "?encryption=true")
    assert keyed.has(name, data)


# --- no plaintext on a disk -------------------------------------------------


def marked(size):
    return (MARK * (size // len(MARK) + 1))[:size]


def places_with_plaintext(server):
    found = []
    for path in server.place.rglob("*"):
        if path.is_file() and MARK in path.read_bytes():
            found.append(str(path.relative_to(server.place)))
    return found


@pytest.mark.parametrize("query", ["?encryption=true", ""])
@pytest.mark.parametrize("size", [500_000, 5_000_000])
def test_plaintext_reaches_no_file(start, name, query, size):
    """While the body is under way, when the server is killed, after the next
    start, and when it is done; also for a form that says it last."""
    server = start(DURABILITY="full")
    data = marked(size)
    body = form.body(
        form.file(data, name), form.part("encryption", "true")
    )
    fields = [
        ("Content-Type", form.content_type()),
        ("Content-Length", len(body)),
    ]
    half = len(body) - 1000
    with server.raw() as raw:
        raw.send(head("POST", "/upload" + query, *fields))
        raw.send(body[:half])
        # all of it that can be written has been
        expect.until(
            lambda: server.status(name)["transferred_bytes"] > size - 20_000
        )
        assert places_with_plaintext(server) == []
        server.kill()
    assert places_with_plaintext(server) == []
    server.start()
    assert server.files_below("temp") == []
    assert server.lacks(name)
    with server.raw() as raw:
        raw.send(head("POST", "/upload" + query, *fields) + body)
        expect.uploaded(raw.response("POST"), name, data, encryption=True)
    assert server.has(name, data)
    assert places_with_plaintext(server) == []
    server.stop()
    assert places_with_plaintext(server) == []


# --- keys --------------------------------------------------------------------


FORMS = {
    "characters": (KEY.decode(), KEY),
    "hex": ("00112233445566778899aabbccddeeff",
            bytes.fromhex("00112233445566778899aabbccddeeff")),
    "HEX": ("00112233445566778899AABBCCDDEEFF",
            bytes.fromhex("00112233445566778899aabbccddeeff")),
    "base64": (base64.b64encode(bytes(range(200, 216))).decode(),
               bytes(range(200, 216))),
}


@pytest.mark.parametrize("kind", FORMS)
def test_the_forms_of_a_key(start, name, kind):
    text, key = FORMS[kind]
    server = start(ENCRYPTION_KEY=text)
    server.put(name, b"content", "?encryption=true")
    assert sealed.read(stored(server, name), key) == b"content"
    assert not (server.storage / "encryption.key").exists()


def test_a_key_is_made_at_the_first_start(start, name):
    server = start()
    path = server.storage / "encryption.key"
    assert path.stat().st_mode & 0o777 == 0o600
    key = bytes.fromhex(path.read_text().strip())
    server.put(name, b"content", "?encryption=true")
    assert sealed.read(stored(server, name), key) == b"content"
    server.restart()
    assert path.read_text().strip() == key.hex()
    assert server.has(name, b"content")
    assert key.hex() not in server.log.text()


@pytest.mark.parametrize(
    "text",
    ["short", "x" * 15, "x" * 17, "0" * 31, "0" * 33, "g" * 32, "A" * 23,
     "====", "!" * 24],
)
def test_what_is_no_key_stops_the_start(start, tmp_path, text):
    server = Sftd(tmp_path, {"ENCRYPTION_KEY": text}).launch()
    assert server.wait() == 1
    server.log.thread.join()
    assert "ENCRYPTION_KEY" in server.log.text()
    assert "16 characters" in server.log.text()
    if len(text) > 5:
        assert text not in server.log.text()


def test_a_missing_key_is_named_and_an_older_one_reads(start, name):
    server = start(ENCRYPTION_KEY=KEY.decode())
    data = data_of(100_000)
    server.put(name, data, "?encryption=true")
    server.stop()
    server.settings["ENCRYPTION_KEY"] = "fedcba9876543210"
    server.start()
    key_id = sealed.key_id(KEY).hex()
    assert key_id in server.log.text()  # already at the start
    response = server.download(name)
    expect.error(response, 500, "decryption_failed")
    assert key_id not in response.text
    event = server.log.wait("request failed")
    assert key_id in event["error"]
    server.stop()
    server.settings["ENCRYPTION_KEY_PREVIOUS"] = (
        f"{'0' * 32}, {KEY.decode()},"
    )
    server.start()
    assert server.has(name, data)
    server.put(name, data, "?encryption=true")
    assert sealed.read(stored(server, name), b"fedcba9876543210") == data


def test_a_file_s_key_goes_on_reading_under_a_set_one(start, name):
    server = start()
    server.put(name, b"content", "?encryption=true")
    server.stop()
    server.settings["ENCRYPTION_KEY"] = KEY.decode()
    server.start()
    assert server.has(name, b"content")


def regions(pid):
    """(begin, end, flags) of every mapping that has something in it."""
    found, now, resident = [], None, 0
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                a, b = words[0].split("-")
                now = (int(a, 16), int(b, 16), words[1])
            elif words[0] == "Rss:":
                resident = int(words[1])
            elif words[0] == "VmFlags:" and "r" in now[2] and resident:
                found.append((now[0], now[1], words[1:]))
    return found


def holds(memory, begin, end, *wanted):
    """Is one of them in that memory?"""
    step, most = 1 << 20, max(map(len, wanted))
    # what a sanitizer keeps for itself is mostly empty, and endless
    for at in range(begin, min(end, begin + (1 << 28)), step):
        memory.seek(at)
        try:
            content = memory.read(min(step + most, end - at))
        except OSError:
            return False
        if any(w in content for w in wanted):
            return True
    return False


@pytest.mark.parametrize("kind", ["characters", "hex", "base64"])
@pytest.mark.parametrize("way", ["environment", "option", "file"])
def test_the_key_lies_in_locked_memory_alone(
    start, tmp_path, name, kind, way, monkeypatch
):
    # A sanitizer keeps copies of its own, of the environment for one.
    plain = ROOT / "build" / "sftd"
    if not plain.exists():
        pytest.skip("needs the program without sanitizers")
    monkeypatch.setenv("SFTD", str(plain))
    # No digits that stand in some table of a library.
    text = base64.b64encode(os.urandom(12)).decode()
    key = text.encode()
    if kind == "hex":
        key = os.urandom(16)
        text = key.hex()
    elif kind == "base64":
        key = os.urandom(16)
        text = base64.b64encode(key).decode()
    options = {}
    if way == "option":
        options["arguments"] = [f"--encryption-key={text}"]
    elif way == "file":
        path = tmp_path / "conf"
        path.write_text(f"ENCRYPTION_KEY={text}\n")
        options["arguments"] = ["--config", str(path)]
    else:
        options["ENCRYPTION_KEY"] = text
    server = start(**options)
    server.put(name, b"content", "?encryption=true")
    assert sealed.read(stored(server, name), key) == b"content"
    pid = server.child
    held = 0
    try:
        memory = open(f"/proc/{pid}/mem", "rb", buffering=0)
    except PermissionError:
        pytest.skip("the memory of other processes may not be read")
    with memory:
        for begin, end, flags in regions(pid):
            if holds(memory, begin, end, key, text.encode()):
                assert "dd" in flags, (hex(begin), flags)
                assert "lo" in flags, (hex(begin), flags)
                held += 1
    assert held > 0
    limits = open(f"/proc/{pid}/limits").read()
    assert "Max core file size        0" in limits
