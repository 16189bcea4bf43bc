# SPDX-License-Identifier: MIT
"""What previews cost: milliseconds of the processor for one, of all processes
of the server together, made on the spot."""

import functools
import io
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import proc
from servers import until

IMAGES = 21
WIDTH, HEIGHT = 4000, 3000


@functools.cache
def photograph(scale):
    """A JPEG with as many details as one from a camera, 3 to 4 MB."""
    from PIL import Image

    small = (WIDTH // 4 // scale, HEIGHT // 4 // scale)
    noise = [Image.effect_noise(small, 60) for _ in range(3)]
    im = Image.merge("RGB", noise)
    im = im.resize((4 * small[0], 4 * small[1]), Image.BICUBIC)
    out = io.BytesIO()
    im.save(out, "JPEG", quality=80)
    return out.getvalue()


def put(server, target, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{target}", data=body, method="PUT"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=30).close()


def high_water_mib(pids):
    """Of the decoders: the most memory that one of them had."""
    most = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in lines)
        if fields["Name"].strip() == "sft-preview":
            # one that is just ending has none
            most = max(most, int(fields.get("VmHWM", "0").split()[0]))
    return most / 1024


def peak_mib(server, name):
    """While that preview is made."""
    most = 0
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(server.get, f"/thumbnail/{name}")
        while not making.done():
            most = max(most, high_water_mib(server.pids()))
        making.result()
    return most


def previews(query):
    """Uploads with that query; the previews that were made ahead are taken
    away, so that each is made while somebody waits for it."""

    def run(server, scale):
        image = photograph(scale)
        names = [f"{n}.jpg" for n in range(IMAGES)]
        for name in names:
            put(server, f"/upload/{name}{query}", image)
        top = server.place / "storage" / "thumbs"

        def made():
            paths = [p for p in top.rglob("*") if len(p.name) == 32]
            return paths if len(paths) == IMAGES else None

        for path in until(made, "previews"):
            path.unlink()
        # the decoder's start is not a preview's cost
        server.get(f"/thumbnail/{names[0]}")
        pids = server.pids()
        # each image has a process of its own, which is gone afterwards
        before = proc.cpu_seconds(pids, with_children=True)
        for name in names[1:-1]:
            server.get(f"/thumbnail/{name}")
        seconds = proc.cpu_seconds(pids, with_children=True) - before
        ms = seconds * 1000 / (IMAGES - 2)
        details = {
            "bytes": len(image),
            "decoder_peak_mib": peak_mib(server, names[-1]),
        }
        return ms, details

    return run
