# SPDX-License-Identifier: MIT
"""What /proc says of a server's processes: memory and processor time."""

import os
import threading

TICK = os.sysconf("SC_CLK_TCK")


def tree(root):
    """root and all processes below it."""
    below = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as f:
                parent = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        below.setdefault(parent, []).append(int(entry))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += below.get(pid, [])
    return found


def cpu_seconds(pids, with_children=False):
    """Of these processes, and of children that they have waited for."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        last = 15 if with_children else 13
        ticks += sum(int(field) for field in fields[11:last])
    return ticks / TICK


def pss_mib(pids):
    """Proportional set size: what is shared counts once."""
    kib = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                for line in f:
                    if line.startswith("Pss:"):
                        kib += int(line.split()[1])
        except OSError:
            continue
    return kib / 1024


class Peak(threading.Thread):
    """The largest PSS of some processes while it runs, looked at every
    20 ms."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids = pids
        self.mib = 0.0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            self.mib = max(self.mib, pss_mib(self.pids))

    def end(self):
        self.over.set()
        self.join()
        return self.mib
