"""What tests share: a real server on a free port, and documents made on the spot."""

import pytest

import ocr_grpc  # noqa: F401 - first, because it tells grpc what to do at forks
from ocr_grpc.telemetry.logs import configure_logs

pytest_plugins = ["tests.backends"]


@pytest.fixture(autouse=True, scope="session")
def _logs() -> None:
    configure_logs("console", "warning")
