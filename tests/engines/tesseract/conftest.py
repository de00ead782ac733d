"""Tesseract itself where it is installed, and programs that behave as it never should."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_grpc.engines.engine import PageImage, ReadOptions
from ocr_grpc.engines.tesseract.engine import TesseractEngine
from ocr_grpc.model import Line

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
"""Has Cyrillic letters; none of the fonts that come with our dependencies has."""

FAKE = """#!/bin/sh
case "$*" in
  *--version*) echo "tesseract 9.8.7"; exit ;;
  *--list-langs*) printf 'List of available languages in "/x/" (2):\\neng\\nrus\\n'; exit ;;
esac
{do}
"""


def missing(what: str) -> None:
    """Skip the test, but fail it in CI, where everything is installed."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def engine() -> TesseractEngine:
    """Return Tesseract with data for English and Russian."""
    if shutil.which("tesseract") is None:
        missing("there is no `tesseract` on this machine")
    loaded = TesseractEngine.load()
    absent = {"en", "ru"} - set(loaded.describe().languages)
    if absent:
        missing(f"Tesseract has no data for {', '.join(sorted(absent))} on this machine")
    return loaded


@pytest.fixture
def fake(tmp_path) -> Callable[[str], Path]:
    """Return what makes a program that answers as Tesseract does, until it sees a page."""

    def make(do: str) -> Path:
        path = tmp_path / "tesseract"
        path.write_text(FAKE.format(do=do))
        path.chmod(0o755)
        return path

    return make


def page(*texts: str, left: int = 60) -> PageImage:
    """Return a page at 200 dpi with lines of 12 point."""
    if not FONT.exists():
        missing("the font DejaVu Sans is not installed (fonts-dejavu-core)")
    image = Image.new("L", (1300, 100 + 60 * len(texts)), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), 34)
    for number, text in enumerate(texts):
        draw.text((left, 40 + 60 * number), text, font=font, fill=0)
    return PageImage(np.asarray(image), 200.0)


def read(engine: TesseractEngine, image: PageImage, *languages: str, words=False) -> list[Line]:
    options = ReadOptions(languages, words)
    return [line for batch in engine.read(image, options, threading.Event()) for line in batch]
