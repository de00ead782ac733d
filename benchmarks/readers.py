"""The engines under measurement behind one call, and the child process that times one of them.

`python -m benchmarks.readers ENGINE FOLDER` reads the samples in FOLDER and writes one JSON line
each to `FOLDER/ENGINE.jsonl`; benchmarks/engine.py starts it.
"""

import json
import logging
import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import pages, pixels
from benchmarks.samples import TESSERACT_LANGUAGES, Pixels, Sample, load

WARM_UP = ("report", 150)
"""The page and resolution that each engine reads once before anything is measured."""
LANGUAGES = {code: own for own, code in TESSERACT_LANGUAGES.items()}
"""Tesseract's code of a language to ours."""
Read = Callable[[Pixels, float, str], Iterator[str]]
"""Reads one page (pixels, dpi, Tesseract language) and yields its text in pieces as they come."""


@dataclass(frozen=True)
class Result:
    """What reading one sample gave and cost; seconds are for all its pages together."""

    name: str
    text: str
    pages: int
    cpu_seconds: float
    wall_seconds: float
    first_line_share: float
    """When the first piece of text came, as a share of the wall time of its page; mean of pages."""


def load_ours(*choices: str) -> Read:
    """Return our own engine, without the service around it.

    Args:
        choices: `openvino` or `onnxruntime`, `bf16` or `f32`, and `latin` for telling it the
            language, as Tesseract is told.
    """
    from ocr_grpc.engines.catalog import EngineChoice, load_engine
    from ocr_grpc.engines.engine import PageImage, ReadOptions
    from ocr_grpc.model import joined

    backend = next((c for c in choices if c in ("openvino", "onnxruntime")), "auto")
    precision = next((c for c in choices if c in ("bf16", "f32")), "auto")
    engine, nobody = load_engine(EngineChoice("ppocr", backend, precision)), threading.Event()
    print(f"ours: {engine.describe()}", file=sys.stderr)

    def read(image: Pixels, dpi: float, language: str) -> Iterator[str]:
        told = tuple(LANGUAGES[code] for code in language.split("+")) if "latin" in choices else ()
        for lines in engine.read(PageImage(image, dpi), ReadOptions(told), nobody):
            yield joined(lines)

    return read


def load_rapidocr() -> Read:
    """Return RapidOCR as `RapidOCR()` gives it."""
    return _rapidocr({})


def load_tuned_rapidocr() -> Read:
    """Return RapidOCR as one sets it up who has measured: the faster runtime, no flipped lines.

    On one thread, as one worker for each core is fastest, and without shrinking a page of any
    usual size, which costs time and saves text.
    """
    from rapidocr import EngineType

    faster = {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Cls", "Rec")}
    return _rapidocr(
        {
            **faster,
            "Global.use_cls": False,
            "Global.max_side_len": 4096,
            "EngineConfig.openvino.inference_num_threads": 1,
            "Rec.rec_batch_num": 6,
        }
    )


def _rapidocr(params: dict[str, Any]) -> Read:
    logging.disable(logging.WARNING)  # it tells of every page without text, and of its models
    from rapidocr import RapidOCR

    engine: Any = RapidOCR(params=params)

    def read(image: Pixels, _dpi: float, _language: str) -> Iterator[str]:
        # It takes arrays for BGR, as OpenCV has them.
        output = engine(image if image.ndim == 2 else np.ascontiguousarray(image[:, :, ::-1]))
        yield "\n".join(output.txts or ())

    return read


def load_rapidocr_service() -> Read:
    """Return rapidocr_api as an HTTP service in a process of its own, with its defaults."""
    from benchmarks.rapidocr_service import RapidOcrService

    service = RapidOcrService()
    _elsewhere.append(service.cpu_seconds)
    return service.read


def load_tesseract() -> Read:
    """Return the Tesseract program of this machine on one thread, with its usual page layout."""
    program = shutil.which("tesseract")
    if program is None:
        raise FileNotFoundError("tesseract is not installed")
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}

    def read(image: Pixels, dpi: float, language: str) -> Iterator[str]:
        height, width = image.shape[:2]
        header = f"P{5 if image.ndim == 2 else 6} {width} {height} 255\n".encode()
        command = [program, "stdin", "stdout", "-l", language, "--psm", "3"]
        command += ["--dpi", f"{dpi:.0f}"] if dpi else []
        done = subprocess.run(
            command,
            input=header + image.tobytes(),
            env=environment,
            capture_output=True,
            check=True,
        )
        yield done.stdout.decode()

    return read


_elsewhere: list[Callable[[], float]] = []
"""Tell the CPU time of processes that read for this one and go on running."""
LOADERS: dict[str, Callable[..., Read]] = {
    "ours": load_ours,
    "rapidocr": load_rapidocr,
    "rapidocr-tuned": load_tuned_rapidocr,
    "rapidocr-api": load_rapidocr_service,
    "tesseract": load_tesseract,
}


def loaded(engine: str) -> Read:
    """Return an engine by name; `ours:openvino:f32:latin` says how ours is to run as well."""
    name, *choices = engine.split(":")
    return LOADERS[name](*choices)


def cpu_seconds() -> float:
    """Return the CPU time, user and system, of whatever reads.

    That is this process and its ended children, or the service that reads for it.
    """
    if _elsewhere:
        return sum(service() for service in _elsewhere)
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def measure(read: Read, sample: Sample, folder: Path) -> Result:
    """Read all pages of a sample; loading the pixels is not counted."""
    texts: list[str] = []
    shares: list[float] = []
    cpu = wall = 0.0
    for name in sample.images:
        image = np.load(folder / name)
        cpu_before, began, first = cpu_seconds(), time.perf_counter(), 0.0
        pieces: list[str] = []
        for piece in read(image, sample.dpi, sample.language):
            first = first or time.perf_counter() - began
            pieces.append(piece)
        took = time.perf_counter() - began
        cpu, wall = cpu + cpu_seconds() - cpu_before, wall + took
        shares.append((first or took) / took)
        texts.append("".join(pieces))
    share = statistics.fmean(shares)
    return Result(sample.name, "\n\n".join(texts), len(texts), cpu, wall, share)


def start_up_seconds(read: Read, language: str) -> float:
    """Return the CPU time of a program on a blank scrap: starting, and loading its model."""
    blank, costs = np.full((32, 32), 255, np.uint8), list[float]()
    for _ in range(3):
        before = cpu_seconds()
        list(read(blank, 150, language))
        costs.append(cpu_seconds() - before)
    return statistics.median(costs)


def main() -> None:
    """Measure one engine on the samples of a folder."""
    engine, folder = sys.argv[1], Path(sys.argv[2])
    read, samples = loaded(engine), load(folder)
    page = next(page for page in pages() if page.name == WARM_UP[0])
    list(read(pixels(page, WARM_UP[1]), WARM_UP[1], "eng"))
    # Tesseract is a program: it loads its model for every page, which the others did once above.
    languages = {sample.language for sample in samples} if engine == "tesseract" else set()
    overheads = {language: start_up_seconds(read, language) for language in languages}
    with (folder / f"{engine}.jsonl").open("w", encoding="utf-8") as results:
        for number, sample in enumerate(samples, start=1):
            fields = asdict(measure(read, sample, folder))
            fields["cpu_seconds"] -= overheads.get(sample.language, 0.0) * fields["pages"]
            print(json.dumps(fields, ensure_ascii=False), file=results, flush=True)
            print(f"\r{engine}: {number} of {len(samples)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
