"""The Java client: its own tests, and what its README promises."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.clients.programs import CLIENTS, ROOT, fenced, require, run
from tests.clients.stage import Stage
from tests.people import ADMIN_NAME, ADMIN_PASSWORD

HERE = CLIENTS / "java"
LINES = ["Invoice 10815", "Total 199.50 EUR", "Invoice 30815", "Total 399.50 EUR"]
CLASSPATH_OF = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath"
PROJECT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>example</groupId><artifactId>example</artifactId><version>1</version>
<dependencies>{}</dependencies>
</project>
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    require("java", "javac", "mvn", "make")
    run(["make", "-C", str(HERE), "build"])


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
    counts = re.findall(r"Tests run: (\d+), Failures: 0, Errors: 0, Skipped: 0", printed)
    assert counts
    assert int(counts[-1]) > 40


def test_the_example_of_the_readme_prints_the_text(tmp_path: Path, stage: Stage, caller):
    """A project of somebody else has only what the dependency brings along."""
    [dependency] = fenced(HERE / "README.md", "xml")
    (tmp_path / "pom.xml").write_text(PROJECT.format(dependency))
    maven = ["mvn", "-q", "-B", "-ntp", "-o", CLASSPATH_OF, "-Dmdep.outputFile=classpath"]
    run(maven, folder=tmp_path)
    (tmp_path / "Example.java").write_text(fenced(HERE / "README.md", "java")[0])
    classpath = (tmp_path / "classpath").read_text()
    java = ["java", "-cp", classpath, "Example.java", str(_scan(stage))]
    printed = run(java, caller, tmp_path, timeout=60)
    assert all(line in printed for line in LINES)


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
        (["scan.pdf", "--address", "127.0.0.1:1"], 1, "UNAVAILABLE"),
        ([], 2, "usage"),
    ],
)
def test_the_command_says_why_it_failed(clone, caller, arguments, status, reason):
    done = subprocess.run(
        [str(HERE / "ocr-extract"), *arguments],
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


def test_what_is_committed_names_no_machine():
    sources = [HERE / "pom.xml", HERE / "Makefile", *HERE.glob("src/**/*.*")]
    assert not [each for each in sources if str(ROOT) in each.read_text()]
