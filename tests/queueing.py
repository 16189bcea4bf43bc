# SPDX-License-Identifier: MIT
"""What tests of the queue ask of a server."""

from urllib.parse import quote

import expect
from chunks import content, good
from raw import head

KIB = 1024
MIB = 1024 * KIB
BODY = content(200 * KIB)


def one_place(start, **settings):
    return start(MAX_ACTIVE_TRANSFERS=1, **settings)


def put(server, name, query="", data=BODY, *fields):
    """A PUT whose body has been sent as far as the socket takes it."""
    raw = server.raw()
    raw.send(
        head(
            "PUT",
            f"/upload/{quote(name)}{query}",
            ("Content-Length", len(data)),
            *fields,
        )
        + data
    )
    return raw


def state(server, name):
    response = server.get(f"/status/{quote(name)}")
    return response.json()["status"] if response.ok else None


def queued(server, name):
    expect.until(lambda: state(server, name) == "queued")
    return True


def queue(server):
    """What waits: {name: position}."""
    return {
        e["filename"]: e["position"]
        for e in good(server.get("/status"))["queue"]
        if e["status"] == "queued"
    }


def patch(server, name, **options):
    return server.ask(
        "PATCH",
        f"/status/{quote(name)}",
        **{"headers": server.as_admin, **options},
    )


def finished(server, *names):
    """Are these uploads completed, in that order?  For uploads of one size:
    what moved first may be on the disk last."""
    seen = [server.status(name) for name in names]
    assert [t["status"] for t in seen] == ["completed"] * len(names)
    times = [t["updated_at"] for t in seen]
    assert times == sorted(times), list(zip(names, times))
    return True
