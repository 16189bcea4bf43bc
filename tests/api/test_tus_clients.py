# SPDX-License-Identifier: MIT
"""The tus clients that people use, unmodified: tus-js-client and Uppy."""

import json
import shutil
import subprocess

import pytest

from chunks import content
from cutter import Cutter
from sftd import ROOT

NODE = ROOT / "tests" / "node"
MIB = 1024 * 1024
BOTH = pytest.mark.parametrize("encryption", ["false", "true"])


@pytest.fixture
def run(tmp_path):
    """run(script, data, **asked) is what the script printed."""
    if shutil.which("node") is None or not (NODE / "node_modules").exists():
        pytest.skip("needs node, and `npm ci` in tests/node")

    def run_one(script, data, **asked):
        path = tmp_path / "data"
        path.write_bytes(data)
        asked["path"] = str(path)
        done = subprocess.run(
            ["node", str(NODE / script), json.dumps(asked)],
            capture_output=True,
            text=True,
            timeout=120,
        )
        print(done.stderr[-2000:])
        return json.loads(done.stdout.splitlines()[-1])

    return run_one


def uploaded(answer):
    assert "error" not in answer, answer
    return answer


@BOTH
def test_in_one_go(server, name, run, encryption):
    data = content(5 * MIB + 1)
    uploaded(
        run(
            "tus_upload.js",
            data,
            endpoint=server.url + "/tus/",
            options={"metadata": {"filename": name, "encryption": encryption}},
        )
    )
    assert server.has(name, data)


def test_in_chunks_with_their_first_bytes_at_creation(server, name, run):
    data = content(3 * MIB)
    answer = uploaded(
        run(
            "tus_upload.js",
            data,
            endpoint=server.url + "/tus/",
            options={
                "metadata": {"filename": name},
                "chunkSize": MIB,
                "uploadDataDuringCreation": True,
            },
        )
    )
    assert [m for m, _ in answer["requests"]] == ["POST", "PATCH", "PATCH"]
    assert server.has(name, data)


@BOTH
def test_in_parallel(server, name, run, encryption):
    data = content(6 * MIB + 3)
    uploaded(
        run(
            "tus_upload.js",
            data,
            endpoint=server.url + "/tus/",
            options={
                "metadata": {"filename": name, "encryption": encryption},
                "parallelUploads": 4,
            },
        )
    )
    assert server.has(name, data)


def test_with_the_method_overridden(server, name, run):
    data = content(MIB)
    uploaded(
        run(
            "tus_upload.js",
            data,
            endpoint=server.url + "/tus/",
            options={
                "metadata": {"filename": name},
                "overridePatchMethod": True,
            },
        )
    )
    assert server.has(name, data)


@BOTH
@pytest.mark.parametrize("parallel", [1, 3])
def test_over_a_bad_network(server, name, run, parallel, encryption):
    data = content(8 * MIB + 11)
    with Cutter(server, f"{parallel} {encryption}", 12, 3 * MIB) as cutter:
        uploaded(
            run(
                "tus_upload.js",
                data,
                endpoint=cutter.url + "/tus/",
                options={
                    "metadata": {"filename": name, "encryption": encryption},
                    "parallelUploads": parallel,
                },
            )
        )
        assert cutter.made > 0
    assert server.has(name, data)


@pytest.mark.parametrize("size", [None, MIB])
def test_uppy(server, name, run, size):
    data = content(4 * MIB + 5)
    options = {} if size is None else {"chunkSize": size}
    answer = run(
        "uppy_upload.js",
        data,
        endpoint=server.url + "/tus/",
        name=name,
        options=options,
    )
    assert answer == {"successful": 1, "failed": []}
    assert server.has(name, data)
