"""The engines by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_grpc.engines.engine import Engine
from ocr_grpc.engines.null import CrashEngine, EmptyEngine, HangEngine, NullEngine

if TYPE_CHECKING:  # the module itself brings OpenCV along
    from ocr_grpc.engines.ppocr.backend import BackendName, PrecisionName

_SIMPLE = {kind.name: kind for kind in (NullEngine, EmptyEngine, CrashEngine, HangEngine)}


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine to load, and how; the fields are settings of the same names."""

    engine: str
    backend: "BackendName" = "auto"
    precision: "PrecisionName" = "auto"
    binary: str = ""
    """The program to run, for an engine that is one; empty: the one on the PATH."""


def load_engine(choice: EngineChoice) -> Engine:
    """Load an engine; takes seconds and blocks.

    Raises:
        ValueError: there is no engine of that name.
    """
    if choice.engine == "ppocr":
        # Here, because it brings an inference runtime along that the other engines do not need.
        from ocr_grpc.engines.ppocr import PpOcrEngine

        return PpOcrEngine.load(backend=choice.backend, precision=choice.precision)
    if choice.engine == "tesseract":
        from ocr_grpc.engines.tesseract.engine import TesseractEngine

        return TesseractEngine.load(choice.binary)
    if choice.engine in _SIMPLE:
        return _SIMPLE[choice.engine]()
    raise ValueError(f"There is no engine {choice.engine!r}.")
