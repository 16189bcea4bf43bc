# SPDX-License-Identifier: MIT
"""A disk that is full: 507, nothing broken, and on it goes when there is
room again."""

import os
import random
import shutil
import subprocess
import threading
import time

import pytest

import batches
import expect

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount here")
    yield path
    # lazily: the server of the test ends after this fixture
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def small_ext4(tmp_path):
    """The same as most people have it, where space is reserved."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("no mkfs.ext4")
    image, path = tmp_path / "image", tmp_path / "disk"
    path.mkdir()
    with open(image, "wb") as f:
        f.truncate(96 * MIB)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    mount = ["mount", "-o", "loop", str(image), str(path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount here")
    yield path
    # not lazily: nothing is to keep the loop device
    for _ in range(100):
        umount = ["umount", str(path)]
        if subprocess.run(umount, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the disk is still in use")


def data_of(size, seed=1):
    return random.Random(seed).randbytes(size)


def test_a_file_that_does_not_fit(small_disk, start):
    own = start(UPLOAD_DIR=small_disk / "storage")
    own.put("kept", b"kept")
    data = data_of(60 * MIB)
    expect.error(own.put("large", data), 507, "storage_full")
    expect.error(own.form("large", data), 507, "storage_full")
    pieces = (data[i : i + MIB] for i in range(0, len(data), MIB))
    expect.error(own.put("large", pieces), 507, "storage_full")
    assert own.lacks("large")
    assert own.has("kept", b"kept")
    expect.until(lambda: not list((small_disk / "storage/temp").iterdir()))
    data = data_of(4 * MIB)
    expect.uploaded(own.put("small", data), "small", data, status=201)


@pytest.mark.parametrize("query", ["", "?encryption=no", "?encryption=yes"])
def test_a_batch_of_which_one_does_not_fit(small_disk, start, query):
    own = start(UPLOAD_DIR=small_disk / "storage")
    files = {
        "first": data_of(4 * MIB),
        "large": data_of(60 * MIB),
        "last": data_of(5 * MIB, 2),
    }
    parts = batches.files(files)
    body = batches.answer(batches.post(own, *parts, query=query))
    assert [r.get("code") for r in body["results"]] == [
        None,
        "storage_full",
        None,
    ]
    assert own.has("first", files["first"]) and own.has("last", files["last"])
    assert own.lacks("large")
    assert own.files_below("temp") == []


def fill_up(path):
    """Let the file take the last byte of its disk."""
    with open(path, "ab", buffering=0) as f:
        for size in (MIB, 4096, 1):
            try:
                while f.write(bytes(size)) == size:
                    pass
            except OSError:
                pass


def test_filled_to_the_brim_and_emptied_again(small_disk, start):
    storage = small_disk / "storage"
    own = start(UPLOAD_DIR=storage)
    own.storage = storage
    kept = {"kept": b"kept"}
    own.put("kept", b"kept")
    assert (storage / "ballast").exists()
    filler = small_disk / "filler"
    # a few pages stay: for the bytes of some, not always for their records
    for i in range(300):
        fill_up(filler)
        os.truncate(filler, filler.stat().st_size - 4096 * (i % 7))
        size = (10, 5_000, MIB)[i % 3]
        response = own.put(f"x{i}", data_of(size))
        if response.status_code == 201:
            kept[f"x{i}"] = data_of(size)
        else:
            expect.error(response, 507, "storage_full")
    expect.error(own.put("large", data_of(MIB)), 507, "storage_full")
    assert not (storage / "ballast").exists()
    assert own.get("/health").status_code == 200
    assert own.get("/status").status_code == 200
    assert own.files_below("temp") == []
    for name, data in kept.items():
        assert own.has(name, data)
    filler.unlink()

    def room():
        return own.put("after", b"after").status_code in (200, 201)

    expect.until(room)
    kept["after"] = b"after"
    expect.until((storage / "ballast").exists)
    expect.until(lambda: len(own.files_below("objects")) == len(kept))
    own.restart()
    for name, data in kept.items():
        assert own.has(name, data)
    assert own.files_below("lost") == []


def test_the_free_space_that_is_to_stay(start):
    own = start()
    free = own_free(own)
    own.stop()
    own.settings["MIN_FREE_SPACE"] = str(free * 2)
    own.start()
    expect.error(own.put("x", b"x"), 507, "storage_full")
    assert own.lacks("x")
    # reading goes on
    assert own.get("/status").status_code == 200
    own.stop()
    own.settings["MIN_FREE_SPACE"] = "0"
    own.start()
    expect.uploaded(own.put("x", b"x"), "x", b"x", status=201)


def own_free(own):
    found = os.statvfs(own.storage)
    return found.f_bavail * found.f_frsize


def test_a_length_that_would_leave_too_little(start):
    own = start(MAX_FILE_SIZE="1024G")
    free = own_free(own)
    own.stop()
    # room for some, not for all of it
    own.settings["MIN_FREE_SPACE"] = str(max(0, free - 64 * MIB))
    own.start()
    with own.raw() as raw:
        raw.request(
            "PUT",
            "/upload/x",
            ("Content-Length", free),
            ("Expect", "100-continue"),
        )
        response = raw.response("PUT")
        assert response.interim == []
        expect.error(response, 507, "storage_full")


def test_what_does_not_fit_takes_no_room_from_others(small_ext4, start):
    """ext4 gives all that is left to a file before it says that this was
    not enough."""
    own = start(UPLOAD_DIR=small_ext4 / "storage", MAX_FILE_SIZE="1024G")
    refused = []
    at_end = threading.Event()

    def announce():
        while not at_end.is_set():
            with own.raw() as raw:
                raw.request("PUT", "/upload/x", ("Content-Length", 1 << 30))
                refused.append(raw.response("PUT").status_code)

    thread = threading.Thread(target=announce, daemon=True)
    thread.start()
    try:
        for i in range(100):
            response = own.put(f"small-{i}", data_of(10_000))
            assert response.status_code == 201, response.text
    finally:
        at_end.set()
        thread.join(30)
    assert len(refused) > 5 and set(refused) == {507}
    own.stop()
