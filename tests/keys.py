# SPDX-License-Identifier: MIT
"""API keys that a test makes and revokes."""


def made(server, **asked):
    answer = server.post(
        "/generate_key", json=asked, headers=server.as_admin
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def key(server, **asked):
    return {"X-API-Key": made(server, **asked)["api_key"]}


def revoke(server, made_key):
    path = f"/keys/{made_key['id']}"
    got = server.delete(path, headers=server.as_admin)
    assert got.status_code == 204
