import pytest

from ocr_grpc.engines.ppocr import PpOcrEngine


@pytest.fixture(scope="session")
def engine() -> PpOcrEngine:
    """The engine as it is chosen for this machine, loaded once for all tests."""
    return PpOcrEngine.load()
