import cv2
import numpy as np
import pytest

from ocr_grpc.engines.ppocr.reach import reached
from ocr_grpc.engines.ppocr.regions import Region, find_regions, page_angle, unclipped


def test_unclipping_moves_every_side_by_area_over_perimeter():
    core = Region(50, 20, 80, 10, 0)
    assert unclipped(core, ratio=1.6) == Region(
        50, 20, pytest.approx(80 + 2 * 7.111, abs=0.01), pytest.approx(10 + 2 * 7.111, abs=0.01), 0
    )


def test_corners_run_clockwise_from_the_top_left():
    corners = Region(10, 10, 8, 4, 0).corners()
    assert corners.tolist() == [[6, 8], [14, 8], [14, 12], [6, 12]]


def test_a_turned_region_keeps_its_first_corner_at_the_start_of_the_text():
    corners = Region(100, 100, 80, 10, 10).corners()
    assert corners[0][0] < corners[1][0]
    assert corners[0][1] < corners[1][1]  # clockwise in an image: the text runs downward


def test_lines_of_the_map_become_regions_around_them():
    map_ = np.zeros((100, 300), np.uint8)
    map_[20:28, 30:230] = 250
    map_[60:68, 30:130] = 250
    top, bottom = sorted(find_regions(map_), key=lambda region: region.y)
    assert (top.x, top.y) == (pytest.approx(129.5), pytest.approx(23.5))
    assert (bottom.x, bottom.y) == (pytest.approx(79.5), pytest.approx(63.5))
    assert top.height > 16


def test_faint_areas_are_no_lines():
    map_ = np.zeros((100, 300), np.uint8)
    map_[20:28, 30:230] = 90
    assert find_regions(map_) == []


@pytest.mark.parametrize("angle", [-2.0, 0.0, 1.5])
def test_the_skew_of_a_page_is_found_and_given_to_short_lines(angle: float):
    map_ = np.zeros((600, 800), np.uint8)
    for y in range(100, 500, 50):
        width = 600 if y != 300 else 40
        corners = Region(100 + width / 2, y, width, 9, 0)
        turn = cv2.getRotationMatrix2D((400, 300), -angle, 1)
        points = cv2.transform(corners.corners()[None], turn)[0]
        cv2.fillConvexPoly(map_, points.astype(np.int32), (255,))
    regions = find_regions(map_)
    assert len(regions) == 8
    assert page_angle(regions) == pytest.approx(angle, abs=0.15)
    short = min(regions, key=lambda region: region.width)
    assert short.angle == pytest.approx(angle, abs=0.15)


def test_a_dash_before_a_line_is_taken_in():
    page = np.full((60, 400), 255, np.uint8)
    page[20:40, 100:300] = 0
    page[30:32, 60:70] = 0
    (region,) = reached(page, [Region(200, 30, 210, 30, 0)])
    assert region.x - region.width / 2 < 60
    assert region.x + region.width / 2 == pytest.approx(305)


def test_a_rule_beside_a_line_and_the_next_line_are_not_taken_in():
    page = np.full((60, 400), 255, np.uint8)
    page[:, 70:72] = 0
    page[28:32, 320:340] = 0
    regions = [Region(200, 30, 210, 30, 0), Region(330, 30, 30, 20, 0)]
    assert reached(page, regions)[0] == regions[0]


@pytest.mark.parametrize("angle", [-5.0, -1.0, 0.0, 0.5, 3.0, 10.0])
def test_the_skew_of_a_page_of_short_cells_is_found_by_their_rows(angle: float):
    map_ = np.zeros((900, 1200), np.uint8)
    turn = cv2.getRotationMatrix2D((600, 450), -angle, 1)
    sizes = np.random.default_rng(2).integers(20, 45, (14, 5)).tolist()
    for row, widths in enumerate(sizes):
        for column, width in enumerate(widths):
            x, y = 200 + 180 * column + width / 2, 150 + 45 * row
            points = cv2.transform(Region(x, y, width, 9, 0).corners()[None], turn)[0]
            cv2.fillConvexPoly(map_, points.astype(np.int32), (255,))
    regions = find_regions(map_)
    assert len(regions) == 70
    assert page_angle(regions) == pytest.approx(angle, abs=0.3)
    assert all(region.angle == pytest.approx(angle, abs=0.3) for region in regions)


def test_a_few_words_do_not_make_a_page_skewed():
    map_ = np.zeros((400, 500), np.uint8)
    for x, y in ((100, 100), (400, 130), (150, 300)):
        cv2.fillConvexPoly(map_, Region(x, y, 60, 12, 4.0).corners().astype(np.int32), (255,))
    assert page_angle(find_regions(map_)) == 0.0
