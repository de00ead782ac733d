"""Layouts of real pages, each as a few boxes of lines; what is listed first is read first."""

import numpy as np
import pytest

from ocr_grpc.engines.ppocr.reading_order import in_reading_order
from ocr_grpc.engines.ppocr.regions import Region


def line(left: float, top: float, width: float, height: float = 20) -> Region:
    return Region(left + width / 2, top + height / 2, width, height, 0)


def lines(left: float, top: float, widths: list[float], pitch: float = 22) -> list[Region]:
    return [line(left, top + pitch * place, width) for place, width in enumerate(widths)]


def ordered(regions: list[Region]) -> list[Region]:
    """Return what the order is when the regions come in another."""
    shuffled = [regions[place] for place in np.random.default_rng(3).permutation(len(regions))]
    return [placed.region for placed in in_reading_order(shuffled)]


FULL = [300.0] * 8
RAGGED = [300.0, 120, 260, 90, 40, 280, 150, 70, 220, 60]


def test_columns_of_short_lines_are_columns_when_their_rows_stand_at_heights_of_their_own():
    page = [*lines(100, 100, RAGGED), *lines(450, 109, RAGGED[::-1])]
    assert ordered(page) == page


def test_a_column_that_begins_lower_is_still_read_after_its_neighbour():
    page = [*lines(100, 100, FULL * 2), *lines(450, 216, FULL)]
    assert ordered(page) == page


def test_a_line_across_that_touches_the_columns_does_not_hide_their_gutter():
    page = [line(100, 88, 650), *lines(100, 100, FULL * 2), *lines(450, 105, FULL * 2)]
    assert ordered(page) == page


def test_a_figure_and_its_caption_stay_in_their_column():
    left = [*lines(100, 100, FULL), line(150, 330, 40), line(280, 330, 40), line(100, 380, 250)]
    left += lines(100, 420, FULL)
    page = [*left, *lines(450, 100, FULL * 2)]
    assert ordered(page) == page


def test_a_running_head_in_two_parts_comes_before_the_columns_and_the_page_number_last():
    page = [line(100, 30, 160), line(650, 30, 100)]
    page += [*lines(100, 100, FULL), *lines(450, 100, FULL), line(700, 400, 30)]
    assert ordered(page) == page


def test_a_sidebar_of_short_lines_is_read_after_the_text_beside_it():
    page = [*lines(100, 100, [500.0] * 20), *lines(650, 219, [140.0, 150, 90, 150, 60])]
    assert ordered(page) == page


def test_a_form_is_read_field_by_field():
    page = [line(x, y, 90) for y in range(100, 400, 40) for x in (100, 210, 500, 610)]
    assert ordered(page) == page


def test_prices_of_a_receipt_stand_beside_their_goods():
    widths = [180, 90, 220, 130, 200, 110]
    page: list[Region] = []
    for place, width in enumerate(widths):
        page += [line(100, 100 + 24 * place, width), line(400, 100 + 24 * place, 60)]
    assert ordered(page) == page


def test_an_address_and_data_beside_it_are_blocks_when_their_lines_are_not_level():
    address, dates = [160.0, 200, 140, 180, 120], [210.0, 180, 160, 190]
    page = [*lines(100, 100, address), *lines(500, 107, dates, pitch=26)]
    page += lines(100, 300, [650.0] * 6)
    assert ordered(page) == page


def test_part_of_a_table_of_wrapped_cells_is_not_taken_for_columns():
    page: list[Region] = []
    for row, count in enumerate((2, 3, 2, 4, 3, 2)):
        top = 100 + 110 * row
        page += lines(100, top, [60.0])
        page += lines(250, top, [300.0] * (count - 1) + [150])
        page += lines(600, top, [300.0] * (4 - count) + [100] if count < 4 else [100.0])
    assert ordered(page) == page


def test_sections_that_stand_level_in_both_columns_are_not_taken_for_rows_of_a_table():
    left = [*lines(100, 100, FULL * 2), *lines(100, 480, FULL)]
    right = [*lines(450, 100, FULL), *lines(450, 298, FULL[:7]), *lines(450, 480, FULL)]
    page = [*left, *right]
    assert ordered(page) == page


def test_articles_of_a_newspaper_are_read_one_after_another():
    page: list[Region] = []
    for top in (100, 420):
        page += [line(100, top, 640, 36)]
        page += [*lines(100, top + 50, FULL), *lines(440, top + 53, FULL)]
    page += lines(790, 106, [300.0] * 22)
    assert ordered(page) == page


@pytest.mark.parametrize("degrees", [-2, 2])
def test_the_newspaper_may_be_skewed(degrees: float):
    turn = np.deg2rad(degrees)
    page = [line(100, 100, 640, 36), *lines(100, 150, FULL), *lines(440, 153, FULL)]
    page += lines(790, 106, [300.0] * 12)
    page = [
        Region(
            float(r.x * np.cos(turn) - r.y * np.sin(turn)),
            float(r.y * np.cos(turn) + r.x * np.sin(turn)),
            r.width,
            r.height,
            degrees,
        )
        for r in page
    ]
    assert ordered(page) == page
