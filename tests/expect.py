# SPDX-License-Identifier: MIT
"""What the contract says of every answer, as assertions."""

import hashlib
import json
import re
import time
from base64 import b64encode

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
CODE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
STATUSES = {
    "queued",
    "uploading",
    "downloading",
    "completed",
    "failed",
    "cancelled",
    "interrupted",
}
# What would tell a stranger how the server is built.
INSIDES = re.compile(
    r"/tmp|/home|/var|objects/|records\.db|sqlite|SELECT |INSERT |\.c:\d"
    r"|0x[0-9a-f]{6}",
    re.IGNORECASE,
)


def until(check, within=15, every=0.02):
    """Wait until check() gives something true, and return that.  What it
    raises in the meantime counts as "not yet"."""
    end = time.monotonic() + within
    while True:
        error = None
        try:
            value = check()
            if value:
                return value
        except (AssertionError, OSError, LookupError, ValueError) as e:
            error = e
        if time.monotonic() >= end:
            raise AssertionError(f"not within {within} s: {check}") from error
        time.sleep(every)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def digest_field(data):
    """As in Repr-Digest and Content-Digest (RFC 9530)."""
    return f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"


def is_time(text):
    assert isinstance(text, str) and TIME.match(text), text
    return True


def is_json(response):
    kind = response.headers.get("Content-Type", "")
    assert kind.split(";")[0].strip() == "application/json", kind
    return response.json()


def error(response, status, code=None):
    """A refusal as the contract wants it; returns its object.  status and
    code may be tuples of what is allowed."""
    statuses = status if isinstance(status, tuple) else (status,)
    codes = code if isinstance(code, tuple) else (code,)
    said = f"{response.status_code} {response.content[:500]!r}"
    assert response.status_code in statuses, said
    body = is_json(response)
    assert body["success"] is False, said
    assert isinstance(body["error"], str) and body["error"].strip(), said
    assert "\n" not in body["error"], said
    assert CODE.match(body["code"]), said
    if code is not None:
        assert body["code"] in codes, said
    assert not INSIDES.search(response.text), said
    return body


def uploaded(response, name, data, status=200, encryption=False):
    """The answer to an upload that went well; returns its object."""
    said = f"{response.status_code} {response.content[:500]!r}"
    assert response.status_code == status, said
    body = is_json(response)
    assert body["success"] is True, said
    assert body["filename"] == name, said
    assert body["hash"] == sha256(data), said
    assert body["status"] == "completed", said
    assert body["encryption"] is encryption, said
    assert body["size"] == len(data) and is_integer(body["size"]), said
    assert is_integer(body["priority"]) and 0 <= body["priority"] <= 10, said
    assert isinstance(body["id"], str) and body["id"], said
    assert isinstance(body["mime_type"], str), said
    assert "/" in body["mime_type"], said
    return body


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def transfer(t):
    """An object of /status/<filename> with every field as promised."""
    said = json.dumps(t)
    assert isinstance(t["filename"], str) and t["filename"], said
    assert t["status"] in STATUSES, said
    assert t["checksum"] is None or re.match(
        r"^([0-9a-f]{64})?$", t["checksum"]
    ), said
    assert isinstance(t["encryption"], bool), said
    assert is_integer(t["priority"]) and 0 <= t["priority"] <= 10, said
    progress = t["progress"]
    assert is_integer(progress) and 0 <= progress <= 100, said
    assert isinstance(t["speed"], (int, float)) and t["speed"] >= 0, said
    assert t["eta"] is None or t["eta"] >= 0, said
    assert is_integer(t["transferred_bytes"]), said
    assert t["total_bytes"] is None or is_integer(t["total_bytes"]), said
    assert t["client_ip"] is None or isinstance(t["client_ip"], str), said
    assert t["client_id"] is None or isinstance(t["client_id"], str), said
    assert is_integer(t["retry_count"]) and t["retry_count"] >= 0, said
    assert is_time(t["created_at"]) and is_time(t["updated_at"]), said
    assert t["created_at"] <= t["updated_at"], said
    assert isinstance(t["id"], str) and t["id"], said
    assert t["direction"] in ("upload", "download"), said
    assert t["error"] is None or isinstance(t["error"], str), said
    return t


def rounds(least, is_enough):
    """Their numbers: so many, and more on a slow machine, until they have
    done enough to say something."""
    for number in range(20 * least):
        if number >= least and is_enough():
            return
        yield number
    raise AssertionError("the rounds were too short to say much")
