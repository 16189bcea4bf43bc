# SPDX-License-Identifier: MIT
"""What the build makes from the table of settings, and what is installed
beside the programs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sftd import ROOT, program

MADE = Path(program()).resolve().parent / "docs"
UNIT = ROOT / "examples" / "sftd.service"


def print_config(*arguments):
    done = subprocess.run(
        [program(), "--print-config", *arguments],
        env={},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names():
    found = re.findall(r"^#?([A-Z_]+)=", print_config(), re.MULTILINE)
    assert "SERVER_PORT" in found and "ADMIN_API_KEY" in found
    return found


def sample():
    return (MADE / "sftd.conf.sample").read_text()


def test_the_sample_changes_nothing():
    assert print_config("--config", str(MADE / "sftd.conf.sample")) == (
        print_config()
    )


def test_the_sample_holds_every_setting_with_its_default(tmp_path):
    given = re.findall(r"^#([A-Z_]+)=", sample(), re.MULTILINE)
    assert given == names()
    said = re.sub(r"^#([A-Z_]+=)", r"\1", sample(), flags=re.MULTILINE)
    path = tmp_path / "sftd.conf"
    path.write_text(said)
    assert print_config("--config", str(path)) == print_config()


def test_the_manual_has_every_setting():
    page = (MADE / "man" / "sftd.8").read_text()
    assert "@" not in page
    told = re.findall(r"^\\fB([A-Z_]+)\\fR, ", page, re.MULTILINE)
    assert told == names()


@pytest.mark.skipif(not shutil.which("groff"), reason="needs groff")
@pytest.mark.parametrize(
    "page", [MADE / "man" / "sftd.8", ROOT / "docs" / "man" / "sft.1"]
)
def test_the_manuals_are_well_formed(page):
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", page],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs systemd-analyze"
)
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / "sftd.service"
    text = UNIT.read_text()
    assert "ExecStart=/usr/local/bin/sftd\n" in text
    unit.write_text(text.replace("/usr/local/bin/sftd", program()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_the_unit_names_settings_that_there_are():
    given = re.findall(
        r"^Environment=([A-Z_]+)=", UNIT.read_text(), re.MULTILINE
    )
    assert given and set(given) <= set(names())


def test_the_guide_names_settings_that_there_are():
    text = (ROOT / "docs" / "operations.md").read_text()
    given = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text)
    no_settings = {"CAP_NET_BIND_SERVICE", "LOG_FILE.backup"}
    assert given
    assert set(given) - no_settings <= set(names())
