# SPDX-License-Identifier: MIT
"""Containers of encrypted files, read and written by another program's
implementation of EAX, from docs/format.md alone; and altered."""

import hashlib
import os
import re

from Cryptodome.Cipher import AES

from sftd import ROOT

HEADER = 80
SEGMENT = 65536
STEP = SEGMENT + 32
FIXED = b"SFTSEAL1\x01\x01\x00\x00\x00\x01\x00\x00"


def _reader():
    """read_container() as the document has it."""
    text = (ROOT / "docs" / "format.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    names = {}
    exec(compile(code, "docs/format.md", "exec"), names)
    return names["read_container"]


read = _reader()


def key_id(master):
    return hashlib.sha256(b"sft master key id" + master).digest()[:16]


def eax(key, nonce, header, plain):
    cipher = AES.new(key, AES.MODE_EAX, nonce=nonce, mac_len=16)
    cipher.update(header)
    text, tag = cipher.encrypt_and_digest(plain)
    return text + tag


def write(plain, master):
    """A container of plain."""
    data_key = os.urandom(16)
    head = FIXED + key_id(master)
    nonce = os.urandom(16)
    out = head + nonce + eax(master, nonce, head, data_key)
    pieces = [
        plain[i : i + SEGMENT] for i in range(0, len(plain), SEGMENT)
    ] or [b""]
    for i, piece in enumerate(pieces):
        last = bytes([i + 1 == len(pieces)])
        header = FIXED + i.to_bytes(8, "big") + last
        nonce = os.urandom(16)
        out += nonce + eax(data_key, nonce, header, piece)
    return out


def segment(container, i):
    at = HEADER + i * STEP
    return container[at : at + STEP]


def replace(container, at, new):
    return container[:at] + new + container[at + len(new) :]


def flip(container, at):
    return replace(container, at, bytes([container[at] ^ 0x20]))


def swap(container, i, j):
    """Two whole segments exchanged."""
    a, b = segment(container, i), segment(container, j)
    done = replace(container, HEADER + i * STEP, b)
    return replace(done, HEADER + j * STEP, a)


def object_of(server, name):
    """The path of the newest stored object that belongs to name, by its birth
    record."""
    found = []
    for path in (server.storage / "objects").glob("*/*"):
        try:
            birth = os.getxattr(path, "user.sft")
        except OSError:  # a sidecar, or removed meanwhile
            beside = path.with_name(path.name + ".birth")
            birth = beside.read_bytes() if beside.exists() else b""
        if f'"filename":"{name}"'.encode() in birth.replace(b": ", b":"):
            found.append(path)
    # ids begin with the time
    return max(found, key=lambda path: path.name)


def overwrite(path, content):
    """In place: the object keeps its birth record."""
    with open(path, "r+b") as f:
        f.write(content)
        f.truncate()
