# SPDX-License-Identifier: MIT
"""GET /metadata: what is known of a file."""

from io import BytesIO
from urllib.parse import quote

import expect
import images
import pytest
from PIL import Image

MEMBERS = {
    "filename", "size", "created", "modified", "mime_type", "extension",
    "thumbnail", "hash", "encryption", "width", "height",
}  # fmt: skip


def metadata(server, name, **options):
    return server.get(f"/metadata/{quote(name)}", **options)


def measured(server, name, data, **options):
    assert server.put(name, data, **options).status_code in (200, 201)
    got = metadata(server, name).json()
    return got["width"], got["height"]


def test_of_a_text(server, names):
    name = names(".txt")
    server.put(name, b"some text\n")
    response = metadata(server, name)
    assert response.status_code == 200
    got = response.json()
    assert set(got) >= MEMBERS
    listed = server.get("/files", params={"prefix": name}).json()["files"][0]
    for key, value in listed.items():
        assert got[key] == value
    assert got["extension"] == ".txt" and got["mime_type"] == "text/plain"
    assert got["hash"] == expect.sha256(b"some text\n") and got["size"] == 10
    assert got["thumbnail"] is None
    assert got["width"] is None and got["height"] is None


def test_of_an_image(server, names):
    name = names(".jpg")
    data = images.saved(images.quarters(300, 200), "PNG")
    server.put(name, data)
    got = metadata(server, name).json()
    # the content tells, not the name
    assert got["mime_type"] == "image/png" and got["extension"] == ".jpg"
    assert got["thumbnail"] == name + ".thumb.jpg"
    assert (got["width"], got["height"]) == (300, 200)


@pytest.mark.parametrize("suffix", ["", ".", ".tar.GZ", ".profile"])
def test_extensions(server, names, suffix):
    name = names("/" + suffix + "x" if suffix == "" else suffix)
    server.put(name, b"x")
    wanted = {".tar.GZ": ".gz", ".profile": ".profile"}.get(suffix, "")
    assert metadata(server, name).json()["extension"] == wanted


@pytest.mark.parametrize(
    "make",
    [
        lambda im: images.saved(im, "JPEG"),
        lambda im: images.saved(im, "JPEG", progressive=True),
        lambda im: images.saved(im.convert("CMYK"), "JPEG"),
        lambda im: images.saved(im, "PNG"),
        lambda im: images.saved(im, "GIF"),
        lambda im: images.saved(im, "WEBP"),
        lambda im: images.saved(im, "WEBP", lossless=True),
        lambda im: images.saved(im.convert("RGBA"), "WEBP", exif=b""),
        lambda im: images.saved(im, "TIFF"),
        lambda im: images.saved(im, "TIFF", compression="tiff_lzw"),
        lambda im: images.saved(im, "BMP"),
        # headers that lie behind much else
        lambda im: images.saved(
            im, "JPEG", icc_profile=bytes(range(256)) * 2000
        ),
        lambda im: images.saved(im, "JPEG", comment=b"c" * 60000),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (301, 17), (64, 1000)])
def test_how_large_images_are(server, names, make, size):
    data = make(images.quarters(*size))
    assert measured(server, names(".bin"), data) == size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_as_shown(server, names, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = images.saved(images.quarters(60, 40), kind, exif=exif)
    assert Image.open(BytesIO(data)).getexif()[0x0112] == orientation
    wanted = (40, 60) if orientation > 4 else (60, 40)
    assert measured(server, names(".bin"), data) == wanted


def test_avif(server, names):
    assert measured(server, names(".avif"), images.AVIF) == (64, 32)


def test_what_is_larger_than_can_be_shown(server, names):
    data = images.png_that_claims(60000, 50000)
    assert measured(server, names(".png"), data) == (60000, 50000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"\xff\xd8\xff" + bytes(10),
        lambda: b"\xff\xd8" + b"\xff" * 5000,
        lambda: b"\x89PNG\r\n\x1a\n",
        lambda: b"GIF89a",
        lambda: images.AVIF[:60],
        lambda: images.png_that_claims(0, 10),
        lambda: b"II*\0\xff\xff\xff\xff" + bytes(100),
    ],
)
def test_images_that_say_no_size(server, names, make):
    assert measured(server, names(".jpg"), make()) == (None, None)


def test_of_a_sealed_image(server, names):
    name = names(".png")
    data = images.saved(images.quarters(123, 45), "PNG")
    assert measured(server, name, data, params={"encryption": "true"}) == (
        123,
        45,
    )
    got = metadata(server, name).json()
    assert got["encryption"] is True and got["hash"] == expect.sha256(data)


def test_a_sealed_tiff_whose_directory_stands_at_its_end(server, names):
    noise = Image.effect_noise((500, 400), 50)
    data = images.saved(noise, "TIFF", compression="tiff_lzw")
    assert int.from_bytes(data[4:8], "little") > 65536
    sealed = {"encryption": "true"}
    assert measured(server, names(""), data, params=sealed) == (500, 400)


def test_a_replaced_image(server, names):
    name = names(".png")
    first = images.saved(images.quarters(30, 20), "PNG")
    second = images.saved(images.quarters(50, 70), "PNG")
    assert measured(server, name, first) == (30, 20)
    created = metadata(server, name).json()["created"]
    assert measured(server, name, second) == (50, 70)
    assert metadata(server, name).json()["created"] == created
    assert measured(server, name, b"text") == (None, None)


def test_it_is_kept(start, tmp_path):
    with_key = start(UPLOAD_DIR=str(tmp_path / "kept"))
    name = "image.png"
    data = images.saved(images.quarters(30, 20), "PNG")
    assert measured(
        with_key, name, data, params={"encryption": "true"}
    ) == (30, 20)  # fmt: skip
    with_key.stop()
    # What was learned while the key was there needs it no more.
    (tmp_path / "kept" / "encryption.key").unlink()
    (tmp_path / "kept" / "encryption.ids").unlink()
    without = start(UPLOAD_DIR=str(tmp_path / "kept"))
    got = metadata(without, name).json()
    assert (got["width"], got["height"]) == (30, 20)


def test_what_is_not_there(server, names):
    expect.error(metadata(server, names()), 404, "file_not_found")
    for path in ("a//b", "../a", "", "a%00"):
        response = server.raw().ask("GET", f"/metadata/{path}")
        expect.error(response, 400, "invalid_filename")
    response = server.post(f"/metadata/{names()}")
    expect.error(response, 405, "method_not_allowed")


def test_head(server, names):
    name = names()
    server.put(name, b"x")
    whole = metadata(server, name)
    head = server.head(f"/metadata/{name}")
    assert head.status_code == 200 and not head.content
    assert head.headers["Content-Length"] == str(len(whole.content))


def test_whose_it_is(start):
    server = start(REQUIRE_API_KEY="true")
    for name in ("team-a/x", "team-b/x"):
        server.put(name, b"x", headers=server.as_admin)
    expect.error(metadata(server, "team-a/x"), 401, "unauthorized")
    writes = server.key(scopes=["write"])
    expect.error(
        metadata(server, "team-a/x", headers=writes), 403, "forbidden"
    )
    narrow = server.key(prefix="team-a/", scopes=["read"])
    assert metadata(server, "team-a/x", headers=narrow).status_code == 200
    expect.error(
        metadata(server, "team-b/x", headers=narrow), 404, "file_not_found"
    )
