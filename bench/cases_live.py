# SPDX-License-Identifier: MIT
"""The cases of live events, beside Node's socket.io."""

from common import Case, Failed, Row, ratio
from live.live import RATE, Node, Ours, broadcast

BUSY = 4 * RATE


def tell(figure, rate=RATE):
    """A thousand subscribers hear of changes at that rate a second."""

    def run(server, scale):
        try:
            result = broadcast(server, 1 / scale, rate)
        except OSError as e:
            raise Failed(str(e)) from e
        return result[figure], result

    return run


def rows(figure):
    return [
        Row("sftd", Ours, tell(figure)),
        Row("node", Node, tell(figure)),
        Row("sftd, busy", Ours, tell(figure, BUSY)),
        Row("node, busy", Node, tell(figure, BUSY)),
    ]


CASES = [
    Case("live-1000", "events per s of CPU", rows("per_cpu_second")),
    Case("live-1000-delay", "ms, p99", rows("p99_ms")[:2]),
]


def targets(case, m):
    if case == "live-1000":
        return [
            ratio("sftd / node", m["sftd"] / m["node"], 5),
            ratio("busy", m["sftd, busy"] / m["node, busy"], 5),
        ]
    return [ratio("sftd / node", m["sftd"] / m["node"], 0.5, at_least=False)]
