"""Boxes stand on the page where the model saw them."""

from math import inf, nan

import pytest

from ocr_grpc.engines.vlm.boxes import polygon_of
from ocr_grpc.engines.vlm.images import SentImage
from ocr_grpc.engines.vlm.profile import BoxSpace
from ocr_grpc.model import PageGeometry, box

PAGE = PageGeometry(1_998, 2_997, 200)
AS_IT_IS = SentImage("", 1_998, 2_997, 1_998, 2_997)
HALF = SentImage("", 999, 1_500, 999, 1_500)
PADDED = SentImage("", 1_000, 3_000, 500, 3_000)
"""The page takes the left half."""


@pytest.mark.parametrize(
    ("seen", "space", "image", "corners"),
    [
        ((0, 0, 999, 999), BoxSpace.GRID_999, AS_IT_IS, (0, 0, 1998, 2997)),
        ((100, 200, 300, 400), BoxSpace.GRID_999, AS_IT_IS, (200, 600, 600, 1200)),
        ((100, 200, 300, 400), BoxSpace.GRID_999, HALF, (200, 600, 600, 1200)),
        ((500, 500, 1000, 1000), BoxSpace.GRID_1000, AS_IT_IS, (999, 1498.5, 1998, 2997)),
        ((256, 512, 512, 768), BoxSpace.GRID_1024, AS_IT_IS, (499.5, 1498.5, 999, 2247.75)),
        ((100, 300, 200, 600), BoxSpace.SENT_PIXELS, AS_IT_IS, (100, 300, 200, 600)),
        ((100, 500, 200, 1000), BoxSpace.SENT_PIXELS, HALF, (200, 999, 400, 1998)),
        ((0, 0, 250, 1000), BoxSpace.GRID_1000, PADDED, (0, 0, 999, 2997)),
        ((250, 0, 900, 1000), BoxSpace.GRID_1000, PADDED, (999, 0, 1998, 2997)),
        ((-50, -1, 500, 2000), BoxSpace.GRID_1000, AS_IT_IS, (0, 0, 999, 2997)),
    ],
)
def test_a_box_is_scaled_to_the_page(seen, space, image, corners):
    polygon = polygon_of(seen, space, image, PAGE)
    expected = box(*map(float, corners))
    assert [(point.x, point.y) for point in polygon] == [
        pytest.approx((point.x, point.y)) for point in expected
    ]


@pytest.mark.parametrize(
    "seen",
    [
        None,
        (300, 200, 100, 400),
        (100, 400, 300, 200),
        (100, 100, 100, 400),
        (nan, 0, 10, 10),
        (0, 0, inf, 10),
        (-20, -20, -10, -10),
        (2_000, 2_000, 3_000, 3_000),
        (1e308, 0, 1.7e308, 10),
    ],
)
def test_a_box_that_makes_no_sense_is_none(seen):
    assert polygon_of(seen, BoxSpace.GRID_999, AS_IT_IS, PAGE) == ()


def test_a_box_in_the_white_margin_is_none():
    assert polygon_of((600, 0, 900, 100), BoxSpace.GRID_1000, PADDED, PAGE) == ()


def test_models_without_boxes_have_none():
    assert polygon_of((0, 0, 10, 10), BoxSpace.NONE, AS_IT_IS, PAGE) == ()
