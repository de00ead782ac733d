"""The service that the tests of the clients call, whatever language they are written in.

    python -m tests.clients.stage --name go COMMAND …

runs a command while the service runs. Both doors, the documents, and what kills the service, are in
its environment; `Stage.environment` says which names. The service is what `make serve` starts, with
the real engine, accounts, batches and its sidecar, in a folder of its own. What it was asked for is
kept in `.build/called`, for `tests.clients.called`.
"""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.certificates import Authority
from tests.clients.inbox import inbox
from tests.clients.samples import write_samples
from tests.people import ADMIN_NAME, ADMIN_PASSWORD
from tests.processes import COMMAND, environment, free_ports

ROOT = Path(__file__).parents[2]
CALLED = ROOT / ".build" / "called"

SETTINGS = {
    "ENGINE": "ppocr",
    "READERS": "0",
    "OFFICE_READERS": "0",
    "AUTH_ENABLED": "true",
    "BOOTSTRAP_PASS": ADMIN_PASSWORD,
    "BATCHES_IN_SERVE": "true",
    "ANONYMOUS_CALLS_PER_MINUTE": "0",
    "CORS_ORIGINS": "*",
    "WEBHOOK_HOSTS": "*:*",
    "WEBHOOK_PRIVATE": "true",
    "SHUTDOWN_GRACE_SECONDS": "1",
}
READY_SECONDS = 120


class Service:
    """`ocr-grpc serve` on ports that stay the same, so that it can be killed and come back."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        grpc, http = free_ports(2)
        self.grpc, self.http = f"127.0.0.1:{grpc}", f"127.0.0.1:{http}"
        settings |= {"GRPC_PORT": str(grpc), "HTTP_PORT": str(http)}
        self._environment = environment(folder, **settings)
        self._process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        """What it logs, as JSON, over all its lives."""
        return self._folder / "serve.log"

    def start(self) -> None:
        """Run it, and wait until it is ready."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [COMMAND, "serve"],
                env=self._environment,
                cwd=self._folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        ready, _, _ = select.select([self._process.stdout], [], [], READY_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        assert line.startswith("ready"), self.log.read_text()[-4000:]

    @property
    def key(self) -> str:
        """Return the API key that the service makes for whoever owns it."""
        return (self._folder / "data" / "local.key").read_text().strip()

    def kill(self) -> None:
        """Kill it with all its children, as the end of a machine does."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self._process:
            self._process.terminate()
            try:
                self._process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()


class Stage:
    """A service, one with TLS beside it, documents, mails, and a way to kill the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = ExitStack()
        self._control: ThreadingHTTPServer | None = None

    def __enter__(self) -> "Stage":
        with ExitStack() as ends:
            samples = self._folder / "samples"
            samples.mkdir()
            write_samples(samples)
            mails = self._folder / "mails"
            smtp_url = ends.enter_context(inbox(mails))
            self.service = Service(self._folder / "main", **SETTINGS, SMTP_URL=smtp_url)
            ends.callback(self.service.stop)
            self.service.start()
            authority = Authority(self._folder / "certificates")
            certificate, key = authority.issue("server", "127.0.0.1", "localhost")
            files = {"TLS_CERT_FILE": str(certificate), "TLS_KEY_FILE": str(key)}
            self.guarded = Service(self._folder / "tls", **SETTINGS | {"ENGINE": "null"}, **files)
            ends.callback(self.guarded.stop)
            self.guarded.start()
            control = ends.enter_context(_control(self.service))
            self.environment = {
                "OCR_GRPC": self.service.grpc,
                "OCR_ENVOY": self.service.http,
                "OCR_TLS_GRPC": self.guarded.grpc,
                "OCR_TLS_ENVOY": self.guarded.http,
                "OCR_CA_FILE": str(authority.certificate),
                "OCR_ADMIN_NAME": ADMIN_NAME,
                "OCR_ADMIN_PASSWORD": ADMIN_PASSWORD,
                "OCR_SAMPLES": str(samples),
                "OCR_MAILS": str(mails),
                "OCR_CONTROL": control,
            }
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def caller(self) -> dict[str, str]:
        """Return where the service is and a key, in the variables that READMEs name."""
        return {"OCR_ADDRESS": self.service.grpc, "OCR_API_KEY": self.service.key}

    @property
    def scan(self) -> Path:
        """Return a document of three pages without a text layer."""
        return self._folder / "samples" / "scan.pdf"

    @property
    def scan_lines(self) -> list[str]:
        """Return what stands on them."""
        pages: list[list[str]] = json.loads((self.scan.parent / "expected.json").read_text())
        return [line for page in pages for line in page]

    def furnish(self, folder: Path) -> Path:
        """Make a folder look like a clone whose `make serve` runs, with a scan in it; return it."""
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "local.key").write_text(self.service.key)
        for name in (".venv", "benchmarks", "clients", "ocr_grpc", "tests"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "scan.pdf").write_bytes(self.scan.read_bytes())
        return folder

    def note_calls(self, name: str) -> None:
        """Keep which RPCs were called, for `tests.clients.called`."""
        CALLED.mkdir(parents=True, exist_ok=True)
        (CALLED / f"{name}.json").write_text(json.dumps(sorted(called(self.service.log))))


def called(log: Path) -> set[str]:
    """Return the RPCs that a service was asked for, such as `/ocr_grpc.v1.OcrService/Extract`."""
    methods = set()
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            if entry.get("event") == "call":
                methods.add(entry["method"])
    return methods


@contextmanager
def _control(service: Service) -> Iterator[str]:
    """Yield a URL; a POST to `/restart` under it kills the service and starts it again."""

    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known = self.path == "/restart"
            if known:
                service.kill()
                service.start()
            self.send_response(200 if known else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Control)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="whose calls these are, such as go")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    # Ended by a signal it would leave its services behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if "OCR_GRPC" in os.environ:  # somebody runs a service for this already
        return subprocess.run(command, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="ocr-") as folder, Stage(Path(folder)) as stage:
        status = subprocess.run(command, env=os.environ | stage.environment, check=False).returncode
        stage.note_calls(arguments.name)
    return status


if __name__ == "__main__":
    sys.exit(main())
