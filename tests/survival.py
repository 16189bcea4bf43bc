# SPDX-License-Identifier: MIT
"""What has to be so after an attack: the server serves, and nothing lies
where it does not belong."""

import uuid

import expect
from chunks import content


def works(server):
    """A file goes up and comes down again, and the health is good."""
    name = f"after-{uuid.uuid4().hex[:12]}"
    data = content(100_000, name)
    fields = server.as_admin
    response = server.put(name, data, headers=fields)
    expect.uploaded(response, name, data, status=201)
    assert server.has(name, data)
    assert server.get("/health").status_code == 200
    return True


# What a server's directory holds, besides objects/ and thumbs/.
KNOWN = {
    "FORMAT",
    "lock",
    "maintenance.lock",
    "temp",
    "lost",
    "backups",
    "ballast",
    "records.db",
    "records.db-wal",
    "records.db-shm",
    "records.db.run",
    "admin.key",
    "encryption.key",
    "encryption.ids",
}


def is_tidy(server):
    """All that the server wrote lies in its directory, under names of its
    own: none of the network's."""
    for path in server.files_below():
        top, *rest = path.split("/")
        if top in ("objects", "thumbs"):
            name = rest[-1].split(".")[0].replace("-", "")
            assert len(rest) == 2 and name.isalnum(), path
        else:
            assert top in KNOWN and len(rest) <= 1, path
    return True
