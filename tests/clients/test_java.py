"""The Java client: its own tests, and what its README promises."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import CLIENTS, ROOT, fenced, require, run
from tests.clients.stage import Stage
from tests.people import ADMIN_NAME, ADMIN_PASSWORD

HERE = CLIENTS / "java"
README = HERE / "README.md"
COMMAND = HERE / "ocr-extract"
CLASSPATH_OF = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath"
PROJECT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>example</groupId><artifactId>example</artifactId><version>1</version>
<dependencies>{}</dependencies>
</project>
"""
PROGRAM = """
import java.nio.file.*; import java.util.*; import ocrgrpc.client.*; import ocrgrpc.v1.*;
public class Blocks {{
  static void session(String password) {{ {} }}
  static void batch(OcrClient client, Path a, Path b) throws Exception {{ {} }}
  static void error(OcrClient client, Path path) throws Exception {{ {} }}
  public static void main(String[] arguments) throws Exception {{
    session(arguments[0]);
    String key = System.getenv("OCR_API_KEY");
    try (var client = OcrClient.builder(System.getenv("OCR_ADDRESS")).apiKey(key).build()) {{
      batch(client, Path.of("scan.pdf"), Path.of("scan.pdf"));
      error(client, Path.of("empty.pdf"));
    }}
  }}
}}
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def first_page(stage: Stage, tmp_path_factory) -> tuple[Path, str]:
    """Return the folder where "From clone to first page" was followed, and what was printed."""
    require("java", "javac", "mvn", "make")
    clone = stage.furnish(tmp_path_factory.mktemp("clone") / "ocr_grpc")
    [block] = fenced(README, "console")
    commands = "\n".join(line.removeprefix("$ ") for line in block.splitlines())
    address = {"OCR_ADDRESS": stage.service.grpc}
    return clone, run(["bash", "-ec", commands], address, clone, timeout=500)


@pytest.fixture(scope="module")
def project(first_page, tmp_path_factory) -> tuple[Path, str]:
    """Return a project of somebody else's and what Maven finds for its one dependency."""
    folder = tmp_path_factory.mktemp("project")
    [dependency] = fenced(README, "xml")
    (folder / "pom.xml").write_text(PROJECT.format(dependency))
    run(
        ["mvn", "-q", "-B", "-ntp", "-o", CLASSPATH_OF, "-Dmdep.outputFile=classpath"],
        folder=folder,
    )
    return folder, (folder / "classpath").read_text()


def test_from_clone_to_first_page(stage: Stage, first_page):
    assert all(line in first_page[1] for line in stage.scan_lines)


def test_its_own_checks_and_tests_pass(stage: Stage):
    require("java", "javac", "mvn", "make")
    printed = run(["make", "-C", str(HERE), "check", "test"], stage.environment, timeout=850)
    counts = re.findall(r"Tests run: (\d+), Failures: 0, Errors: 0, Skipped: 0", printed)
    assert counts
    assert int(counts[-1]) > 60


def test_the_example_of_the_readme_prints_the_text(stage: Stage, project):
    folder, classpath = project
    example = fenced(README, "java")[0]
    assert sum(map(bool, example.splitlines())) <= 10
    (folder / "Example.java").write_text(example)
    java = ["java", "-cp", classpath, "Example.java", str(stage.scan)]
    printed = run(java, stage.caller, folder, timeout=60)
    assert all(line in printed for line in stage.scan_lines)


def test_the_other_programs_of_the_readme_run(stage: Stage, project):
    folder, classpath = project
    session, batch, error = fenced(README, "java")[1:]
    session = session.replace("127.0.0.1:50051", stage.service.grpc).replace("anna", ADMIN_NAME)
    (folder / "Blocks.java").write_text(PROGRAM.format(session, batch, error))
    (folder / "scan.pdf").write_bytes(stage.scan.read_bytes())
    (folder / "empty.pdf").touch()
    java = ["java", "-cp", classpath, "Blocks.java", ADMIN_PASSWORD]
    printed = run(java, stage.caller, folder, timeout=120)
    assert "INVALID_ARGUMENT EMPTY_DOCUMENT" in printed
    assert "\n6\n" in printed  # pages of both documents, in the progress of the last event
    assert (folder / "batch.zip").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["scan.pdf", "--key", "ocr_nonsense"], 1, "KEY_INVALID"),
        (["scan.pdf", "--key", "ocr_nonsense\nocr_nonsense"], 1, "characters"),
        (["nothing.pdf"], 1, "nothing.pdf"),
        (["clients"], 1, "clients: is a folder"),
        (["scan.pdf", "--address", "127.0.0.1:1"], 1, "refused"),
        (["scan.pdf", "--ca", "scan.pdf"], 1, "certificates"),
        ([], 2, "usage"),
    ],
)
def test_the_command_says_why_it_failed(stage: Stage, first_page, arguments, status, reason):
    done = subprocess.run(
        [str(COMMAND), *arguments],
        env=os.environ | stage.caller,
        cwd=first_page[0],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "ocr_nonsense" not in done.stderr


def test_the_command_reads_what_has_another_name_or_none(stage: Stage, first_page):
    """Java without a language in its environment would not find the file, by default."""
    folder, _ = first_page
    (folder / "Rechnung für 😀.txt").write_text("Grüße")
    script = f'{COMMAND} "Rechnung für 😀.txt"; cat scan.pdf | {COMMAND} /dev/stdin'
    environment = stage.caller | {"LC_ALL": "C", "LANG": "C"}
    printed = run(["bash", "-ec", script], environment, folder)
    assert all(line in printed for line in ["Grüße", *stage.scan_lines])


def test_what_is_committed_names_no_machine():
    sources = [HERE / "pom.xml", HERE / "Makefile", *HERE.glob("src/**/*.*")]
    assert not [each for each in sources if str(ROOT) in each.read_text()]
