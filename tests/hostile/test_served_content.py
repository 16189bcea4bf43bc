# SPDX-License-Identifier: MIT
"""Content and names that want to run where somebody looks at them."""

import json
import re
from urllib.parse import quote, unquote

import pytest

import expect
import images
from raw import head
from survival import works

SCRIPT = "<script>alert(1)</script>"
ACTIVE = {
    "page.html": f"<!DOCTYPE html><html>{SCRIPT}</html>".encode(),
    "page.xhtml": b"<?xml version='1.0'?><html xmlns='http://www.w3.org/"
    b"1999/xhtml'><script>alert(1)</script></html>",
    "picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg'"
    b" onload='alert(1)'/>",
    "page.txt": f"<html>{SCRIPT}".encode(),
    "page": f"\n\n  <!-- x --><html>{SCRIPT}".encode(),
    "picture.jpg": images.jpeg() + f"<html>{SCRIPT}".encode(),
    "paper.pdf": b"%PDF-1.4\n<< /OpenAction << /S /JavaScript >> >>",
}


@pytest.mark.parametrize("case", ACTIVE)
@pytest.mark.parametrize("how", ["whole", "part", "head", "form"])
def test_stored_html_and_svg(server, names, case, how):
    """Pages, drawings and polyglots are uploaded and asked for in all ways."""
    # Fails without the field Content-Disposition, without nosniff (in
    # api/reply.c), and without the policy, in api/h_download.c.
    name = f"{names('')}-{case}"
    fields = {}
    if how == "form":
        answer = server.form(name, ACTIVE[case])
    else:
        answer = server.put(name, ACTIVE[case])
    assert answer.ok, answer.text
    if how == "part":
        fields = {"Range": "bytes=0-10"}
    method = "HEAD" if how == "head" else "GET"
    path = f"/download/{quote(name)}"
    got = server.ask(method, path, headers=fields)
    assert got.status_code == (206 if how == "part" else 200)
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    policy = got.headers["Content-Security-Policy"]
    assert re.search(r"(^|;) *sandbox *(;|$)", policy), policy
    assert "allow-" not in policy
    assert works(server)


MEDIA = [
    '<img src=x onerror="alert(1)">.jpg',
    '"><script>alert(1)<\u2044script>.mp3',
    "<svg onload=alert(1)>.svg",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
]


def test_xss_by_file_name(server, names):
    """Names that are HTML never come back in an answer that a browser takes
    for a page."""
    # Fails without nosniff in api/reply.c; besides, the type is JSON.
    for text in MEDIA:
        name = f"{names('')}{text}"
        assert server.put(name, b"x").ok, name
        for path in (
            f"/status/{quote(name)}",
            f"/metadata/{quote(name)}",
            f"/files?prefix={quote(name)}",
            "/status",
            "/history",
            f"/download/{quote(name + '-missing')}",
            f"/{quote(name)}",
            f"/files?limit={quote(text)}",
        ):
            got = server.get(path, headers=server.as_admin)
            kind = got.headers["Content-Type"].split(";")[0]
            assert kind == "application/json", (path, kind)
            assert got.headers["X-Content-Type-Options"] == "nosniff"
            got.json()
    assert works(server)


def test_xss_by_a_media_tag(server, names):
    """Titles within images and sounds, shown by previews and metadata."""
    # Fails when previews keep what an image says of itself: without the
    # option "strip" in preview/decode_vips.c.
    secret = "<img src=x onerror=alert(1)>"
    exif = images.Image.Exif()
    exif[images.DESCRIPTION] = secret
    picture = images.saved(images.quarters(), "JPEG", exif=exif)
    sound = b"ID3\x03\0\0\0\0\0\x40TIT2\0\0\0\x1d\0\0\0" + secret.encode()
    for suffix, data in ((".jpg", picture), (".mp3", sound + bytes(64))):
        name = names(suffix)
        assert server.put(name, data).ok
        for route in ("metadata", "status"):
            got = server.get(f"/{route}/{name}")
            assert got.status_code == 200
            assert secret not in json.dumps(got.json())
        got = server.get(f"/thumbnail/{name}.jpg")
        got = server.get(f"/thumbnail/{name}") if not got.ok else got
        assert got.ok or suffix == ".mp3", got.text
        assert secret.encode() not in got.content
    assert works(server)


