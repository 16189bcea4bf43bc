# SPDX-License-Identifier: MIT
"""A line that is slow, narrow or loses packets, in a network namespace.

Run as a program in a namespace of its own, it makes a device whose packets it
reads and gives back with the two addresses swapped: who connects to FAR
reaches what listens on NEAR, over a line with the delay, rate and loss that
was asked for.  No part of the system but TUN is needed for that.  When the file that LINE_STRAIGHT names appears,
the line is straight from then on.

    crooked.py DELAY_MS BYTES_PER_S LOSS COMMAND...
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

NEAR, FAR = "10.77.0.1", "10.77.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
QUEUE_S = 0.5  # what waits for longer is lost, as in a router


def why_not():
    """Why such a line cannot be made here; None: it can."""
    try:
        probe = subprocess.run(
            ["unshare", "-n", "ip", "tuntap", "add", "t0", "mode", "tun"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=20,
        )
    except OSError as e:
        return f"no network namespaces: {e}"
    if probe.returncode == 0:
        return None
    return f"no network namespaces: {probe.stderr.decode().strip()}"


def command(delay_ms=0, bytes_per_s=0, loss=0.0):
    """What to put before a command so that it runs beside such a line."""
    return [
        "unshare", "-n", sys.executable, __file__,
        str(delay_ms), str(bytes_per_s), str(loss),
    ]  # fmt: skip


def open_line():
    device = os.open("/dev/net/tun", os.O_RDWR)
    name = struct.pack("16sH22x", b"line", IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(device, TUNSETIFF, name)
    for words in (
        ["link", "set", "lo", "up"],
        ["addr", "add", f"{NEAR}/24", "dev", "line"],
        ["link", "set", "line", "up"],
    ):
        subprocess.run(["ip", *words], check=True)
    return device


def swapped(packet):
    # the checksums stay right: they do not depend on the order
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


class Line:
    def __init__(self, device, delay_s, bytes_per_s, loss):
        self.device = device
        self.delay_s = delay_s
        self.bytes_per_s = bytes_per_s
        self.loss = loss
        self.chance = random.Random(7)
        self.free_at = {}  # by direction: when it has sent what waits
        self.under_way = []
        self.count = 0

    def take(self):
        packet = os.read(self.device, 65536)
        if packet[0] >> 4 != 4 or self.chance.random() < self.loss:
            return
        now = time.monotonic()
        # towards the port that listens, or away from it: by its ports
        direction = packet[20:22] < packet[22:24]
        sent = max(now, self.free_at.get(direction, 0))
        if self.bytes_per_s:
            if sent - now > QUEUE_S:
                return
            sent += len(packet) / self.bytes_per_s
            self.free_at[direction] = sent
        self.count += 1
        heapq.heappush(
            self.under_way,
            (sent + self.delay_s, self.count, swapped(packet)),
        )

    def give(self):
        now = time.monotonic()
        while self.under_way and self.under_way[0][0] <= now:
            os.write(self.device, heapq.heappop(self.under_way)[2])

    def look(self):
        path = os.environ.get("LINE_STRAIGHT")
        if path and os.path.exists(path):
            self.delay_s, self.bytes_per_s, self.loss = 0, 0, 0

    def carry(self, process):
        while process.poll() is None:
            self.look()
            wait = 0.05
            if self.under_way:
                wait = self.under_way[0][0] - time.monotonic()
            wait = min(max(wait, 0), 0.05)
            if select.select([self.device], [], [], wait)[0]:
                self.take()
            self.give()


def main():
    delay_ms, bytes_per_s, loss = map(float, sys.argv[1:4])
    line = Line(open_line(), delay_ms / 1000, bytes_per_s, loss)
    process = subprocess.Popen(sys.argv[4:])
    line.carry(process)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
