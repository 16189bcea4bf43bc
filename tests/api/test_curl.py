# SPDX-License-Identifier: MIT
"""curl, as people use it."""

import json
import random
import subprocess

import pytest

import expect

DATA = random.Random(90).randbytes(3 << 20)


@pytest.fixture
def curl(tmp_path):
    """curl(arguments...): what it printed; it must succeed."""

    def run(*arguments, status=0):
        done = subprocess.run(
            ["curl", "-q", "-sS", "--noproxy", "*", "-m", "60", *arguments],
            cwd=tmp_path,
            capture_output=True,
            timeout=90,
        )
        assert done.returncode == status, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture
def file(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(DATA)
    return path


def uploaded(out, name, data=DATA):
    answer = json.loads(out)
    assert answer["success"] is True
    assert answer["filename"] == name
    assert answer["hash"] == expect.sha256(data)
    assert answer["size"] == len(data)


def test_a_form(server, curl, file):
    out = curl("-F", f"file=@{file.name}", f"{server.url}/upload")
    uploaded(out, file.name)
    assert server.has(file.name, DATA)


def test_a_form_with_options_on_both_sides(server, curl, file, names):
    name = names()
    out = curl(
        "-F",
        "priority=7",
        "-F",
        f"file=@{file.name};type=text/plain",
        "-F",
        f"filename={name}",
        "-F",
        f"sha256={expect.sha256(DATA)}",
        f"{server.url}/upload",
    )
    uploaded(out, name)
    assert json.loads(out)["priority"] == 7


@pytest.mark.parametrize(
    "text", ["two words.txt", "Grüße.txt", 'q"uote.txt', "a;b,c.txt"]
)
def test_a_form_with_a_difficult_name(server, curl, tmp_path, names, text):
    name = names("") + text
    (tmp_path / "source").write_bytes(DATA[:1000])
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    out = curl(
        "-F", f'file=@source;filename="{quoted}"', f"{server.url}/upload"
    )
    uploaded(out, name, DATA[:1000])


def test_put(server, curl, file):
    url = f"{server.url}/upload/{file.name}"
    out = curl("-T", file.name, "-w", " %{http_code}", url)
    body, status = out.rsplit(b" ", 1)
    uploaded(body, file.name)
    assert status == b"201"
    out = curl("-T", file.name, "-w", " %{http_code}", url)
    assert out.rsplit(b" ", 1)[1] == b"200"


def test_put_to_a_folder_takes_the_files_name(server, curl, file, names):
    top = names("")
    out = curl("-T", file.name, f"{server.url}/upload/{top}/")
    uploaded(out, f"{top}/{file.name}")


def test_put_from_a_pipe(server, file, name):
    # chunked, with Expect: 100-continue
    command = (
        f"cat {file.name} | curl -q -sS --noproxy '*' -m 60 -T - "
        f"{server.url}/upload/{name}"
    )
    done = subprocess.run(
        command, shell=True, cwd=file.parent, capture_output=True, timeout=90
    )
    uploaded(done.stdout, name)


def test_download_by_the_servers_name(server, curl, names, tmp_path):
    name = f"{names('')}/folder/{names()}"
    server.put(name, DATA)
    curl("-O", "-J", f"{server.url}/download/{name}")
    assert (tmp_path / name.split("/")[-1]).read_bytes() == DATA


def test_a_broken_off_download_goes_on(server, curl, name, tmp_path):
    server.put(name, DATA)
    (tmp_path / "part").write_bytes(DATA[:1_000_000])
    curl("-C", "-", "-o", "part", f"{server.url}/download/{name}")
    assert (tmp_path / "part").read_bytes() == DATA


def test_a_range(server, curl, name):
    server.put(name, DATA)
    out = curl("-r", "100-199", f"{server.url}/download/{name}")
    assert out == DATA[100:200]


def test_head(server, curl, name):
    server.put(name, DATA)
    out = curl("-I", f"{server.url}/download/{name}").decode()
    assert out.startswith("HTTP/1.1 200 ")
    assert f"Content-Length: {len(DATA)}".lower() in out.lower()


def test_only_when_it_changed(server, curl, name, tmp_path):
    server.put(name, DATA)
    url = f"{server.url}/download/{name}"
    curl("--etag-save", "tag", "-o", "copy", url)
    out = curl("--etag-compare", "tag", "-w", "%{http_code}", url)
    assert out == b"304"


def test_fail_flags(server, curl, name):
    url = f"{server.url}/download/{name}"
    curl("-f", url, status=22)
    out = curl("--fail-with-body", url, status=22)
    assert json.loads(out)["code"] == "file_not_found"


def test_many_in_parallel(server, curl, name):
    server.put(name, DATA)
    url = f"{server.url}/download/{name}?[1-12]"
    out = curl("-Z", "-o", "out-#1", "-w", "%{http_code}\n", url)
    assert out.split() == [b"200"] * 12


def test_a_bearer_key(server, curl, admin):
    out = curl(
        "-H",
        f"Authorization: Bearer {server.admin_key}",
        f"{server.url}/keys",
    )
    assert "keys" in json.loads(out)


def test_a_refusal_of_a_large_file_can_be_read(start, curl, file):
    own = start(MAX_FILE_SIZE="1M")
    for arguments in (
        ("-F", f"file=@{file.name}", f"{own.url}/upload"),
        ("-T", file.name, f"{own.url}/upload/x"),
        ("-H", "Expect:", "-T", file.name, f"{own.url}/upload/x"),
    ):
        answer = json.loads(curl(*arguments))
        assert answer["code"] == "file_too_large"
        assert answer["max_file_size"] == 1 << 20
