"""What `ocr-grpc doctor` asks of engines: that they load, and read what is drawn here."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

from ocr_grpc.engines.catalog import EngineChoice, load_engine
from ocr_grpc.engines.engine import PageImage, ReadOptions
from ocr_grpc.engines.tesseract.program import find_tesseract
from ocr_grpc.model import joined
from ocr_grpc.settings import Settings

SAMPLE_TEXT = "The quick brown fox 0123456789"

MODEL_SECONDS = 10.0

Check = tuple[str, Callable[[Settings], str]]


def engine_checks(settings: Settings) -> list[Check]:
    """Return the checks of what is there by these settings."""
    checks: list[Check] = [("engine", _check_engine)] if settings.worker_count else []
    if settings.tesseract_workers and (settings.tesseract_binary or find_tesseract()):
        checks.append(("tesseract", _check_tesseract))
    if settings.llm_base_url:
        checks.append(("language model", _check_model))
    return checks


def _check_engine(settings: Settings) -> str:
    name = "ppocr" if settings.engine == "vlm" else settings.engine
    choice = EngineChoice(name, settings.engine_backend, settings.engine_precision)
    return _loaded_and_read(choice, SAMPLE_TEXT if name == "ppocr" else "")


def _check_tesseract(settings: Settings) -> str:
    program = find_tesseract(settings.tesseract_binary)
    return _loaded_and_read(EngineChoice("tesseract", binary=str(program)), "")


def _loaded_and_read(choice: EngineChoice, expected: str) -> str:
    """Load an engine and let it read a line."""
    began = perf_counter()
    engine = load_engine(choice)
    loaded = perf_counter()
    lines = [
        line
        for batch in engine.read(_sample_page(), ReadOptions(), threading.Event())
        for line in batch
    ]
    seconds = perf_counter() - loaded
    text = joined(lines)
    described = engine.describe()
    if expected and text != expected:
        raise RuntimeError(f"read {text!r} instead of {expected!r}")
    return (
        f"{described.name} ({described.model}) on {described.backend}, {described.precision}, "
        f"{len(described.languages)} languages; loaded in {loaded - began:.1f} s, "
        f"read a line in {seconds:.2f} s"
    )


def _check_model(settings: Settings) -> str:
    """Ask the server of the language model what it serves."""
    from ocr_grpc.wiring.reading import open_vision

    async def asked() -> str:
        vision = await open_vision(settings)
        if vision is None:
            raise RuntimeError("LLM_BASE_URL is not set")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(MODEL_SECONDS):
                    while not vision.ready_workers:  # noqa: ASYNC110 - it has no event
                        await asyncio.sleep(0.1)
            described, ready = vision.description, vision.ready_workers
        finally:
            await vision.close()
        if not ready:
            raise RuntimeError(f"{settings.llm_base_url} does not answer as it should")
        return f"{described.model} on {described.backend}, asked as {described.model_version}"

    return asyncio.run(asked())


def _sample_page() -> PageImage:
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (900, 120), 255)
    ImageDraw.Draw(picture).text((40, 35), SAMPLE_TEXT, fill=0, font=ImageFont.load_default(40))
    return PageImage(np.asarray(picture), dpi=200)
