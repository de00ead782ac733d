import io
from math import ceil

import numpy as np
import pypdfium2 as pdfium
import pytest
from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

from benchmarks.pages import RESOLUTIONS, Page, image_pdf, pages, pixels, quick_pages, text_pdf
from benchmarks.score import normalized
from benchmarks.sheet import Sheet, Style, wrapped

GROUPS = {
    *("6-7pt", "8-9pt", "10-12pt", "14-24pt", "small", "mixed-sizes", "large"),
    *("one-column", "two-column", "three-column", "columns", "dense", "long", "headings"),
    *("table", "table-ruled", "table-open", "invoice", "digits", "letter", "form", "receipt"),
    *("german", "french", "typography", "capitals", "code", "list", "sparse"),
}
SIZES = (6, 7, 8, 9, 10, 11, 12, 14, 18, 24)


def page_named(name: str) -> Page:
    return next(page for page in pages() if page.name == name)


def test_there_are_many_pages_with_names_of_their_own():
    names = [page.name for page in pages()]
    assert len(names) >= 24
    assert len(set(names)) == len(names)
    assert {page.name for page in quick_pages()} < set(names)
    assert len(quick_pages()) == 5


def test_every_advertised_group_has_a_page():
    groups = {group for page in pages() for group in page.groups}
    assert groups >= GROUPS | {f"{size}pt" for size in SIZES}


def test_the_pages_are_the_same_every_time():
    first, second = pages(), pages()
    assert [page.text for page in first] == [page.text for page in second]
    assert [text_pdf(page) for page in first] == [text_pdf(page) for page in second]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_text_layer_is_the_expected_text_in_its_order(page: Page):
    with pdfium.PdfDocument(text_pdf(page)) as document:
        drawn = document[0].get_textpage().get_text_range()
    assert normalized(drawn) == normalized(page.text)


@pytest.mark.parametrize("dpi", RESOLUTIONS)
@pytest.mark.parametrize("name", ["dense", "receipt", "table-wide-7pt"])
def test_an_image_pdf_is_one_image_in_its_true_size(name: str, dpi: int):
    page = page_named(name)
    with pdfium.PdfDocument(io.BytesIO(image_pdf(page, dpi))) as document:
        assert len(document) == 1
        kinds = [item.type for item in document[0].get_objects()]
        assert kinds == [FPDF_PAGEOBJ_IMAGE]
        assert document[0].get_size() == pytest.approx(page.size_pt, abs=72 / dpi)
        again = document[0].render(scale=dpi / 72, grayscale=True).to_numpy()
    assert np.array_equal(again, pixels(page, dpi))


def test_the_pixels_are_dark_print_on_white_paper():
    page = page_named("one-size-12pt")
    image = pixels(page, 150)
    assert image.dtype == np.uint8
    assert image.shape == tuple(ceil(side * 150 / 72) for side in reversed(page.size_pt))
    assert image[0, 0] == 255
    assert image.min() < 32
    assert 0.01 < (image < 128).mean() < 0.2


def test_the_scroll_is_eight_thousand_pixels_long():
    assert pixels(page_named("scroll"), 150).shape == (8000, 1240)


def test_the_dense_page_has_at_least_45_long_lines():
    lines = page_named("dense").text.split("\n")
    assert len([line for line in lines if len(line) > 100]) >= 45


def test_text_that_would_leave_the_sheet_is_refused():
    with pytest.raises(ValueError, match="leaves the sheet"):
        Sheet().put("too far to the right", Style(12), 550, 100)


def test_wrapping_keeps_every_word_and_no_line_is_too_wide():
    style, text = Style(10), "Wo Kraniche rasten, dort ist es im Herbst still und kalt."
    lines = wrapped(text, style, 90)
    assert " ".join(lines) == text
    assert all(style.width(line) <= 90 for line in lines)
