import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_grpc.engines.engine import ReadCancelled
from ocr_grpc.engines.ppocr.print_size import CELL, Print, common_height, measure_print
from ocr_grpc.engines.ppocr.tiling import LETTER_HEIGHT, MARGIN, Tile, plan_tiles, scale_for

from .sheets import NOBODY, PROSE, drawn, paragraph

LARGEST = (640, 1280)


def full_of_letters(width: int, height: int, letter: float) -> Print:
    x, y = np.meshgrid(np.arange(0, width, 10), np.arange(0, height, 20))
    count = x.size
    return Print(
        x.ravel().astype(np.float32),
        y.ravel().astype(np.float32),
        np.full(count, letter, np.float32),
        np.ones((-(-height // CELL), -(-width // CELL)), np.bool_),
    )


def letters(height: float, count: int = 100) -> NDArray[np.float32]:
    return np.full(count, height, np.float32)


def covered(tiles: list[Tile], width: int, height: int) -> np.ndarray:
    count = np.zeros((height, width), np.uint8)
    for tile in tiles:
        count[tile.top : tile.bottom, tile.left : tile.right] += 1
    return count


@pytest.mark.parametrize(
    "size",
    [
        (1240, 1754),
        (1240, 8000),
        (6600, 9400),
        (600, 12_000),
        (12_000, 1_500),
        (50, 40),
        (9000, 30),
    ],
)
@pytest.mark.parametrize("letter", [4.0, 9.0, 60.0])
def test_tiles_cover_every_pixel_once_and_fit_the_detector(size: tuple[int, int], letter: float):
    tiles = plan_tiles(*size, full_of_letters(*size, letter), LARGEST)
    assert (covered(tiles, *size) == 1).all()
    for tile in tiles:
        assert (tile.right - tile.left) * tile.scale + 2 * MARGIN <= LARGEST[1] + 1
        assert (tile.bottom - tile.top) * tile.scale + 2 * MARGIN <= LARGEST[0] + 1


def test_a_blank_page_has_no_tiles():
    blank = np.full((800, 600), 255, np.uint8)
    assert plan_tiles(600, 800, measure_print(blank, NOBODY), LARGEST) == []


def test_small_print_is_enlarged_and_large_print_shrunk():
    assert scale_for(letters(LETTER_HEIGHT / 1.5)) == pytest.approx(1.5)
    assert scale_for(letters(LETTER_HEIGHT * 4)) == pytest.approx(0.25)


def test_a_few_small_words_keep_a_page_from_being_shrunk_but_do_not_enlarge_it():
    few = np.concatenate([letters(LETTER_HEIGHT * 3, 1000), letters(LETTER_HEIGHT * 1.2, 20)])
    assert scale_for(few) == pytest.approx(1 / 1.2)
    fewer = np.concatenate([letters(LETTER_HEIGHT * 3, 1000), letters(LETTER_HEIGHT / 2, 20)])
    assert scale_for(fewer) == 1.0


def test_only_the_part_with_small_print_is_seen_in_fine():
    print_ = full_of_letters(1200, 2400, 30)
    print_.height[print_.y > 1800] = 6
    tiles = plan_tiles(1200, 2400, print_, LARGEST)
    fine = [tile for tile in tiles if tile.bottom > 1840]
    coarse = [tile for tile in tiles if tile.bottom <= 1700]
    assert min(tile.scale for tile in fine) > 2 * max(tile.scale for tile in coarse)


@pytest.mark.parametrize("points", [6, 10, 24])
def test_the_measured_height_is_that_of_the_letter_x(points: float):
    page = drawn(paragraph(PROSE, points=points), size=(1000, 300), dpi=150)
    expected = 0.52 * points * 150 / 72
    for pixels in (page, 255 - page):
        measured = common_height(measure_print(pixels, NOBODY).height)
        assert measured == pytest.approx(expected, abs=1.5, rel=0.1)


def test_specks_and_rules_are_not_print():
    page = np.full((600, 600), 255, np.uint8)
    page[100, :] = 0
    page[::97, ::89] = 0
    assert len(measure_print(page, NOBODY).height) == 0


def test_measuring_stops_when_cancelled():
    stop = threading.Event()
    stop.set()
    with pytest.raises(ReadCancelled):
        measure_print(np.zeros((10, 10), np.uint8), stop)
