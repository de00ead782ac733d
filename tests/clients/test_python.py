"""The Python client: its own checks and tests, and its README as written."""

import re
from pathlib import Path

import pytest

from tests.clients.programs import CLIENTS, fenced, require, run
from tests.clients.stage import Stage
from tests.people import ADMIN_NAME, ADMIN_PASSWORD

README = CLIENTS / "python" / "README.md"
LINE = "Invoice 10815"


@pytest.mark.timeout(900)
def test_its_checks_and_tests_pass(stage: Stage):
    require("python3", "make")
    run(["make", "-C", "clients/python", "check", "test"], stage.environment, timeout=840)


@pytest.fixture(scope="module")
def first_page(stage: Stage, tmp_path_factory) -> tuple[Path, str]:
    """Return the folder where "From clone to first page" was followed, and what was printed."""
    require("python3")
    folder = tmp_path_factory.mktemp("clone")
    (folder / "clients").symlink_to(CLIENTS)
    (folder / "data").symlink_to(stage.service.log.parent / "data")
    (folder / "scan.pdf").symlink_to(Path(stage.environment["OCR_SAMPLES"], "scan.pdf"))
    section = folder / "section.md"
    section.write_text(re.split(r"^## ", README.read_text(), flags=re.MULTILINE)[1])
    assert section.read_text().startswith("From clone to first page")
    serve, commands = fenced(section, "console")
    assert serve.startswith("$ make serve\n")  # the stage is what this would start
    lines = [line.removeprefix("$ ") for line in commands.splitlines()]
    script = "\n".join(["set -e", *lines]).replace("127.0.0.1:50051", stage.service.grpc)
    return folder, run(["bash", "-c", script], folder=folder, timeout=300)


@pytest.mark.timeout(900)
def test_the_readme_leads_from_clone_to_first_page(first_page: tuple[Path, str]):
    assert LINE in first_page[1]


@pytest.mark.timeout(900)
def test_every_program_of_the_readme_runs(stage: Stage, first_page: tuple[Path, str]):
    folder, _ = first_page
    environment = {
        "OCR_ADDRESS": stage.service.grpc,
        "OCR_API_KEY": (folder / "data" / "local.key").read_text().strip(),
        "OCR_USER": ADMIN_NAME,
        "OCR_PASSWORD": ADMIN_PASSWORD,
    }
    streamed, whole, session, batch = fenced(README, "python")
    assert sum(map(bool, streamed.splitlines())) <= 10
    program = folder / "program.py"
    for text, line in ((streamed, LINE), (whole, LINE), (session, ""), (batch, LINE)):
        program.write_text(text)
        assert line in run(["first/bin/python", "program.py"], environment, folder)
    assert (folder / "october.zip").read_bytes().startswith(b"PK")


@pytest.mark.timeout(900)
def test_the_command_says_why_it_fails(stage: Stage, first_page: tuple[Path, str]):
    folder, _ = first_page
    command = "first/bin/ocr-extract --key ocr_wrong --address"
    script = f"{command} {stage.service.http} scan.pdf || test $? = 1"
    assert "UNAUTHENTICATED" in run(["bash", "-c", script], folder=folder)
