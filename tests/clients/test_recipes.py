"""The pages with recipes for grpcurl, grpc-health-probe and ghz, run with these programs."""

import json
import re
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.clients.programs import ROOT
from tests.clients.recipes import Step, fits, require_tools, run_page, run_steps, steps_of
from tests.clients.stage import SETTINGS, Service
from tests.processes import serve

DOCS = ROOT / "docs"
GRPCURL, SERVICES = DOCS / "grpcurl.md", DOCS / "grpcurl-services.md"
HEALTH, LOAD = DOCS / "health.md", DOCS / "load.md"
QUICK_START = DOCS / "quickstart.md"
PAGES = (GRPCURL, SERVICES, HEALTH, LOAD)
HOOK = "https://hooks.example.com"


@contextmanager
def hooks() -> Iterator[str]:
    """Yield the URL of a receiver that takes any message, and repeats challenges."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = body["data"].get("challenge", "").encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def furnish(folder: Path, samples: str, service: Service) -> None:
    """Put into a folder what the pages expect there."""
    (folder / "samples").symlink_to(samples)
    (folder / "data").mkdir()
    key = service.log.parent / "data" / "local.key"
    (folder / "data" / "local.key").write_text(key.read_text())


@pytest.fixture
def names(stage, tmp_path) -> dict[str, str]:
    """Return what stands in the pages, and what it is here."""
    furnish(tmp_path, stage.environment["OCR_SAMPLES"], stage.service)
    (tmp_path / "tls.crt").write_text(Path(stage.environment["OCR_CA_FILE"]).read_text())
    return {
        "127.0.0.1:50051": stage.service.grpc,
        "127.0.0.1:8080": stage.service.http,
        "localhost:50051": stage.guarded.grpc.replace("127.0.0.1", "localhost"),
        "localhost:8080": stage.guarded.http.replace("127.0.0.1", "localhost"),
    }


@pytest.mark.timeout(600)
def test_grpcurl(names, tmp_path):
    require_tools("grpcurl")
    run_page(GRPCURL, tmp_path, names)


@pytest.mark.timeout(600)
def test_grpcurl_for_every_service(names, tmp_path):
    require_tools("grpcurl")
    with hooks() as url:
        run_page(SERVICES, tmp_path, names | {HOOK: url})


@pytest.fixture
def leaving(tmp_path_factory) -> Iterator[str]:
    """Return the address of a service that was told to end and still answers."""
    folder = tmp_path_factory.mktemp("leaving")
    with serve(folder, SHUTDOWN_DELAY_SECONDS="600") as (process, address):
        process.send_signal(signal.SIGTERM)
        with grpc.insecure_channel(address) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch
            for answer in watch(health_pb2.HealthCheckRequest(), timeout=60):
                if answer.status == health_pb2.HealthCheckResponse.NOT_SERVING:
                    break
        yield address  # the second signal, of `serve`, ends it at once


@pytest.mark.timeout(300)
def test_health_probes(names, leaving, tmp_path):
    require_tools("grpc-health-probe", "grpcurl")
    run_page(HEALTH, tmp_path, names | {"127.0.0.1:50052": leaving})


def test_the_probe_in_a_container(stage, tmp_path):
    require_tools("grpc-health-probe")
    [command] = re.findall(r"command: (\[.*?\])", HEALTH.read_text(), re.DOTALL)
    names = {
        "127.0.0.1:50051": stage.guarded.grpc,
        "/etc/ocr/tls.crt": stage.environment["OCR_CA_FILE"],
    }
    run_steps("health.md", [Step(shlex.join(json.loads(command)), "")], tmp_path, names)


@pytest.mark.timeout(300)
def test_load(stage, tmp_path):
    require_tools("ghz")
    service = Service(tmp_path / "service", **SETTINGS | {"ENGINE": "null"})
    try:
        service.start()
        furnish(tmp_path, stage.environment["OCR_SAMPLES"], service)
        names = {"127.0.0.1:50051": service.grpc, "127.0.0.1:8080": service.http}
        run_page(LOAD, tmp_path, names)
    finally:
        service.stop()


@pytest.mark.timeout(300)
def test_quick_start(names, stage, tmp_path):
    # Commands on the machine of the service find it by the settings they share with it.
    port = stage.service.grpc.rpartition(":")[2]
    (tmp_path / ".env").write_text(f"GRPC_PORT={port}\n")
    run_page(QUICK_START, tmp_path, names)


def test_every_service_has_a_recipe():
    protos = (ROOT / "protos" / "ocr_grpc" / "v1").glob("*_service.proto")
    services = re.findall(r"^service (\w+)", "".join(map(Path.read_text, protos)), re.MULTILINE)
    commands = "\n".join(step.command for page in PAGES for step in steps_of(page))
    assert len(services) == 9
    for service in (*services, "grpc.health.v1.Health", "ServerReflection"):
        assert f"{service}/" in commands, service


def test_pages_show_commands_in_no_other_blocks():
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)
        assert set(fences[::2]) <= {"console", "yaml"}, page
        assert set(fences[1::2]) == {""}, page


def test_pages_name_the_versions_that_are_tested():
    installed = (ROOT / ".ci" / "tools").read_text()
    named = [
        each for page in PAGES for each in re.findall(r"go install (\S+@v[\d.]+)", page.read_text())
    ]
    assert len(named) == 3
    for program in named:
        package, version = program.split("@")
        assert re.search(rf"^ *go_tool {package} \S+ {version}$", installed, re.MULTILINE), program


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a … c\n", "a b c\n", True),
        ("a … c\n", "a b\nc\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nb\n", "a\nb\n", True),
        ("a\n", "a  \n", True),
        ("a\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_only_an_ellipsis_stands_for_something_else(shown, printed, same):
    assert fits(shown, printed) is same


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("$ echo 1\n2\n", "printed\n1"),
        ("$ false\n", "ended with 1"),
        ("$ (exit 3)\n$ echo $?\n4\n", "printed\n3"),
        ("$ sleep 60\n", "was not run"),
        ("$ NAME=1; echo $NAME\n1\n$ echo 3 |\n    cat\n3\n$ (exit 3)\n$ echo $?\n3\n", ""),
        ("$ echo 1 \\\n    2\n1 2\n$ say() {\n>   echo $1\n> }\n$ say 127.0.0.1\n127.0.0.1\n", ""),
    ],
)
def test_what_a_page_shows_is_what_happens(tmp_path, block, complaint):
    page = tmp_path / "page.md"
    page.write_text(f"Text.\n\n```console\n{block}```\n")
    limit = 1 if "sleep" in block else 60
    with pytest.raises(AssertionError, match=complaint) if complaint else nullcontext():
        run_page(page, tmp_path, {"127.0.0.1": "127.0.0.2"}, timeout_seconds=limit)
