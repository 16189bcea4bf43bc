# SPDX-License-Identifier: MIT
"""Where previews lie, since when, and for how long."""

import subprocess
from pathlib import Path

import expect
import images
import pytest
import sealed
import sftd

KEY = b"0123456789abcdef"
NEW = b"fedcba9876543210"

pytestmark = pytest.mark.skipif(
    not Path(sftd.program()).with_name("sft-preview").exists(),
    reason="built without previews",
)

IDLE_S = 60  # on a busy machine what is made ahead of the need comes late


@pytest.fixture
def own(start):
    return start(ENCRYPTION_KEY=KEY.decode())


def put(server, name, data=None, query=""):
    response = server.put(name, data or images.jpeg(), query)
    assert response.status_code in (200, 201), response.text


def kept(server, count=1):
    """Waits until so many previews are kept."""
    paths = [server.storage / p for p in server.files_below("thumbs")]
    paths = [p for p in paths if not p.name.endswith(".tmp")]
    assert len(paths) == count, paths
    return paths


def until_kept(server, count=1):
    return expect.until(
        lambda: kept(server, count) or count == 0, within=IDLE_S
    )


def thumbnail(server, name):
    response = server.get(f"/thumbnail/{name}")
    assert response.status_code == 200, response.text
    return response.content


