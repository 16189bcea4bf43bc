# SPDX-License-Identifier: MIT
"""Images for the tests of previews, good and bad."""

import io
import struct
import zlib
from base64 import b64decode

from PIL import Image, ImageCms

RED, GREEN, BLUE, YELLOW = (
    (220, 30, 30),
    (30, 180, 30),
    (30, 30, 220),
    (220, 220, 30),
)
ORIENTATION = 0x0112
DESCRIPTION = 0x010E
SECRET = "taken at 48.2082 N, 16.3738 E"

# 64 x 32, left half red, right half blue
AVIF = b64decode(
    "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOptZXRhAAAAAAAAACFoZGxyAAAAAAAA"
    "AABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAA"
    "AAEOAAEAAAAAAAAAJgAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGF2MDEAAAAAamlw"
    "cnAAAABLaXBjbwAAABNjb2xybmNseAACAAIABoAAAAAMYXYxQ4EADAAAAAAUaXNwZQAAAAAA"
    "AABAAAAAIAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgYIDhAAAAC5tZGF0"
    "EgAKCRgVP/sECAgaEDIXGwAAAECzVyZ6jVk/9S2xTdDMwuAmzoA="
)


def quarters(width=300, height=200, mode="RGB"):
    """A picture that shows which way is up: red, green / blue, yellow."""
    im = Image.new("RGB", (width, height), RED)
    w, h = width // 2, height // 2
    im.paste(GREEN, (w, 0, width, h))
    im.paste(BLUE, (0, h, w, height))
    im.paste(YELLOW, (w, h, width, height))
    return im if mode == "RGB" else im.convert(mode)


def saved(im, kind, **options):
    out = io.BytesIO()
    im.save(out, kind, **options)
    return out.getvalue()


def jpeg(width=300, height=200, **options):
    return saved(quarters(width, height), "JPEG", quality=90, **options)


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_exif(orientation):
    """The quarters, lying as a camera would leave them."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[DESCRIPTION] = SECRET
    return saved(quarters(600, 400), "JPEG", quality=95, exif=exif)


def sixteen_bits():
    im = Image.new("I;16", (300, 200))
    im.putdata([x * 65535 // 299 for _ in range(200) for x in range(300)])
    return saved(im, "PNG")


def animated(kind):
    frames = [Image.new("RGB", (120, 80), c) for c in (RED, GREEN, BLUE)]
    return saved(
        frames[0], kind, save_all=True, append_images=frames[1:], duration=50
    )


def transparent():
    im = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    im.paste((*RED, 255), (50, 0, 100, 100))
    return saved(im, "PNG")


def _chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png_that_claims(width, height, more=b""):
    """A few bytes of PNG, of whatever size it says."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + more
        + _chunk(b"IDAT", zlib.compress(b""))
        + _chunk(b"IEND", b"")
    )


def png_of_one_colour(width, height):
    """Every pixel of it is there, in few bytes."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    squeeze = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(squeeze.compress(row) for _ in range(height))
    data += squeeze.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def text_bomb():
    """A PNG whose comment wants 100 MB."""
    squeezed = zlib.compress(bytes(100_000_000), 9)
    text = _chunk(b"zTXt", b"Comment\0\0" + squeezed)
    good = saved(quarters(100, 100), "PNG")
    return good[:33] + text + good[33:]


def gif_that_claims(width, height):
    return (
        b"GIF89a"
        + struct.pack("<HH", width, height)
        + b"\x80\0\0\0\0\0\xff\xff\xff"
        + b"\x2c\0\0\0\0"
        + struct.pack("<HH", width, height)
        + b"\0\x02\x02\x44\x01\0\x3b"
    )


def jpeg_that_claims(width, height):
    """The head of a good one with another size in it."""
    good = jpeg()
    at = good.index(b"\xff\xc0")
    size = struct.pack(">HH", height, width)
    return good[: at + 5] + size + good[at + 9 :]


def webp_that_claims(width, height):
    body = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0"
    body += (width - 1).to_bytes(3, "little")
    body += (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def tiff_that_claims(width, height):
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, 4),
    ]
    ifd = struct.pack("<H", len(entries))
    for entry in entries:
        ifd += struct.pack("<HHII", *entry)
    return b"II*\0" + struct.pack("<I", 8) + ifd + b"\0\0\0\0"


def opened(data):
    """A preview as a viewer sees it; it must be a JPEG."""
    im = Image.open(io.BytesIO(data))
    assert im.format == "JPEG", im.format
    im.load()
    return im.convert("RGB")


def is_near(pixel, colour, by=40):
    return all(abs(p - c) <= by for p, c in zip(pixel, colour))


def shows_quarters(im):
    w, h = im.size
    places = [(w // 4, h // 4), (w * 3 // 4, h // 4)]
    places += [(w // 4, h * 3 // 4), (w * 3 // 4, h * 3 // 4)]
    seen = [im.getpixel(p) for p in places]
    wanted = (RED, GREEN, BLUE, YELLOW)
    assert all(map(is_near, seen, wanted)), (im.size, seen)
    return True
