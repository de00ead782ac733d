"""Runs programs of other languages for tests, and finds the examples of READMEs."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.clients.stage import ROOT

CLIENTS = ROOT / "clients"


def require(*programs: str, path: str | None = None) -> None:
    """Skip, or in CI fail, where one of some programs is not on a path, by default PATH."""
    for program in programs:
        if shutil.which(program, path=path) is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
                f"The program `{program}` is not installed; see `.ci/tools`."
            )


def run(
    command: list[str],
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    timeout: float = 600,
) -> str:
    """Run a program to its good end; return what it printed."""
    # Clients take these variables from their users, not from whoever runs the tests.
    inherited = {name: each for name, each in os.environ.items() if not name.startswith("OCR_")}
    done = subprocess.run(
        command,
        env={**inherited, **(environment or {})},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def fenced(page: Path, language: str) -> list[str]:
    """Return the blocks of code of a language in a page of Markdown."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
