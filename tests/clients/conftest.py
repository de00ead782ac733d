"""What tests of the clients share: a service of their own for each file of tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.stage import Stage


@pytest.fixture(scope="module")
def stage(request) -> Iterator[Stage]:
    """Return a running service; what this file calls is kept under the file's name."""
    with tempfile.TemporaryDirectory(prefix="ocr-") as folder, Stage(Path(folder)) as stage:
        yield stage
        stage.note_calls(request.path.stem.removeprefix("test_"))
