"""What tests share: a real server on a free port, and documents made on the spot."""

import gc
import tempfile
from pathlib import Path

import pytest

import ocr_grpc  # noqa: F401 - first, because it tells grpc what to do at forks
from ocr_grpc.telemetry.logs import configure_logs

pytest_plugins = ["tests.backends"]

# What is imported and collected stays to the end; to look through it for garbage, again and again,
# takes a quarter of the time of collecting, and more during each test.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _logs() -> None:
    configure_logs("console", "warning")


@pytest.fixture
def folder():
    """Return a folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ocr-") as name:
        yield Path(name)
