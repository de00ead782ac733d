"""What is said of the page of a PDF without reading it."""

import pytest
from PIL import Image

from tests.documents.samples import (
    PROSE,
    objects_pdf,
    page_pdf,
    paper,
    scan_pdf,
    spooled,
    stream,
    written,
)

LETTER = "/MediaBox [0 0 612 792]"


def test_a_page_of_text_has_a_usable_layer(pdf):
    inspected = pdf(written(*PROSE)).inspect(0, 0)
    assert (inspected["text_share"], inspected["because"]) == (1.0, "")
    assert inspected["blank"] is False
    assert (inspected["width_pt"], inspected["height_pt"]) == pytest.approx((595.28, 841.89), 1e-4)


def test_a_scan_has_none_and_its_own_resolution(pdf):
    inspected = pdf(scan_pdf(paper(1240, 1754), dpi=150)).inspect(0, 0)
    assert (inspected["text_share"], inspected["because"]) == (0.0, "none")
    assert (inspected["width"], inspected["height"], inspected["dpi"]) == (1240, 1754, 150)
    assert inspected["blank"] is False


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90])
def test_a_rotated_and_cropped_page_is_told_as_it_is_shown(pdf, rotate: int):
    inspected = pdf(page_pdf(b"", f"{LETTER}/CropBox [50 100 350 500]/Rotate {rotate}")).inspect(
        0, 144
    )
    sides = (300, 400) if rotate % 180 == 0 else (400, 300)
    assert (inspected["width_pt"], inspected["height_pt"]) == sides
    assert (inspected["width"], inspected["height"]) == tuple(2 * side for side in sides)
    assert inspected["rotation"] == rotate % 360


def test_boxes_and_rotation_are_inherited(pdf):
    content = objects_pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 400 300]/CropBox[50 50 350 250]/Rotate 90"
        "/Resources<</Font<</F1 5 0 R>>>>>>",
        "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>",
        stream(b"BT /F1 12 Tf 60 200 Td (Inherited) Tj ET"),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    inspected = pdf(content).inspect(0, 72)
    assert (inspected["width"], inspected["height"], inspected["rotation"]) == (200, 300, 90)
    assert inspected["text_share"] == 1.0


@pytest.mark.parametrize(
    ("content", "blank"),
    [
        pytest.param(page_pdf(), True, id="no object"),
        pytest.param(page_pdf(b"BT /F1 9 Tf 99 99 Td (  ) Tj ET"), True, id="spaces"),
        pytest.param(page_pdf(b"1 g 0 0 612 792 re f"), True, id="a white sheet"),
        pytest.param(page_pdf(b"0.5 g 99 99 9 1 re f"), False, id="a small rule"),
        pytest.param(written("7"), False, id="a page number"),
        pytest.param(scan_pdf(Image.new("L", (850, 1100), 235), dpi=100), True, id="empty scan"),
        pytest.param(scan_pdf(paper(850, 1100), dpi=100), False, id="scan"),
    ],
)
def test_blank_pages_are_told_from_others(pdf, tmp_path, content: bytes, blank: bool):
    file = pdf(content)
    assert file.inspect(0, 0)["blank"] is blank
    assert spooled(file, tmp_path / "page")[0]["blank"] is blank


def test_a_page_too_large_is_told_with_the_resolution_it_would_have(pdf):
    inspected = pdf(page_pdf(b"", "/MediaBox [0 0 7200 7200]"), max_pixels=1_000_000).inspect(
        0, 300
    )
    assert inspected["width"] * inspected["height"] <= 1_000_000
    assert inspected["dpi"] < 10
    assert (inspected["width_pt"], inspected["height_pt"]) == (7200, 7200)
