"""Runs the commands of a page of Markdown, as written, and compares what they print.

Every block ```console of a page is run, top down, by one bash, so that variables and functions
last from one block to the next. The rules of such a block:

- A line that begins with `$ ` is a command; it goes on in the next line after a backslash or `|`,
  and in lines that begin with `> `. What follows, up to the next command, is what it prints, to
  both streams. A command with nothing below it may print what it likes.
- `…` stands for anything in its line. A line of nothing else stands for any number of lines, also
  none. There is no other rule for ids, times and secrets: a page leaves out what differs.
- A command must succeed, unless the next one is `echo $?`, which then shows with what it ended.
"""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.clients.programs import ROOT, fenced, require

STATUS = "echo $?"
PROGRAMS = (ROOT / ".build" / "bin", ROOT / ".venv" / "bin")
"""Where `.ci/tools` and `make setup` put programs; both come before PATH."""


def search_path() -> str:
    """Return the PATH of the commands."""
    return os.pathsep.join([*map(str, PROGRAMS), os.environ["PATH"]])


@dataclass(frozen=True)
class Step:
    """A command and what its page says that it prints."""

    command: str
    printed: str


def steps_of(page: Path) -> list[Step]:
    """Return the commands of a page in their order."""
    steps = []
    for block in fenced(page, "console"):
        assert block.startswith("$ "), f"{page.name}: a block begins with no command:\n{block}"
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            written = re.match(r"(?:.*[\\|]\n)*.*\n(?:> .*\n)*", part)[0]
            command = re.sub(r"^> ", "", written, flags=re.MULTILINE).rstrip("\n")
            steps.append(Step(command, part[len(written) :]))
    return steps


def fits(shown: str, printed: str) -> bool:
    """Whether a program printed what a page shows."""
    pattern = ""
    for line in _lines(shown):
        words = map(re.escape, line.split("…"))
        pattern += r"(?:.*\n)*" if line == "…" else ".*".join(words) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def run_page(
    page: Path, folder: Path, names: Mapping[str, str], timeout_seconds: float = 300
) -> None:
    """Run the commands of a page, as `run_steps` does."""
    run_steps(page.name, steps_of(page), folder, names, timeout_seconds)


def run_steps(
    title: str,
    steps: list[Step],
    folder: Path,
    names: Mapping[str, str],
    timeout_seconds: float = 300,
) -> None:
    """Run commands in a folder; fail at the first that ends badly or prints something else.

    Args:
        title: what failures name.
        steps: the commands.
        folder: where they run; their home, too.
        names: what stands in them, such as an address, and what is run in its place.
        timeout_seconds: what all of them together may take.
    """
    script = _script([step.command for step in steps], folder)
    for name, real in names.items():
        script = script.replace(name, real)
    said = _run(script, folder, timeout_seconds)
    for number, (step, following) in enumerate(pairwise([*steps, Step("", "")])):
        file, what = folder / f"step-{number}", f"{title}: $ {step.command}"
        assert file.exists(), f"{what}\nwas not run, or took too long.\n{said}"
        printed = file.read_text()
        for name, real in names.items():
            printed = printed.replace(real, name)
        status = file.with_suffix(".status").read_text().strip()
        known = status == "0" or following.command == STATUS
        assert known, f"{what}\nended with {status} and printed\n{printed}"
        if step.printed:
            both = f"shows\n{step.printed}\nand printed\n{printed}"
            assert fits(step.printed, printed), f"{what}\n{both}"


def _script(commands: list[str], folder: Path) -> str:
    """Return a script that keeps what each command prints, and how it ends, in files."""
    lines = []
    for number, (command, following) in enumerate(pairwise([*commands, ""])):
        file = folder / f"step-{number}"
        lines += [f"{{ {command}", f"}} >{file}.part 2>&1"]
        lines += [f"ended=$?; echo $ended >{file}.status; mv {file}.part {file}"]
        if following != STATUS:
            lines += ["[ $ended = 0 ] || exit"]
        lines += ["(exit $ended)"]  # so that the next command sees it as $?
    return "\n".join(lines) + "\n"


def _run(script: str, folder: Path, timeout_seconds: float) -> str:
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": search_path(), "HOME": str(folder), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            return process.communicate(timeout=timeout_seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.communicate()[0]


def require_tools(*programs: str) -> None:
    """Skip, or in CI fail, where one of some programs is neither installed nor in `.build/bin`."""
    require(*programs, path=search_path())
