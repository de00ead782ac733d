"""The Go client: its own tests, and what its README promises."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.clients.programs import CLIENTS, ROOT, fenced, require, run
from tests.clients.stage import Stage

GO = CLIENTS / "go"
README = GO / "README.md"
ADDRESS = "127.0.0.1:50051"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(autouse=True)
def toolchain() -> None:
    require("go", "make")


def key_of(stage: Stage) -> str:
    """Return the secret of a new API key of the administrator."""

    def post(path: str, body: dict[str, object], **headers: str) -> dict[str, str]:
        url = f"http://{stage.environment['OCR_ENVOY']}{path}"
        headers |= {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    name, password = (stage.environment[f"OCR_ADMIN_{each}"] for each in ("NAME", "PASSWORD"))
    session = post("/v1/auth/login", {"user_name": name, "password": password})
    bearer = f"Bearer {session['access_token']}"
    return post("/v1/keys", {"display_name": "go"}, authorization=bearer)["secret"]


def lines_of_the_scan(stage: Stage) -> list[str]:
    pages = json.loads((Path(stage.environment["OCR_SAMPLES"]) / "expected.json").read_text())
    return [line for page in pages for line in page]


def test_its_own_tests_pass(stage):
    run(["make", "-C", str(GO), "check", "test"], stage.environment, timeout=850)


def test_the_example_reads_a_scan(stage, tmp_path):
    install = next(block for block in fenced(README, "sh") if "-replace=" in block)
    program = next(block for block in fenced(README, "go") if "func main()" in block)
    assert ADDRESS in program
    (tmp_path / "main.go").write_text(program.replace(ADDRESS, stage.environment["OCR_GRPC"]))
    scan = Path(stage.environment["OCR_SAMPLES"]) / "scan.pdf"
    (tmp_path / "scan.pdf").write_bytes(scan.read_bytes())
    run(["go", "mod", "init", "example"], folder=tmp_path)
    run(["sh", "-ec", install.replace("/path/to/ocr_grpc", str(ROOT))], folder=tmp_path)
    printed = run(["go", "run", "."], {"OCR_API_KEY": key_of(stage)}, folder=tmp_path)
    for line in lines_of_the_scan(stage):
        assert line in printed


def test_from_clone_to_first_page(stage, tmp_path):
    section = README.read_text().split("## From clone to first page")[1].split("\n## ")[0]
    (tmp_path / "section.md").write_text(section)
    serve, commands = fenced(tmp_path / "section.md", "sh")
    assert serve == "make serve\n"  # the stage does, with its data elsewhere
    clone = tmp_path / "clone"
    (clone / "data").mkdir(parents=True)
    (clone / "data" / "local.key").write_text(key_of(stage))
    for name in (".venv", "benchmarks", "clients", "ocr_grpc", "tests"):
        (clone / name).symlink_to(ROOT / name)
    address = {"OCR_ADDRESS": stage.environment["OCR_GRPC"]}
    assert "INVOICE" in run(["sh", "-ec", commands], address, folder=clone)


def test_the_command_prints_a_scan_page_by_page(stage):
    scan = str(Path(stage.environment["OCR_SAMPLES"]) / "scan.pdf")
    run(["make", "-C", str(GO), "build"])
    command = [str(GO / ".build/bin/ocr-extract"), "--address", stage.environment["OCR_GRPC"]]
    printed = run([*command, "--key", key_of(stage), scan])
    assert [line.strip("\f") for line in printed.splitlines() if line] == lines_of_the_scan(stage)
    assert printed.count("\f") == 2


def test_the_command_says_why_it_failed(stage, tmp_path):
    run(["make", "-C", str(GO), "build"])
    command = str(GO / ".build/bin/ocr-extract")
    key = key_of(stage)
    environment = {"OCR_API_KEY": key, "OCR_ADDRESS": stage.environment["OCR_GRPC"]}
    empty = tmp_path / "empty.pdf"
    empty.touch()
    ended = f'{command} {empty}; test "$?" = 1; {command} 2>&1; test "$?" = 2'
    printed = run(["sh", "-c", ended], environment)
    assert "EMPTY_DOCUMENT" in printed
    assert key not in printed
