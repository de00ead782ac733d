"""The Go client: its own tests, and what its README promises."""

import pytest

from tests.clients.programs import CLIENTS, ROOT, fenced, require, run
from tests.clients.stage import Stage

GO = CLIENTS / "go"
README = GO / "README.md"
COMMAND = str(GO / ".build/bin/ocr-extract")
ADDRESS = "127.0.0.1:50051"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    require("go", "make")
    run(["make", "-C", str(GO), "build"])


def test_its_own_tests_pass(stage: Stage):
    command = ["make", "-C", str(GO), "check", "test", "FLAGS=-v"]
    printed = run(command, stage.environment, timeout=850)
    assert "--- SKIP" not in printed


def test_the_example_reads_a_scan(stage: Stage, tmp_path):
    install = next(block for block in fenced(README, "sh") if "-replace=" in block)
    program = next(block for block in fenced(README, "go") if "func main()" in block)
    body = program.split("func main() {\n")[1].split("\n}\n")[0]
    assert len(body.splitlines()) <= 10
    assert ADDRESS in program
    (tmp_path / "main.go").write_text(program.replace(ADDRESS, stage.service.grpc))
    (tmp_path / "scan.pdf").symlink_to(stage.scan)
    run(["go", "mod", "init", "example"], folder=tmp_path)
    run(["sh", "-ec", install.replace("/path/to/ocr_grpc", str(ROOT))], folder=tmp_path)
    printed = run(["go", "run", "."], stage.caller, tmp_path)
    for line in stage.scan_lines:
        assert line in printed


def test_from_clone_to_first_page(stage: Stage, tmp_path):
    section = README.read_text().split("## From clone to first page")[1].split("\n## ")[0]
    (tmp_path / "section.md").write_text(section)
    serve, commands = fenced(tmp_path / "section.md", "sh")
    assert serve == "make serve\n"  # the stage does, with its data elsewhere
    clone = stage.furnish(tmp_path / "clone")
    address = {"OCR_ADDRESS": stage.service.grpc}
    assert "INVOICE" in run(["sh", "-ec", commands], address, clone)


def test_the_command_prints_a_scan_page_by_page(stage: Stage):
    caller = stage.caller
    options = ["--address", caller["OCR_ADDRESS"], "--key", caller["OCR_API_KEY"]]
    printed = run([COMMAND, *options, str(stage.scan)])
    assert [line.strip("\f") for line in printed.splitlines() if line] == stage.scan_lines
    assert printed.count("\f") == 2


def test_the_command_says_why_it_failed(stage: Stage, tmp_path):
    (tmp_path / "empty.pdf").touch()
    ended = f'{COMMAND} empty.pdf; test "$?" = 1; {COMMAND} 2>&1; test "$?" = 2'
    printed = run(["sh", "-c", ended], stage.caller, tmp_path)
    assert "EMPTY_DOCUMENT" in printed
    assert stage.caller["OCR_API_KEY"] not in printed
