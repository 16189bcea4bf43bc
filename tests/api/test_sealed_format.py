# SPDX-License-Identifier: MIT
"""docs/format.md: its example and its reader say what is true."""

import re

import pytest

import sealed
from sftd import ROOT

TEXT = (ROOT / "docs" / "format.md").read_text()
MASTER = bytes(range(16))


def example():
    lines = re.findall(
        r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?){1,16})", TEXT, re.MULTILINE
    )
    data = b""
    for at, digits in lines:
        assert int(at, 16) == len(data)
        data += bytes.fromhex(digits)
    return data


def vectors():
    """(master key, plaintext, container) of tests/vectors/container.txt."""
    text = (ROOT / "tests" / "vectors" / "container.txt").read_text()
    values = re.findall(r"^(\w+) = *([0-9a-f]*)$", text, re.MULTILINE)
    data = [bytes.fromhex(v) for _, v in values]
    return list(zip(data[::3], data[1::3], data[2::3]))


def test_the_example_opens():
    assert sealed.read(example(), MASTER) == b"Hello, sealed world!"


def test_every_byte_of_the_example_counts():
    container = example()
    assert len(container) == 132
    for at in range(len(container)):
        with pytest.raises(ValueError):
            sealed.read(sealed.flip(container, at), MASTER)


def test_the_vectors_are_the_example_and_an_empty_file():
    (one, two) = vectors()
    assert one == (MASTER, b"Hello, sealed world!", example())
    assert two[0] == MASTER and two[1] == b""
    assert sealed.read(two[2], MASTER) == b""


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 200_000])
def test_the_reader_reads_what_another_writer_wrote(size):
    plain = bytes(i % 251 for i in range(size))
    container = sealed.write(plain, MASTER)
    n = max(1, -(-size // 65536))
    assert len(container) == 80 + size + 32 * n
    assert sealed.read(container, MASTER) == plain
    with pytest.raises(ValueError):
        sealed.read(container, bytes(16))
    with pytest.raises(ValueError):
        sealed.read(container + b"\0" * 32, MASTER)
