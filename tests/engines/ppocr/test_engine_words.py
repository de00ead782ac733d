"""Where the engine says that words stand, on pages where that is known."""

from dataclasses import replace
from difflib import SequenceMatcher

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ocr_grpc.engines.engine import Engine, ReadOptions
from ocr_grpc.engines.ppocr.orientation import turned_back
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.model import Point, Word

from .sheets import PROSE, drawn, paragraph, read

pytestmark = pytest.mark.engine

WORDS = ReadOptions(words=True)
NEAR = 5
"""Pixels, of letters that are 24 high."""


def sheet() -> tuple[Pixels, list[str], NDArray[np.float64]]:
    """Return a page, its words, and the (left, right, y of the middle) of each."""
    image = Image.new("L", (900, 420), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(24)
    words: list[str] = []
    places: list[tuple[float, float, float]] = []
    for row, line in enumerate(PROSE[:4]):
        x, y = 60, 60 + 80 * row
        pen.text((x, y), line, font=font, fill=0)
        for number, word in enumerate(line.split(" ")):
            before = "".join(f"{other} " for other in line.split(" ")[:number])
            left, _, right, _ = pen.textbbox((x + font.getlength(before), y), word, font=font)
            words.append(word)
            places.append((left, right, y + 14))
    return np.array(image), words, np.array(places)


def found(engine: Engine, page: Pixels) -> list[Word]:
    lines = read(engine, page, WORDS)
    for line in lines:
        assert " ".join(word.text for word in line.words) == line.text
    return [word for line in lines for word in line.words]


def ends(points: list[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middles of the left and of the right side."""
    corners = np.array([(point.x, point.y) for point in points])
    return corners[[0, 3]].mean(axis=0), corners[[1, 2]].mean(axis=0)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_words_stand_where_they_were_drawn_on_a_turned_page_too(engine: Engine, quarters: int):
    page, words, places = sheet()
    turned = np.ascontiguousarray(np.rot90(page, quarters))
    read_words = found(engine, turned)
    assert [word.text for word in read_words] == words
    for word, (left, right, middle) in zip(read_words, places, strict=True):
        back = turned_back(list(word.polygon), quarters, *page.shape[::-1])
        begin, end = ends(back)
        assert begin == pytest.approx((left, middle), abs=NEAR)
        assert end == pytest.approx((right, middle), abs=NEAR)
        assert 0.5 < word.confidence <= 1


@pytest.mark.parametrize("angle", [-3, 3])
def test_words_of_skewed_lines_lie_along_them(engine: Engine, angle: float):
    page, words, places = sheet()
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    skewed = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255,))
    read_words = found(engine, np.asarray(skewed, np.uint8))
    assert [word.text for word in read_words] == words
    for word, (left, right, middle) in zip(read_words, places, strict=True):
        begin, end = ends(list(word.polygon))
        assert begin == pytest.approx(turn @ (left, middle, 1), abs=NEAR)
        assert end == pytest.approx(turn @ (right, middle, 1), abs=NEAR)


def test_words_of_a_line_read_in_pieces_stand_in_their_order(engine: Engine):
    text = " ".join(PROSE[:3])
    (line,) = read(engine, drawn([(20, 40, text, 8)], size=(760, 80), dpi=300), WORDS)
    assert [word.text for word in line.words] == line.text.split(" ")
    assert len(line.words) == len(text.split(" "))
    # Print so small that one letter of it depends on how a processor rounds (f32, bf16).
    assert SequenceMatcher(None, line.text, text, autojunk=False).ratio() > 0.99
    lefts = [word.polygon[0].x for word in line.words]
    assert lefts == sorted(lefts)
    assert lefts[0] == pytest.approx(20 * 300 / 72, abs=8)


def test_words_come_only_if_asked_for_and_change_nothing_else(engine: Engine):
    page = drawn(paragraph(PROSE[:2]))
    plain, rich = read(engine, page), read(engine, page, WORDS)
    assert all(line.words == () for line in plain)
    assert [replace(line, words=()) for line in rich] == plain
    assert engine.describe().gives_words
