import numpy as np
import pytest

from ocr_grpc.engines.ppocr.reading_order import in_reading_order
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.model import Separator


def line(left: float, top: float, width: float, height: float = 20) -> Region:
    return Region(left + width / 2, top + height / 2, width, height, 0)


def column(left: float, top: float, count: int, width: float = 300) -> list[Region]:
    last = [line(left, top + 22 * (count - 1), width / 2)]
    return [line(left, top + 22 * place, width) for place in range(count - 1)] + last


def skewed(regions: list[Region], degrees: float) -> list[Region]:
    turn = np.deg2rad(degrees)
    return [
        Region(
            r.x * np.cos(turn) - r.y * np.sin(turn),
            r.y * np.cos(turn) + r.x * np.sin(turn),
            r.width,
            r.height,
            degrees,
        )
        for r in regions
    ]


def ordered(regions: list[Region]) -> list[Region]:
    """Return what the order is when the regions come in another."""
    shuffled = [regions[place] for place in np.random.default_rng(1).permutation(len(regions))]
    return [placed.region for placed in in_reading_order(shuffled)]


def test_nothing_has_no_order():
    assert in_reading_order([]) == []


@pytest.mark.parametrize("degrees", [-2, 0, 2])
def test_lines_of_one_column_go_from_top_to_bottom(degrees: float):
    page = skewed(column(100, 100, 30, width=900), degrees)
    assert ordered(page) == page


@pytest.mark.parametrize("degrees", [-2, 0, 2])
@pytest.mark.parametrize("shift", [0, 9])
def test_columns_are_read_one_after_another_below_their_heading(degrees: float, shift: float):
    page = [line(150, 20, 700, 40), *column(100, 100, 20), *column(440, 100 + shift, 17)]
    page += column(780, 100, 12)
    page = skewed([*page, line(100, 700, 900)], degrees)
    assert ordered(page) == page


def test_two_sections_of_columns_with_a_line_across_stay_apart():
    page = [*column(100, 100, 6), *column(440, 100, 6), line(100, 260, 640)]
    page += [*column(100, 300, 6), *column(440, 300, 6)]
    assert ordered(page) == page


def test_a_paragraph_break_across_both_columns_does_not_cut_them():
    left = [*column(100, 100, 5), *column(100, 230, 5)]
    right = [*column(440, 100, 5), *column(440, 230, 5)]
    assert ordered([*left, *right]) == [*left, *right]


def test_a_table_is_read_by_rows():
    page = [line(x, y, 90) for y in range(100, 400, 30) for x in (100, 350, 600)]
    assert ordered(page) == page


def test_cells_of_several_lines_are_read_whole():
    page: list[Region] = []
    for row in range(5):
        top = 100 + row * 100
        page += [line(100, top, 60), *column(250, top, 3), *column(600, top, 2)]
    assert ordered(page) == page


def test_separators_tell_cells_lines_and_paragraphs_apart():
    page = [line(100, 100, 50), line(300, 100, 50), line(100, 122, 50), line(100, 190, 50)]
    separators = [placed.separator for placed in in_reading_order(page)]
    assert separators == [Separator.NONE, Separator.SPACE, Separator.LINE, Separator.BLOCK]
