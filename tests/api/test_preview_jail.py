# SPDX-License-Identifier: MIT
"""Decoders that crash, hang, lie, or look around: one preview is harmed, and
nothing else.  The decoder is tests/preview/decode_double.c, within the same
walls as the real one."""

import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import expect
import pytest
import sftd

DOUBLE = Path(sftd.program()).with_name("preview_double")
GOOD = re.compile(rb"\xff\xd8[0-9]+\xff\xd9")
LIMIT_S = 10  # for an image that somebody waits for

pytestmark = pytest.mark.skipif(
    not DOUBLE.exists(), reason="built without previews"
)


@pytest.fixture
def doubled(start, tmp_path, monkeypatch):
    """A server beside which the double stands for sft-preview."""
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(sftd.program(), place / "sftd")
    shutil.copy(DOUBLE, place / "sft-preview")
    monkeypatch.setenv("SFTD", str(place / "sftd"))
    return start()


def image(word):
    """Told from other files by how it begins; then what to do."""
    return b"GIF89a" + word.encode()


def thumbnail(server, name):
    return server.get(f"/thumbnail/{name}", timeout=60)


def wanted(server, word):
    name = f"{word}.gif"
    assert server.put(name, image(word)).status_code == 201
    return thumbnail(server, name)


def is_fine(server, name="fine.gif"):
    assert server.put(name, image("fine")).status_code in (200, 201)
    response = thumbnail(server, name)
    assert response.status_code == 200 and GOOD.fullmatch(response.content)
    return True


def decoders(server):
    return sftd.children(server.child)


@pytest.mark.parametrize(
    "word",
    [
        "share",
        "execute",
        "open",
        "make",
        "connect",
        "start",
        "kill",
        "find",
        "eat",
        "recall",
    ],
)
def test_the_walls(doubled, word):
    # no picture "ESCAPED" comes back
    expect.error(wanted(doubled, "remember"), 404, "no_thumbnail")
    expect.error(wanted(doubled, word), 404, "no_thumbnail")
    assert is_fine(doubled)
    assert doubled.has(f"{word}.gif", image(word))


def test_one_that_crashes(doubled):
    assert is_fine(doubled)
    expect.error(wanted(doubled, "crash"), 404, "no_thumbnail")
    # nor is it asked to crash again
    began = decoders(doubled)
    expect.error(thumbnail(doubled, "crash.gif"), 404, "no_thumbnail")
    assert set(decoders(doubled)) <= set(began)
    for n in range(3):
        expect.error(wanted(doubled, f"crash{n}"), 404, "no_thumbnail")
        assert is_fine(doubled, f"{n}.gif")


def test_ones_that_hang_are_ended_in_time(doubled):
    words = ("hang", "spin")
    with ThreadPoolExecutor(len(words)) as pool:
        began = time.monotonic()
        answers = list(pool.map(lambda w: wanted(doubled, w), words))
        took = time.monotonic() - began
    for answer in answers:
        expect.error(answer, 404, "no_thumbnail")
    assert LIMIT_S - 1 < took < 2 * LIMIT_S
    assert is_fine(doubled)


def test_nobody_else_waits_for_one_that_hangs(doubled):
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(wanted, doubled, "hang")
        expect.until(lambda: doubled.has("hang.gif", image("hang")))
        began = time.monotonic()
        assert is_fine(doubled)
        # previews are none of an upload's business
        assert doubled.put("other.gif", image("hang2")).status_code == 201
        assert time.monotonic() - began < LIMIT_S / 2
        expect.error(stuck.result(), 404, "no_thumbnail")


@pytest.mark.parametrize("word", ["stutter", "babble"])
def test_ones_that_do_not_keep_to_the_rules(doubled, word):
    expect.error(wanted(doubled, word), 404, "no_thumbnail")
    assert is_fine(doubled)


def test_ones_that_are_killed_meanwhile(doubled):
    assert is_fine(doubled)
    for pid in decoders(doubled):
        os.kill(pid, signal.SIGKILL)
    expect.until(lambda: not decoders(doubled))
    # that was no image's fault
    for n in range(4):
        assert is_fine(doubled, f"{n}.gif")


def test_they_are_few_and_used_again(doubled):
    with ThreadPoolExecutor(20) as pool:
        assert all(
            pool.map(lambda n: is_fine(doubled, f"{n}.gif"), range(60))
        )
    assert 1 <= len(decoders(doubled)) <= 3


def is_walled(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status


def files(pid):
    return sorted(p.name for p in Path(f"/proc/{pid}/fd").iterdir())


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_they_have_nothing_of_the_servers(doubled):
    assert is_fine(doubled)
    for pid in decoders(doubled):
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        # One that has just begun closes what it was born with first.
        expect.until(lambda pid=pid: files(pid) == ["0", "1", "2"])


def test_what_looks_at_an_image_is_behind_walls(doubled):
    """Nor has it the socket, by which others' images come."""
    assert doubled.put("hang.gif", image("hang")).status_code == 201

    def worker():
        for program in decoders(doubled):
            for pid in sftd.children(program):
                return pid if is_walled(pid) else None

    pid = expect.until(worker)
    assert files(pid) == ["0", "1", "2", "3"]
    reply = os.readlink(f"/proc/{pid}/fd/0")
    assert reply.startswith("pipe:")
    assert reply != os.readlink(f"/proc/{pid}/fd/3")
    os.kill(parent(pid), signal.SIGKILL)
    expect.until(lambda: not sftd.is_alive(pid))


def test_one_that_stays_keeps_no_other_image(doubled):
    expect.error(wanted(doubled, "linger"), 404, "no_thumbnail")
    began = time.monotonic()
    assert is_fine(doubled)
    assert time.monotonic() - began < LIMIT_S / 2
    for program in decoders(doubled):
        expect.until(lambda p=program: sftd.children(p) == [])


def test_they_end_with_the_server(doubled):
    assert is_fine(doubled)
    pids = decoders(doubled)
    doubled.stop()
    assert pids and not any(sftd.is_alive(pid) for pid in pids)


def test_they_end_with_a_server_that_is_killed(doubled):
    assert is_fine(doubled)
    pids = decoders(doubled)
    doubled.kill()
    expect.until(lambda: not any(sftd.is_alive(pid) for pid in pids))


def test_a_server_that_ends_waits_for_none_of_them(start, doubled):
    assert doubled.put("hang.gif", image("hang")).status_code == 201
    expect.until(lambda: decoders(doubled))
    began = time.monotonic()
    doubled.stop()
    assert time.monotonic() - began < LIMIT_S / 2


def test_a_server_without_the_program(start, tmp_path, monkeypatch):
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(sftd.program(), place / "sftd")
    monkeypatch.setenv("SFTD", str(place / "sftd"))
    server = start()
    said = "no previews are made: sft-preview is not installed beside sftd"
    assert server.log.wait(said)
    expect.error(wanted(server, "fine"), 404, "no_thumbnail")
    assert server.has("fine.gif", image("fine"))
    # it may come later
    shutil.copy(DOUBLE, place / "sft-preview")
    assert GOOD.fullmatch(thumbnail(server, "fine.gif").content)


def test_a_program_that_is_none_of_ours(start, tmp_path, monkeypatch):
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(sftd.program(), place / "sftd")
    shutil.copy("/bin/true", place / "sft-preview")
    monkeypatch.setenv("SFTD", str(place / "sftd"))
    server = start()
    expect.error(wanted(server, "fine"), 503)
    shutil.copy(DOUBLE, place / "new")
    os.replace(place / "new", place / "sft-preview")
    assert GOOD.fullmatch(thumbnail(server, "fine.gif").content)
