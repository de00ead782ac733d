"""The engines by name."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
    cache_dir: Path | None = None
    """Where compiled models may be kept, so that the next start is quick."""


def load_engine(choice: EngineChoice) -> Engine:
    """Load an engine; takes seconds and blocks.

    Raises:
        ValueError: there is no engine of that name.
    """
    if choice.engine == "ppocr":
        # Here, because it brings an inference runtime along that the other engines do not need.
        from ocr_grpc.engines.ppocr import PpOcrEngine

        with _alone(choice.cache_dir):
            return PpOcrEngine.load(
                backend=choice.backend, precision=choice.precision, cache_dir=choice.cache_dir
            )
    if choice.engine in _SIMPLE:
        return _SIMPLE[choice.engine]()
    raise ValueError(f"There is no engine {choice.engine!r}.")


@contextmanager
def _alone(cache_dir: Path | None) -> Generator[None, None, None]:
    """Keep other processes from loading from the same cache at the same time.

    OpenVINO writes compiled models there without a lock; two workers that start together fail.
    """
    if cache_dir is None:
        yield
        return
    cache_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (cache_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
