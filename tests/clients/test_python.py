"""The Python client: its own checks and tests, and its README as written."""

import re
from pathlib import Path

import pytest

from tests.clients.programs import CLIENTS, fenced, require, run
from tests.clients.stage import Stage
from tests.people import ADMIN_NAME, ADMIN_PASSWORD

README = CLIENTS / "python" / "README.md"


pytestmark = pytest.mark.timeout(900)


def test_its_checks_and_tests_pass(stage: Stage):
    require("python3", "make")
    run(["make", "-C", "clients/python", "check", "test"], stage.environment, timeout=840)


@pytest.fixture(scope="module")
def first_page(stage: Stage, tmp_path_factory) -> tuple[Path, str]:
    """Return the folder where "From clone to first page" was followed, and what was printed."""
    require("python3")
    folder = stage.furnish(tmp_path_factory.mktemp("python") / "clone")
    section = folder / "section.md"
    section.write_text(re.split(r"^## ", README.read_text(), flags=re.MULTILINE)[1])
    assert section.read_text().startswith("From clone to first page")
    serve, commands = fenced(section, "console")
    assert serve.startswith("$ make serve\n")  # the stage is what this would start
    lines = [line.removeprefix("$ ") for line in commands.splitlines()]
    script = "\n".join(["set -e", *lines]).replace("127.0.0.1:50051", stage.service.grpc)
    return folder, run(["bash", "-c", script], folder=folder, timeout=300)


def test_the_readme_leads_from_clone_to_first_page(stage: Stage, first_page: tuple[Path, str]):
    assert set(stage.scan_lines) <= set(first_page[1].splitlines())


def test_every_program_of_the_readme_runs(stage: Stage, first_page: tuple[Path, str]):
    folder, _ = first_page
    environment = stage.caller | {"OCR_USER": ADMIN_NAME, "OCR_PASSWORD": ADMIN_PASSWORD}
    streamed, whole, session, batch = fenced(README, "python")
    assert sum(map(bool, streamed.splitlines())) <= 10
    line = stage.scan_lines[0]
    program = folder / "program.py"
    for text, printed in ((streamed, line), (whole, line), (session, ""), (batch, line)):
        program.write_text(text)
        assert printed in run(["first/bin/python", "program.py"], environment, folder)
    assert (folder / "october.zip").read_bytes().startswith(b"PK")


def test_the_command_says_why_it_fails(stage: Stage, first_page: tuple[Path, str]):
    folder, _ = first_page
    command = "first/bin/ocr-extract --key ocr_wrong --address"
    script = f"{command} {stage.service.http} scan.pdf || test $? = 1"
    printed = run(["bash", "-c", script], folder=folder)
    assert "KEY_INVALID" in printed
    assert "ocr_wrong" not in printed
