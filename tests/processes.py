"""Runs `ocr-grpc serve` as a process of its own."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = str(Path(sys.executable).parent / "ocr-grpc")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    defaults = {"DATA_DIR": str(folder / "data"), "ENGINE": "null", "GRPC_PORT": "0"}
    # Each is a process, and one more of each kind is kept warm.
    defaults |= {"ENGINE_WORKERS": "1", "READERS": "1", "OFFICE_READERS": "1"}
    defaults |= {"HTTP_PORT": "0", "METRICS_PORT": "0", "AUTH_ENABLED": "false", "BCRYPT_COST": "4"}
    defaults |= {"LOGIN_ATTEMPTS_PER_MINUTE": "1000000", "LOGIN_ATTEMPTS_PER_ADDRESS": "1000000"}
    defaults |= {"TESSERACT_WORKERS": "0", "LOG_FORMAT": "json", "BATCHES_IN_SERVE": "false"}
    # A test that reads a document twice wants it read twice.
    defaults |= {"RESULT_CACHE_BYTES": "0"}
    return kept | defaults | settings


def command(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `ocr-grpc` to its end, in a folder with its DATA_DIR."""
    done = subprocess.run(
        [COMMAND, *words],
        env=environment(folder, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def serve(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Run `ocr-grpc serve --no-http`; yield its process and its gRPC address."""
    with _serving(folder, ["--no-http"], settings) as (process, ready):
        yield process, ready["grpc"]


@contextmanager
def serve_http(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Run `ocr-grpc serve`; yield its process, its gRPC address and the URL of its HTTP door."""
    with _serving(folder, [], settings) as (process, ready):
        yield process, ready["grpc"], ready["http"]


@contextmanager
def _serving(
    folder: Path, arguments: list[str], settings: dict[str, str]
) -> Iterator[tuple[subprocess.Popen, dict[str, str]]]:
    """Yield the process and what its line `ready` says, once it says it."""
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "serve", *arguments],
            env=environment(folder, **settings),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert select.select([process.stdout], [], [], 60)[0], "It never became ready."
        words = process.stdout.readline().split()
        assert words[0] == "ready"
        yield process, dict(word.split("=", 1) for word in words[1:3])
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def engine_machine(
    folder: Path, port: int = 0, log_name: str = "engine.log", **settings: str
) -> Iterator[tuple[subprocess.Popen, str]]:
    """Run `ocr-grpc engine` with one worker; yield its process and its address."""
    settings = {"ENGINE_PORT": str(port), "ENGINE_WORKERS": "1"} | settings
    with (folder / log_name).open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "engine"],
            env=environment(folder, **settings),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert select.select([process.stdout], [], [], 60)[0], "It never became ready."
        words = process.stdout.readline().split()
        assert words[0] == "ready", (folder / log_name).read_text()
        assert words[-1].startswith("metrics=127.0.0.1:")
        yield process, dict(word.split("=", 1) for word in words[1:3])["address"]
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.communicate(timeout=60)
