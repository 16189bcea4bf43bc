# SPDX-License-Identifier: MIT
"""Memory runs out somewhere: allocations.py says what may come of it."""

import allocations
import pytest

# Of the thousands that tests/fault/allocations.py can try.
RUNS = 60


def test_memory_runs_out():
    if not (allocations.ROOT / "build/unit_tests").exists():
        pytest.skip("needs script/build")
    count, complaints = allocations.survey("test_base", each=1, most=RUNS)
    assert count == RUNS and not complaints, "\n".join(complaints)


@pytest.mark.parametrize("layer", ["net_http", "engine_upload", "api_app"])
def test_memory_runs_out_in_layers_with_threads(layer):
    if not (allocations.ROOT / "build/unit_tests").exists():
        pytest.skip("needs script/build")
    count, complaints = allocations.survey(f"test_{layer}", each=1, most=20)
    assert count > 0 and not complaints, "\n".join(complaints)
