# SPDX-License-Identifier: MIT
"""Batches of files, as tests send them and read their answers."""

import expect
import form

FIELDS = {"filename", "status", "hash", "size", "metadata", "error", "code"}


def files(items):
    """Parts of {name: content}, or of pairs."""
    pairs = items.items() if isinstance(items, dict) else items
    return [form.part("files", data, name) for name, data in pairs]


def post(server, *parts, query="", headers=None):
    return form.post(
        server,
        *parts,
        path="/upload_batch" + query,
        headers=server.as_admin if headers is None else headers,
    )


def answer(response):
    """The answer to a batch that was taken, whose sums are right."""
    said = f"{response.status_code} {response.content[:500]!r}"
    assert response.status_code == 200, said
    body = expect.is_json(response)
    results = body["results"]
    states = [r["status"] for r in results]
    assert set(states) <= {"success", "failed"}, said
    assert body["total_files"] == len(results), said
    assert body["successful"] == states.count("success"), said
    assert body["failed"] == states.count("failed"), said
    assert body["success"] is (body["failed"] == 0), said
    for r in results:
        assert set(r) == FIELDS, said
        if r["status"] == "failed":
            assert r["error"] and r["code"], said
            absent = r["hash"], r["size"], r["metadata"]
            assert absent == (None, None, None), said
        else:
            assert r["error"] is None and r["code"] is None, said
            assert r["metadata"]["hash"] == r["hash"], said
            assert r["metadata"]["size"] == r["size"], said
            assert r["metadata"]["filename"] == r["filename"], said
    return body


def stored(server, response, items):
    """All went well, and what is there is what was sent."""
    body = answer(response)
    assert body["success"] is True, response.text[:500]
    for name, data in items.items():
        (result,) = [r for r in body["results"] if r["filename"] == name]
        assert result["hash"] == expect.sha256(data)
        assert result["size"] == len(data)
        assert server.has(name, data)
    return body
