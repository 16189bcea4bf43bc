# SPDX-License-Identifier: MIT
"""multipart/form-data bodies, byte by byte as a test wants them."""

BOUNDARY = "----sftd-test-7MA4YWxkTrZu0gW"


def part(name, value, filename=None, disposition=None, headers=()):
    """One part without its delimiters; disposition replaces what would be
    made of name and filename."""
    if disposition is None:
        disposition = f'form-data; name="{name}"'
        if filename is not None:
            disposition += f'; filename="{filename}"'
    lines = [f"Content-Disposition: {disposition}", *headers]
    if isinstance(value, str):
        value = value.encode()
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + value


def file(value, filename="file.bin", **options):
    return part("file", value, filename, **options)


def body(*parts, boundary=BOUNDARY, preamble=b"", epilogue=b""):
    delimiter = b"--" + boundary.encode()
    joined = b"".join(delimiter + b"\r\n" + p + b"\r\n" for p in parts)
    return preamble + joined + delimiter + b"--\r\n" + epilogue


def content_type(boundary=BOUNDARY):
    return f"multipart/form-data; boundary={boundary}"


def post(server, *parts, path="/upload", headers=None, **options):
    """POST the parts in their order."""
    boundary = options.get("boundary", BOUNDARY)
    fields = {"Content-Type": content_type(boundary), **(headers or {})}
    return server.post(path, data=body(*parts, **options), headers=fields)
