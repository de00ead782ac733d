import numpy as np
import pytest

from ocr_grpc.engines.ppocr.orientation import (
    lies_on_its_side,
    runs_sideways,
    turned,
    turned_back,
)
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.model import Point

from .sheets import NOBODY, PROSE, drawn, paragraph


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_point_of_a_turned_page_is_found_again(quarters: int):
    page = np.zeros((40, 70), np.uint8)
    page[10, 20] = 255
    ((y, x),) = np.argwhere(turned(page, quarters))
    (point,) = turned_back([Point(x + 0.5, y + 0.5)], quarters, 70, 40)
    assert point == Point(20.5, 10.5)


def test_a_page_lies_on_its_side_if_most_text_runs_upward():
    level, upright = Region(50, 50, 80, 10, 0), Region(50, 50, 10, 80, 0)
    assert lies_on_its_side([upright, upright, level])
    assert not lies_on_its_side([upright, level, level])
    assert not lies_on_its_side([])


def test_letters_of_a_page_that_lies_on_its_side_stand_in_columns():
    page = drawn(paragraph(PROSE))
    assert runs_sideways(turned(page, 1), NOBODY)
    assert not runs_sideways(page, NOBODY)
    assert not runs_sideways(turned(page, 2), NOBODY)
    assert not runs_sideways(np.full((200, 300), 255, np.uint8), NOBODY)
