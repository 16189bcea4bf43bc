# SPDX-License-Identifier: MIT
"""A client of the tus protocol, request by request."""

import base64

V = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
PARTIAL = {"Upload-Concat": "partial"}


def b64(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(raw).decode()


def metadata(**pairs):
    return ",".join(f"{k} {b64(v)}" for k, v in pairs.items())


def create(server, length, headers=None, data=None, **pairs):
    fields = {**V, **(headers or {})}
    if length is not None:
        fields["Upload-Length"] = str(length)
    if pairs:
        fields["Upload-Metadata"] = metadata(**pairs)
    return server.post("/tus/", headers=fields, data=data)


def begin(server, length, headers=None, **pairs):
    """The path of a new upload."""
    response = create(server, length, headers, **pairs)
    assert response.status_code == 201, response.text
    location = response.headers["Location"]
    assert location.startswith("/tus/")
    return location


def patch(server, url, offset, data, **headers):
    fields = {**V, **BYTES, "Upload-Offset": str(offset)}
    fields.update({k.replace("_", "-"): v for k, v in headers.items()})
    return server.ask("PATCH", url, data=data, headers=fields)


def head(server, url):
    response = server.head(url, headers=V)
    assert response.status_code == 200, response.status_code
    assert response.headers["Cache-Control"] == "no-store"
    return response.headers


def offset(server, url):
    return int(head(server, url)["Upload-Offset"])


def appended(response, at):
    assert response.status_code == 204, response.text
    assert response.headers["Upload-Offset"] == str(at)
    assert response.headers["Tus-Resumable"] == "1.0.0"


def partial(server, data, **pairs):
    url = begin(server, len(data), PARTIAL, **pairs)
    appended(patch(server, url, 0, data), len(data))
    return url


def final(server, *urls, **pairs):
    concat = {"Upload-Concat": "final;" + " ".join(urls)}
    return create(server, None, concat, **pairs)


def hang(server, url, at, length, data):
    """A PATCH whose body does not come to its end."""
    raw = server.raw()
    raw.send(
        f"PATCH {url} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\n"
        f"Upload-Offset: {at}\r\nContent-Length: {length}\r\n\r\n".encode()
        + data
    )
    return raw
