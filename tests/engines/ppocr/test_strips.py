import numpy as np
import pytest

from ocr_grpc.engines.ppocr.decoding import Reading
from ocr_grpc.engines.ppocr.models import STRIP_WIDTHS
from ocr_grpc.engines.ppocr.pixels import contrasted
from ocr_grpc.engines.ppocr.recognizer import joined_readings
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.engines.ppocr.strips import cut_out, place_of_cut, strips_of, widest_gap


def test_a_level_region_is_cut_out_as_it_is():
    page = np.arange(100 * 200, dtype=np.uint32).astype(np.uint8).reshape(100, 200)
    assert (cut_out(page, Region(50, 40, 20, 10, 0)) == page[35:45, 40:60]).all()


def test_a_region_beyond_the_page_is_cut_at_its_edge():
    page = np.zeros((20, 30), np.uint8)
    assert cut_out(page, Region(0, 0, 20, 10, 0)).shape == (5, 10)
    assert min(cut_out(page, Region(100, 100, 20, 10, 0)).shape) >= 1


@pytest.mark.parametrize("angle", [-8.0, 5.0])
def test_a_turned_region_is_cut_out_level(angle: float):
    page = np.full((400, 400), 255, np.uint8)
    turn = np.deg2rad(angle)
    for distance in range(-150, 150):
        x, y = 200 + distance * np.cos(turn), 200 + distance * np.sin(turn)
        page[round(y) - 3 : round(y) + 3, round(x)] = 0
    cut = cut_out(page, Region(200, 200, 300, 30, angle))
    assert cut.shape == (30, 300)
    assert cut[12:18, 10:290].mean() < 60 < cut[:9].mean()


@pytest.mark.parametrize("width", [1, 40, 300, 1700, 2600])
def test_a_line_becomes_one_strip_of_a_width_the_recognizer_takes(width: int):
    (strip,) = strips_of(np.zeros((48, width), np.uint8), STRIP_WIDTHS)
    assert strip.pixels.shape[0] == 48
    assert strip.pixels.shape[1] in STRIP_WIDTHS
    assert (strip.left, strip.right) == (0, width)


def test_a_very_long_line_is_cut_between_words():
    line = np.full((48, 6000), 255, np.uint8)
    line[10:40, ::7] = 0
    line[:, 1900:1930] = 255
    assert 1900 <= widest_gap(line, 2000) <= 1930
    strips = strips_of(line, STRIP_WIDTHS)
    assert all(strip.pixels.shape[1] in STRIP_WIDTHS for strip in strips)
    assert [strip.left for strip in strips] == [0, *[strip.right for strip in strips[:-1]]]
    assert strips[-1].right == 6000


@pytest.mark.parametrize("region", [Region(5, 20, 40, 10, 0.1), Region(200, 200, 300.4, 30, 5)])
def test_a_column_of_what_is_cut_out_is_found_again_on_the_page(region: Region):
    page = np.full((400, 400), 255, np.uint8)
    mark = region.part(20, 24)
    page[round(mark.y) - 2 : round(mark.y) + 3, round(mark.x) - 2 : round(mark.x) + 2] = 0
    inked = np.flatnonzero(cut_out(page, region).min(axis=0) < 60)
    offset, column = place_of_cut(page, region)
    assert offset + column * (inked.mean() + 0.5) == pytest.approx(22, abs=1)


def test_the_pieces_of_a_line_are_joined_by_spaces_and_weighted_by_length():
    joined = joined_readings([Reading("abc", 1.0), Reading("", 0.0), Reading("d", 0.6)])
    assert joined == Reading("abc d", pytest.approx(0.9))


def test_faint_print_is_stretched_and_noise_is_not():
    faint = np.array([[200, 230]], np.uint8)
    assert contrasted(faint).tolist() == [[0, 255]]
    noise = np.array([[250, 255]], np.uint8)
    assert contrasted(noise) is noise
