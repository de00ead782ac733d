"""The TypeScript client: its own tests, and what its README promises."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import CLIENTS, ROOT, fenced, require, run
from tests.clients.stage import Stage

HERE = CLIENTS / "typescript"
COMMAND = HERE / "dist" / "node" / "ocr-extract.js"

pytestmark = pytest.mark.timeout(900)


def build() -> None:
    """Build the client. What is built is left as it is, so others may use it meanwhile."""
    require("node", "npm", "make")
    lock = ROOT / ".build" / "typescript.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # two files of tests may run at once
        run(["make", "-C", str(HERE), "build"])


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build()


def test_its_own_checks_and_tests_pass(stage: Stage):
    printed = run(["make", "-C", str(HERE), "check", "test"], stage.environment, timeout=850)
    assert "# fail 0" in printed
    assert "# skipped 0" in printed


def test_the_example_of_the_readme_prints_the_text(tmp_path: Path, stage: Stage):
    """A project of somebody else has only what the package brings along."""
    run(["npm", "pack", "--silent", "--pack-destination", str(tmp_path)], folder=HERE)
    [package] = tmp_path.glob("*.tgz")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    (tmp_path / "package.json").write_text('{"private": true}')
    run([*install, f"./{package.name}"], folder=tmp_path)
    (tmp_path / "example.mjs").write_text(fenced(HERE / "README.md", "js")[0])
    # An error that nobody hears of would end the program.
    example = ["node", "--unhandled-rejections=strict", "example.mjs", str(stage.scan)]
    command = ["npx", "--no-install", "ocr-extract", str(stage.scan)]
    for each in (example, command):
        printed = run(each, stage.caller, tmp_path, timeout=60)
        assert all(line in printed for line in stage.scan_lines)


def test_from_clone_to_first_page(tmp_path: Path, stage: Stage):
    [block] = fenced(HERE / "README.md", "console")
    commands = [line.removeprefix("$ ") for line in block.splitlines()]
    environment = {"OCR_ADDRESS": stage.service.grpc}
    clone = stage.furnish(tmp_path / "clone")
    printed = run(["bash", "-ec", "\n".join(commands)], environment, clone)
    assert all(line in printed for line in stage.scan_lines)


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["scan.pdf", "--key", "ocr_nonsense"], 1, "KEY_INVALID"),
        (["scan.pdf", "--key", "ocr_\nnonsense"], 1, "x-api-key"),
        (["nothing.pdf"], 1, "nothing.pdf"),
        (["."], 1, "folder"),
        (["scan.pdf", "--address", "127.0.0.1:1"], 1, "ECONNREFUSED"),
        (["scan.pdf", "--address", "127.0.0.1"], 1, "host:port"),
        ([], 2, "Usage"),
    ],
)
def test_the_command_says_why_it_failed(stage: Stage, arguments, status, reason):
    done = subprocess.run(
        ["node", str(COMMAND), *arguments],
        env=os.environ | stage.caller,
        cwd=stage.scan.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert reason in done.stderr
    assert "nonsense" not in done.stderr


def test_the_command_ends_without_a_word_when_nobody_reads_on(stage: Stage):
    long = stage.scan.with_name("long.pdf")
    pipe = f'node {COMMAND} {long} | head -n 1; test "${{PIPESTATUS[0]}}" = 1'
    assert run(["bash", "-c", pipe], stage.caller, timeout=60) == "Chapter 0\n"


def test_what_is_published_names_no_machine():
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert str(ROOT) not in lock