def test_no_page_carries_names(server, name):
    """What the server shows to browsers, if anything, holds no names and lets
    no script run that is not its own."""
    # There is nothing to take away as long as there is no page.
    hostile = f"{name}<script>alert(1)<b>"
    assert server.put(hostile, b"x").ok
    for path in ("/", "/index.html", "/ui", "/ui/"):
        got = server.get(path, headers={"Accept": "text/html"})
        assert name not in got.text
        if "html" not in got.headers.get("Content-Type", ""):
            assert got.status_code in (404, 307, 308), path
            continue
        policy = got.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy.partition("style-src")[0]
        assert "script-src" in policy or "default-src" in policy
    assert works(server)


QUOTED = ['a"; filename="evil.exe', "a\\evil", "a';x=y", "a%22b", "é\u201d.txt"]


def test_quotes_and_line_ends_in_content_disposition(server, names):
    """Names that would end the quoted string, or the field."""
    # Fails without what http_disposition_attachment() in net/http_fields.c
    # replaces; line ends are no names at all (proto/filename.c).
    for text in QUOTED:
        name = f"{names('')}{text}"
        if "\\" in name:
            expect.error(server.put(name, b"x"), 400, "invalid_filename")
            continue
        assert server.put(name, b"x").ok
        with server.raw() as raw:
            got = raw.ask("GET", f"/download/{quote(name)}")
        (field,) = got.all("Content-Disposition")
        assert field.isascii() and field.isprintable(), field
        # one quoted string at most, and one extended value
        shape = r'attachment; filename="[^"\\]*"(; filename\*=UTF-8\'\'\S+)?'
        assert re.fullmatch(shape, field), field
        starred = re.search(r"UTF-8''([\w!#$&+.^`|~%-]+)$", field)
        assert starred and unquote(starred.group(1)) == name, field
    split = "a%0d%0aSet-Cookie:%20x=y"
    for path in (f"/download/{split}", f"/{split}", f"/files?prefix={split}"):
        with server.raw() as raw:
            got = raw.ask("GET", path)
        assert not got.all("Set-Cookie")
        assert "set-cookie" not in got.text.lower() or got.json()
    assert works(server)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_quotes_and_line_ends_in_logs(start, log_format):
    """Names, paths, agents and client ids that would begin a line of their
    own in the log, end a string in it, or move a terminal's cursor."""
    # Fails without put_escaped() in base/log_line.c.
    own = start(LOG_LEVEL="debug")
    own.stop()
    own.settings.update(LOG_FORMAT=log_format, SERVER_PORT=str(own.port))
    own.launch()
    expect.until(lambda: own.get("/health").status_code == 200)
    own.child = own.server_pid()
    forged = '2026-01-01T00:00:00.000Z error forged"} \x1b[2J'
    for target, field in (
        ("/upload/x%0d%0a" + quote(forged), "y"),
        ('/upload/quo"te' + quote(forged.replace("\x1b", "")), "y"),
        ("/nothing%0a" + quote(forged), "y"),
        ("/upload/agent", forged.replace("\x1b", "\t")),
        ("/upload/agent", "\xff\xfe" + forged[:-4]),
    ):
        fields = [("User-Agent", field), ("X-Client-Id", "a")]
        with own.raw() as raw:
            lines = head("PUT", target, *fields, ("Content-Length", 1))
            raw.send(lines + b"x")
            raw.response("PUT")
    assert works(own)
    own.stop()
    assert own.log.lines
    for line in own.log.lines:
        assert line.isprintable(), line
        if log_format == "json":
            assert json.loads(line)["message"] != "forged"
        else:
            shape = r"\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|warning|error) "
            assert re.match(shape, line), line
            assert not line.startswith(forged[:24])
