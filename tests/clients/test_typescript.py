"""The TypeScript client: its own tests, and what its README promises."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.clients.programs import CLIENTS, ROOT, fenced, require, run
from tests.clients.stage import Stage
from tests.people import ADMIN_NAME, ADMIN_PASSWORD

HERE = CLIENTS / "typescript"
LINES = ["Invoice 10815", "Total 199.50 EUR", "Invoice 30815", "Total 399.50 EUR"]

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


@pytest.fixture(scope="module")
def caller(stage: Stage) -> dict[str, str]:
    """Return where the service is and a key for it, as the README's commands expect them."""
    with httpx.Client(base_url=f"http://{stage.service.http}", trust_env=False) as client:
        login = {"user_name": ADMIN_NAME, "password": ADMIN_PASSWORD}
        token = client.post("/v1/auth/login", json=login).json()["access_token"]
        made = client.post("/v1/keys", json={}, headers={"authorization": f"Bearer {token}"})
        assert made.status_code == 200, made.text
    return {"OCR_ADDRESS": stage.service.grpc, "OCR_API_KEY": made.json()["secret"]}


@pytest.fixture
def clone(tmp_path: Path, stage: Stage, caller: dict[str, str]) -> Path:
    """Return a folder that looks like a clone beside a running service, with a scan in it."""
    (tmp_path / "clients").symlink_to(CLIENTS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "local.key").write_text(caller["OCR_API_KEY"])
    shutil.copy(_scan(stage), tmp_path)
    return tmp_path


def _scan(stage: Stage) -> Path:
    return Path(stage.environment["OCR_SAMPLES"]) / "scan.pdf"


def test_its_own_checks_and_tests_pass(stage: Stage):
    printed = run(["make", "-C", str(HERE), "check", "test"], stage.environment, timeout=850)
    assert "# fail 0" in printed
    assert "# skipped 0" in printed


def test_the_example_of_the_readme_prints_the_text(tmp_path: Path, stage: Stage, caller):
    """A project of somebody else has only what the package brings along."""
    run(["npm", "pack", "--silent", "--pack-destination", str(tmp_path)], folder=HERE)
    [package] = tmp_path.glob("*.tgz")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    (tmp_path / "package.json").write_text('{"private": true}')
    run([*install, f"./{package.name}"], folder=tmp_path)
    (tmp_path / "example.mjs").write_text(fenced(HERE / "README.md", "js")[0])
    printed = run(["node", "example.mjs", str(_scan(stage))], caller, tmp_path, timeout=60)
    assert all(line in printed for line in LINES)
    command = ["npx", "--no-install", "ocr-extract", str(_scan(stage))]
    assert all(line in run(command, caller, tmp_path, timeout=60) for line in LINES)


def test_from_clone_to_first_page(clone: Path, caller: dict[str, str]):
    [block] = fenced(HERE / "README.md", "console")
    commands = [line.removeprefix("$ ") for line in block.splitlines()]
    environment = {"OCR_ADDRESS": caller["OCR_ADDRESS"]}
    printed = run(["bash", "-ec", "\n".join(commands)], environment, clone)
    assert all(line in printed for line in LINES)


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["scan.pdf", "--key", "ocr_nonsense"], 1, "KEY_INVALID"),
        (["nothing.pdf"], 1, "nothing.pdf"),
        (["scan.pdf", "--address", "127.0.0.1:1"], 1, "ECONNREFUSED"),
        ([], 2, "Usage"),
    ],
)
def test_the_command_says_why_it_failed(clone, caller, arguments, status, reason):
    command = ["node", str(HERE / "dist" / "node" / "ocr-extract.js"), *arguments]
    done = subprocess.run(
        command,
        env=os.environ | caller,
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert reason in done.stderr
    assert "ocr_nonsense" not in done.stderr


def test_what_is_published_names_no_machine():
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert str(ROOT) not in lock
