#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: script/soak [MINUTES [CLIENTS]]

Keeps a server of its own busy with a mixture of good and bad requests (20
minutes, 12 clients), looks at its memory, descriptors, threads and temporary
data, and says whether any of them grows.  Ends with 1 when one does, or when
the server gave a wrong answer or ended.
"""

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import proc  # noqa: E402
import sftd  # noqa: E402
from deeds import Client  # noqa: E402

PAUSE = 0.05  # seconds between two deeds of a client
REST = 40  # seconds after the last, for what ends by its time

# What may differ between the second quarter and the last.
ALLOWED = {
    "memory_mib": lambda early, late: late <= early * 1.1 + 2,
    "descriptors": lambda early, late: late <= early + 20,
    "threads": lambda early, late: late <= early + 8,
    "temp_files": lambda early, late: late <= early + 60,
    "temp_mib": lambda early, late: late <= early + 64,
}


def count(path):
    try:
        return sum(1 for _ in path.iterdir())
    except OSError:
        return 0


def sample(server):
    pids = proc.tree(server.process.pid)
    temp = server.storage / "temp"
    sizes = []
    for entry in temp.iterdir():
        try:
            sizes.append(entry.stat().st_size)
        except OSError:
            continue
    return {
        "memory_mib": proc.pss_mib(pids),
        "descriptors": sum(count(Path(f"/proc/{p}/fd")) for p in pids),
        "threads": sum(count(Path(f"/proc/{p}/task")) for p in pids),
        "temp_files": len(sizes),
        "temp_mib": sum(sizes) / (1 << 20),
    }


def show(when, values):
    row = "  ".join(f"{k} {v:.1f}" for k, v in values.items())
    print(f"{when:>8}  {row}", flush=True)


def keep_busy(server, minutes, clients):
    """Samples, one each five seconds."""
    until = time.monotonic() + minutes * 60
    everybody = [Client(server, seed) for seed in range(clients)]
    threads = [
        threading.Thread(target=c.run, args=(until, PAUSE)) for c in everybody
    ]
    for thread in threads:
        thread.start()
    samples = []
    begun = time.monotonic()
    while any(t.is_alive() for t in threads):
        time.sleep(5)
        minutes = (time.monotonic() - begun) / 60
        samples.append({"minutes": minutes, **sample(server)})
        if len(samples) % 12 == 0:
            show(f"{minutes:.0f} min", {k: samples[-1][k] for k in ALLOWED})
    for thread in threads:
        thread.join()
    return samples, everybody


def show_growth(samples):
    """Of each measure the first and the last, and how it grew by the hour:
    the slope of the line that is nearest to all samples."""
    times = [s["minutes"] / 60 for s in samples]
    for name in ALLOWED:
        values = [s[name] for s in samples]
        slope = 0.0
        if len(set(times)) > 1:
            slope = statistics.linear_regression(times, values).slope
        print(
            f"{name:>12}  first {values[0]:.1f}  last {values[-1]:.1f}  "
            f"slope {slope:+.1f}/h"
        )


def judge(samples):
    """What grew; prints the medians."""
    n = len(samples)
    quarters = samples[n // 4 : n // 2], samples[3 * n // 4 :]
    early, late = (
        {k: statistics.median(s[k] for s in q) for k in ALLOWED}
        for q in quarters
    )
    show("early", early)
    show("late", late)
    return [k for k, fits in ALLOWED.items() if not fits(early[k], late[k])]


def soak(server, minutes, clients):
    show("begin", sample(server))
    samples, everybody = keep_busy(server, minutes, clients)
    show_growth(samples)
    grew = judge(samples)
    time.sleep(REST)
    show("at rest", sample(server))
    done = {}
    for client in everybody:
        for name, times in client.done.items():
            done[name] = done.get(name, 0) + times
    print("done:", ", ".join(f"{k} {v}" for k, v in sorted(done.items())))
    wrong = [w for client in everybody for w in client.wrong]
    for what in wrong[:20]:
        print("wrong:", what)
    for what in grew:
        print(f"{what} grew")
    server.check()
    print(f"soak: {sum(done.values())} deeds, {len(wrong)} wrong answers, "
          f"{len(grew)} of {len(ALLOWED)} measures grew")  # fmt: skip
    return 1 if wrong or grew else 0


def main():
    if any(not a.isdigit() for a in sys.argv[1:]) or len(sys.argv) > 3:
        print(__doc__.split("\n\n")[0], file=sys.stderr)
        return 2
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    with tempfile.TemporaryDirectory(prefix="sftd-soak-") as place:
        server = sftd.Sftd(
            Path(place),
            {"UPLOAD_EXPIRY": "60s", "QUEUE_KEEP_SECONDS": "10",
             "MAX_ACTIVE_TRANSFERS": "8", "LOG_LEVEL": "info"},
        )  # fmt: skip
        server.start()
        try:
            return soak(server, minutes, clients)
        finally:
            server.end()


if __name__ == "__main__":
    sys.exit(main())
