"""The engine without a service: as many processes as there are workers, called directly."""

import multiprocessing
import os
import threading
import time
from multiprocessing.pool import Pool

_engine = None


def _load() -> None:
    global _engine
    from ocr_grpc.engines.catalog import EngineChoice, load_engine

    _engine = load_engine(EngineChoice("ppocr"))


def _read(document: bytes) -> int:
    """Render the only page of a document and read it; return the number of lines."""
    import pypdfium2

    from ocr_grpc.engines.engine import PageImage, ReadOptions

    assert _engine
    pdf = pypdfium2.PdfDocument(document)
    pixels = pdf[0].render(scale=150 / 72, grayscale=True).to_numpy()
    batches = _engine.read(PageImage(pixels, 150), ReadOptions(), threading.Event())
    return sum(len(lines) for lines in batches)


_pools: dict[int, Pool] = {}


def read_documents(documents: list[bytes], processes: int) -> float:
    """Return the seconds that reading one-page PDFs takes; loading the engines is not counted."""
    if processes not in _pools:
        # As `serve` starts its workers: the children take the environment over.
        os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        _pools[processes] = multiprocessing.get_context("spawn").Pool(processes, _load)
        _pools[processes].map(_read, documents[:processes], chunksize=1)
    began = time.perf_counter()
    _pools[processes].map(_read, documents, chunksize=1)
    return time.perf_counter() - began
