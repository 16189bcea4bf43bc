# SPDX-License-Identifier: MIT
"""GET /thumbnail: what images become, and who may see it."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import expect
import images
import pytest
import sftd
from PIL import Image, ImageOps

SIDE = 256

pytestmark = pytest.mark.skipif(
    not Path(sftd.program()).with_name("sft-preview").exists(),
    reason="built without previews",
)


def thumbnail(server, name, **options):
    return server.get(f"/thumbnail/{quote(name)}", **options)


def preview(server, name, data, **options):
    """Uploads data and gives its preview, as a picture."""
    assert server.put(name, data, **options).status_code in (200, 201)
    response = thumbnail(server, name)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/jpeg"
    return images.opened(response.content)


def has_none(server, name, data):
    assert server.put(name, data).status_code in (200, 201)
    for _ in range(2):
        expect.error(thumbnail(server, name), 404, "no_thumbnail")
    return True


# --- images that are fine ------------------------------------------------------


@pytest.mark.parametrize(
    "size, wanted",
    [
        ((300, 200), (256, 171)),
        ((200, 300), (171, 256)),
        ((256, 256), (256, 256)),
        ((257, 10), (256, 10)),
        ((100, 60), (100, 60)),
        ((1, 1), (1, 1)),
        ((5000, 2), (256, 1)),
    ],
)
def test_the_longest_side_is_256_and_nothing_is_enlarged(
    server, names, size, wanted
):
    data = images.saved(images.quarters(*size), "PNG")
    assert preview(server, names(".png"), data).size == wanted


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(server, names, orientation):
    data = images.with_exif(orientation)
    name = names(".jpg")
    im = preview(server, name, data)
    wanted = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    wanted.thumbnail((SIDE, SIDE))
    assert im.size == wanted.size
    for x in (0.25, 0.75):
        for y in (0.25, 0.75):
            at = int(im.width * x), int(im.height * y)
            assert images.is_near(im.getpixel(at), wanted.getpixel(at))
    # and says nothing but what it shows
    shown = thumbnail(server, name).content
    assert images.SECRET.encode() not in shown and b"Exif" not in shown


@pytest.mark.parametrize(
    "suffix, make",
    [
        (".jpg", lambda: images.jpeg()),
        (".jpg", lambda: images.jpeg(progressive=True)),
        (".jpg", lambda: images.jpeg(icc_profile=images.srgb_profile())),
        (".png", lambda: images.saved(images.quarters(), "PNG")),
        (
            ".png",
            lambda: images.saved(
                images.quarters().quantize(16), "PNG", bits=4
            ),
        ),
        (".gif", lambda: images.saved(images.quarters(), "GIF")),
        (".webp", lambda: images.saved(images.quarters(), "WEBP")),
        (
            ".webp",
            lambda: images.saved(images.quarters(), "WEBP", lossless=True),
        ),
        (".tiff", lambda: images.saved(images.quarters(), "TIFF")),
        (
            ".tif",
            lambda: images.saved(
                images.quarters(), "TIFF", compression="tiff_lzw"
            ),
        ),
    ],
)
def test_formats(server, names, suffix, make):
    assert images.shows_quarters(preview(server, names(suffix), make()))


def test_cmyk(server, names):
    data = images.saved(images.quarters(mode="CMYK"), "JPEG", quality=90)
    im = preview(server, names(".jpg"), data)
    # inks are not lights: the colours come near, and in their places
    red, blue = im.getpixel((40, 40)), im.getpixel((40, 130))
    assert red[0] > 150 > max(red[1:]) and blue[2] > 100 > blue[0]


def test_sixteen_bits(server, names):
    im = preview(server, names(".png"), images.sixteen_bits())
    left, right = im.getpixel((2, 80)), im.getpixel((250, 80))
    assert max(left) < 40 and min(right) > 200


def test_grey(server, names):
    data = images.saved(images.quarters(mode="L"), "PNG")
    assert preview(server, names(".png"), data).size == (256, 171)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_picture(server, names, kind):
    im = preview(server, names("." + kind.lower()), images.animated(kind))
    assert im.size == (120, 80)
    assert images.is_near(im.getpixel((60, 40)), images.RED)


def test_what_is_transparent_is_white(server, names):
    im = preview(server, names(".png"), images.transparent())
    assert images.is_near(im.getpixel((20, 50)), (255, 255, 255), 10)
    assert images.is_near(im.getpixel((80, 50)), images.RED)


def test_avif(server, names):
    name = names(".avif")
    server.put(name, images.AVIF)
    response = thumbnail(server, name)
    if response.status_code == 404:
        pytest.skip("this libvips reads no AVIF")
    im = images.opened(response.content)
    assert im.size == (64, 32)
    assert images.is_near(im.getpixel((10, 16)), images.RED)
    assert images.is_near(im.getpixel((54, 16)), images.BLUE)


def test_the_content_tells_and_not_the_name(server, names):
    data = images.saved(images.quarters(), "PNG")
    assert images.shows_quarters(preview(server, names(".jpg"), data))
    assert images.shows_quarters(preview(server, names(".txt"), data))
    assert has_none(server, names(".jpg"), b"just some text\n" * 100)


def test_uploads_of_every_kind(server, names):
    name = names(".jpg")
    assert server.form(name, images.jpeg()).status_code == 200
    response = thumbnail(server, name)
    assert images.shows_quarters(images.opened(response.content))


# --- images that are not -------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9' "
        b"height='9'><rect width='9' height='9'/></svg>",
        lambda: b"%PDF-1.4\n" + bytes(1000),
        lambda: b"\xff\xd8\xff" + bytes(10),
        lambda: b"\x89PNG\r\n\x1a\n",
        lambda: b"GIF89a",
        lambda: images.jpeg(2000, 2000)[:9000],
        lambda: images.saved(images.quarters(), "PNG")[:200],
        lambda: images.saved(images.quarters(), "WEBP")[:300],
        lambda: images.saved(images.quarters(), "TIFF")[:5000],
        lambda: images.AVIF[:-20],
        # far fewer bytes than the pixels that they promise
        lambda: images.png_that_claims(60000, 60000),
        lambda: images.png_that_claims(2**31 - 1, 2**31 - 1),
        lambda: images.gif_that_claims(65535, 65535),
        lambda: images.jpeg_that_claims(65500, 65500),
        lambda: images.webp_that_claims(2**24, 2**24),
        lambda: images.webp_that_claims(16384, 16384),
        lambda: images.tiff_that_claims(2**31 - 1, 2**31 - 1),
        lambda: images.tiff_that_claims(60000, 60000),
    ],
)
def test_what_cannot_be_read_has_none(server, names, make):
    assert has_none(server, names(".jpg"), make())
    # and is stored all the same
    assert preview(server, names(".png"), images.jpeg())


def test_one_megapixel_too_many(server, names):
    fits = images.png_of_one_colour(10_000, 10_000)
    assert preview(server, names(".png"), fits).size == (256, 256)
    assert has_none(
        server, names(".png"), images.png_of_one_colour(10_001, 10_000)
    )


def test_a_comment_that_wants_much_memory(server, names):
    name = names(".png")
    server.put(name, images.text_bomb())
    assert thumbnail(server, name).status_code in (200, 404)
    assert preview(server, names(".png"), images.jpeg())


@pytest.mark.parametrize("tail", [b"PK\x03\x04 a zip", b"<script>x()</script>"])
def test_what_is_two_things_is_shown_as_a_picture_only(server, names, tail):
    name = names(".jpg")
    im = preview(server, name, images.jpeg() + tail)
    assert images.shows_quarters(im)
    response = thumbnail(server, name)
    assert tail not in response.content
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


# --- HTTP ----------------------------------------------------------------------


def test_head_and_conditions(server, names):
    name = names(".jpg")
    server.put(name, images.jpeg())
    full = thumbnail(server, name)
    assert full.headers["Repr-Digest"] == expect.digest_field(full.content)
    tag = full.headers["ETag"]
    assert tag.startswith('"') and "no-store" not in str(full.headers)
    head = server.head(f"/thumbnail/{name}")
    assert head.status_code == 200 and head.content == b""
    for field in ("Content-Length", "ETag", "Content-Type", "Last-Modified"):
        assert head.headers[field] == full.headers[field]
    for fields in (
        {"If-None-Match": tag},
        {"If-None-Match": "W/" + tag},
        {"If-None-Match": "*"},
        {"If-Modified-Since": full.headers["Last-Modified"]},
    ):
        response = thumbnail(server, name, headers=fields)
        assert response.status_code == 304 and response.content == b""
        assert response.headers["ETag"] == tag
    for fields in (
        {"If-None-Match": '"other"'},
        {"If-Match": tag},
        {"Range": "bytes=0-9"},
    ):
        response = thumbnail(server, name, headers=fields)
        assert response.status_code == 200
        assert response.content == full.content
    response = thumbnail(server, name, headers={"If-Match": '"other"'})
    expect.error(response, 412, "precondition_failed")


def test_the_name_that_metadata_gives(server, names):
    name = names(".jpg")
    server.put(name, images.jpeg())
    own = thumbnail(server, name)
    assert thumbnail(server, name + ".thumb.jpg").content == own.content
    # a file of that name goes first, whatever it is
    other = images.saved(images.quarters(50, 50), "PNG")
    server.put(name + ".thumb.jpg", other)
    response = thumbnail(server, name + ".thumb.jpg")
    assert images.opened(response.content).size == (50, 50)
    server.put(name + ".thumb.jpg", b"text")
    response = thumbnail(server, name + ".thumb.jpg")
    expect.error(response, 404, "no_thumbnail")


def test_the_longest_names(server, names):
    name = names("").ljust(251, "x") + ".jpg"
    server.put(name, images.jpeg())
    assert thumbnail(server, name).status_code == 200
    assert thumbnail(server, name + ".thumb.jpg").status_code == 200
    expect.error(thumbnail(server, name + "x"), 400, "invalid_filename")
    expect.error(
        thumbnail(server, name + "x.thumb.jpg"), 400, "invalid_filename"
    )


def test_names_that_are_none(server, name):
    expect.error(thumbnail(server, name), 404, "file_not_found")
    expect.error(
        thumbnail(server, name + ".thumb.jpg"), 404, "file_not_found"
    )
    for path in ("a//b", "../a", "", ".thumb.jpg/", "a%00"):
        response = server.raw().ask("GET", f"/thumbnail/{path}")
        expect.error(response, (400, 404))
    response = server.post(f"/thumbnail/{name}")
    expect.error(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) >= {"GET", "HEAD"}


def test_many_at_once_are_one(server, names):
    name = names(".png")
    server.put(name, images.saved(images.quarters(3000, 2000), "PNG"))
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: thumbnail(server, name), range(24)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.content for a in answers}) == 1


def test_a_new_image_has_a_new_preview(server, names):
    name = names(".png")
    old = preview(server, name, images.saved(images.quarters(), "PNG"))
    new = preview(
        server, name, images.saved(Image.new("RGB", (90, 90), images.RED), "PNG")
    )
    assert old.size == (256, 171) and new.size == (90, 90)


# --- rights --------------------------------------------------------------------


def test_keys(start):
    server = start(REQUIRE_API_KEY="true")
    for name in ("a/1.jpg", "b/1.jpg"):
        data = images.jpeg()
        assert server.put(
            name, data, headers=server.as_admin
        ).status_code == 201
    expect.error(thumbnail(server, "a/1.jpg"), 401, "unauthorized")
    reads = server.key(scopes=["read"])
    assert thumbnail(server, "a/1.jpg", headers=reads).status_code == 200
    writes = server.key(scopes=["write"])
    expect.error(
        thumbnail(server, "a/1.jpg", headers=writes), 403, "forbidden"
    )
    narrow = server.key(scopes=["read"], prefix="b/")
    assert thumbnail(server, "b/1.jpg", headers=narrow).status_code == 200
    for name in ("a/1.jpg", "a/1.jpg.thumb.jpg", "c.jpg"):
        expect.error(
            thumbnail(server, name, headers=narrow), 404, "file_not_found"
        )