def run(server, *command, **settings):
    done = subprocess.run(
        [sftd.program(), *command],
        env={**server.environment(), **settings},
        cwd=server.place,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_made_soon_after_the_upload(own):
    put(own, "a.jpg")
    (path,) = until_kept(own)
    # beside its object
    assert path.name == sealed.object_of(own, "a.jpg").name
    assert thumbnail(own, "a.jpg") == path.read_bytes()


def test_made_soon_after_every_kind_of_upload(own):
    data = images.jpeg()
    assert own.form("form.jpg", data).status_code == 200
    until_kept(own, 1)
    fields = {
        "filename": "chunks.jpg",
        "chunk_number": "0",
        "total_chunks": "1",
        "chunk_hash": expect.sha256(data),
    }
    response = own.post(
        "/upload_chunk", files={"chunk": ("c", data)}, data=fields
    )
    assert response.json()["status"] == "completed"
    until_kept(own, 2)
    # no words on encryption before the file, and more than waits in memory
    response = own.post(
        "/upload",
        files=[
            ("file", ("late.jpg", data + bytes(3 << 20))),
            ("encryption", (None, "false")),
        ],
    )
    assert response.status_code == 200
    until_kept(own, 3)


def test_others_are_left_alone(own):
    put(own, "a.txt", b"text")
    put(own, "b.jpg")
    until_kept(own, 1)


def test_it_is_made_only_once(own):
    put(own, "a.jpg")
    (path,) = until_kept(own)
    before = path.stat()
    for _ in range(3):
        thumbnail(own, "a.jpg")
    own.restart()
    thumbnail(own, "a.jpg")
    assert path.stat().st_ino == before.st_ino


def test_it_goes_with_the_image(own):
    put(own, "a.jpg")
    (old,) = until_kept(own)
    put(own, "a.jpg", images.jpeg(90, 90))
    (new,) = expect.until(lambda: [p for p in kept(own) if p != old])
    assert images.opened(thumbnail(own, "a.jpg")).size == (90, 90)
    put(own, "a.jpg", b"text")
    until_kept(own, 0)


def test_a_sealed_images_preview_is_sealed(own):
    put(own, "a.jpg", query="?encryption=true")
    (path,) = until_kept(own)
    shown = thumbnail(own, "a.jpg")
    container = path.read_bytes()
    assert container.startswith(b"SFTSEAL1")
    assert sealed.read(container, KEY) == shown
    assert path.stat().st_mode & 0o077 == 0
    # and in no other file
    for name in own.files_below():
        assert shown[200:260] not in (own.storage / name).read_bytes()


@pytest.mark.parametrize("query", ["", "?encryption=true"])
def test_a_damaged_one_is_made_again(own, query):
    put(own, "a.jpg", query=query)
    (path,) = until_kept(own)
    shown = thumbnail(own, "a.jpg")
    for damage in (b"", b"nonsense", b"SFTSEAL1" + bytes(200)):
        path.write_bytes(damage)
        assert thumbnail(own, "a.jpg") == shown
    content = path.read_bytes()
    if query:
        path.write_bytes(sealed.flip(content, len(content) // 2))
        assert thumbnail(own, "a.jpg") == shown
        # a plain one in its place is not believed
        path.write_bytes(images.jpeg(20, 20))
        assert thumbnail(own, "a.jpg") == shown


def test_a_sealed_image_that_is_damaged(own):
    put(own, "a.jpg", images.jpeg(2000, 2000), "?encryption=true")
    (path,) = until_kept(own)
    where = sealed.object_of(own, "a.jpg")
    content = where.read_bytes()
    sealed.overwrite(where, sealed.flip(content, 200))
    path.unlink()
    expect.error(own.get("/thumbnail/a.jpg"), 500, "decryption_failed")
    # that is not what the preview says for ever
    sealed.overwrite(where, content)
    thumbnail(own, "a.jpg")


def test_rotation(own):
    put(own, "a.jpg", query="?encryption=true")
    put(own, "b.jpg")
    until_kept(own, 2)
    shown = {n: thumbnail(own, n) for n in ("a.jpg", "b.jpg")}
    old = KEY.decode()
    own.settings["ENCRYPTION_KEY"] = NEW.decode()
    own.settings["ENCRYPTION_KEY_PREVIOUS"] = old
    own.restart()
    status, said = run(own, "rotate-key")
    assert status == 0 and "1 of 1" in said, said
    name = sealed.object_of(own, "a.jpg").name
    (path,) = [p for p in kept(own, 2) if p.name == name]
    assert sealed.read(path.read_bytes(), NEW) == shown["a.jpg"]
    inode = path.stat().st_ino
    del own.settings["ENCRYPTION_KEY_PREVIOUS"]
    own.restart()
    assert {n: thumbnail(own, n) for n in shown} == shown
    assert path.stat().st_ino == inode


def test_verify(own):
    for name in ("a.jpg", "b.jpg"):
        put(own, name, query="?encryption=true" * (name == "a.jpg"))
    until_kept(own, 2)
    status, said = run(own, "verify")
    assert status == 0, said
    kept(own, 2)
    # of no object: gone; damaged: gone, and no reason to complain
    foreign = own.storage / "thumbs" / "ff" / ("0" * 30 + "ff")
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_bytes(images.jpeg())
    name = sealed.object_of(own, "a.jpg").name
    (damaged,) = [p for p in kept(own, 3) if p.name == name]
    damaged.write_bytes(sealed.flip(damaged.read_bytes(), 150))
    status, said = run(own, "verify")
    assert status == 0 and "0 not sound" in said, said
    assert [p.name for p in kept(own, 1)] == [
        sealed.object_of(own, "b.jpg").name
    ]
    thumbnail(own, "a.jpg")


def test_what_is_none_is_remembered(own):
    put(own, "a.gif", images.gif_that_claims(65535, 65535))
    (path,) = until_kept(own)
    assert path.read_bytes().startswith(b"NONE ")
    expect.error(own.get("/thumbnail/a.gif"), 404, "no_thumbnail")
    # by another decoder it is tried again
    text = path.read_bytes()
    path.write_bytes(b" ".join(text.split(b" ")[:2]) + b" other\n")
    put(own, "b.jpg")
    thumbnail(own, "b.jpg")
    expect.error(own.get("/thumbnail/a.gif"), 404, "no_thumbnail")
    assert path.read_bytes().split(b" ")[2:] == text.split(b" ")[2:]
