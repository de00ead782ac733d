from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.samples import (
    PROSE,
    drawn,
    objects_pdf,
    page_pdf,
    paper,
    prose_pdf,
    scan_pdf,
    spooled,
    written,
)


@pytest.fixture
def picture(pdf, tmp_path: Path):
    def render(content: bytes, dpi: int = 72, page: int = 0, **limits) -> np.ndarray:
        answer, pixels = spooled(pdf(content, **limits), tmp_path / "page", page, dpi)
        shape = (answer["height"], answer["width"], answer["channels"])
        return np.frombuffer(pixels, np.uint8).reshape(shape)

    return render


def dark_corner(picture: np.ndarray) -> tuple[bool, bool]:
    """Return whether what is dark is at the bottom, and whether it is on the right."""
    rows, columns = np.nonzero(picture.min(axis=2) < 128)
    height, width = picture.shape[:2]
    return bool(rows.mean() > height / 2), bool(columns.mean() > width / 2)


SQUARE = b"0 g 20 720 60 60 re f"
"""Black, in the top left corner of a US letter."""


def test_a_page_has_the_size_of_its_box_at_the_dpi(picture):
    assert picture(page_pdf(SQUARE), dpi=72).shape == (792, 612, 1)
    assert picture(page_pdf(SQUARE), dpi=200).shape == (2200, 1700, 1)


@pytest.mark.parametrize(
    ("rotate", "corner"),
    [
        (0, (False, False)),
        (90, (False, True)),
        (180, (True, True)),
        (270, (True, False)),
        (-90, (True, False)),
    ],
)
def test_a_page_is_shown_rotated(picture, rotate: int, corner: tuple[bool, bool]):
    shown = picture(page_pdf(SQUARE, f"/MediaBox [0 0 612 792]/Rotate {rotate}"))
    assert shown.shape[:2] == ((792, 612) if rotate % 180 == 0 else (612, 792))
    assert dark_corner(shown) == corner


def test_a_page_is_cropped(picture):
    shown = picture(page_pdf(SQUARE, "/MediaBox [0 0 612 792]/CropBox [20 700 120 780]"))
    assert shown.shape == (80, 100, 1)
    assert shown[10, 10] == 0


def test_colour_is_kept_and_its_absence_is_used(picture):
    assert picture(page_pdf(b"1 0 0 rg 20 720 60 60 re f"))[50, 50].tolist() == [255, 0, 0]
    assert picture(page_pdf(b"0.5 g 20 720 60 60 re f"))[50, 50].tolist() == [128]


def test_form_fields_are_drawn(picture):
    def form(canvas):
        canvas.drawString(100, 750, "Name")
        canvas.acroForm.textfield(x=100, y=700, width=200, height=40, value="Ada Lovelace")

    field = picture(drawn(form), dpi=72)[110:135, 105:200]
    assert (field.min(axis=2) < 100).sum() > 50


def test_a_scan_is_rendered_at_its_own_resolution(pdf, tmp_path: Path):
    for own, expected in ((150, 150), (40, 100), (600, 300)):
        answer = spooled(pdf(scan_pdf(paper(), dpi=own)), tmp_path / f"{own}", 0, 0)[0]
        assert answer["dpi"] == expected


def test_a_scan_in_strips_is_a_scan(pdf, tmp_path: Path):
    def strips(canvas):
        for number in range(4):
            shade = Image.new("L", (850, 275), 50 * number)
            canvas.drawImage(ImageReader(shade), 0, 198 * number, 612, 198)

    assert spooled(pdf(drawn(strips, (612, 792))), tmp_path / "page", 0, 0)[0]["dpi"] == 100


def test_a_sharp_mask_over_a_coarse_background_counts(pdf, tmp_path: Path):
    def layers(canvas):
        canvas.drawImage(ImageReader(paper(637, 825)), 0, 0, 612, 792)
        canvas.drawImage(ImageReader(paper(2125, 2750).convert("1")), 0, 0, 612, 792)

    assert spooled(pdf(drawn(layers, (612, 792))), tmp_path / "page", 0, 0)[0]["dpi"] == 250


def test_a_page_with_a_small_picture_is_no_scan(pdf, tmp_path: Path):
    def letterhead(canvas):
        canvas.drawImage(ImageReader(paper()), 50, 700, 100, 75)

    assert spooled(pdf(drawn(letterhead)), tmp_path / "page", 0, 0)[0]["dpi"] == 200


def test_a_page_too_large_is_rendered_smaller_and_says_so(pdf, tmp_path: Path):
    answer = spooled(pdf(written(*PROSE), max_pixels=1_000_000), tmp_path / "page", 0, 300)[0]
    assert 100 < answer["dpi"] < 110
    assert answer["width"] * answer["height"] <= 1_000_000
    assert (tmp_path / "page").stat().st_size == answer["width"] * answer["height"]


def test_a_page_of_absurd_height_is_refused(pdf, tmp_path: Path):
    file = pdf(page_pdf(SQUARE, "/MediaBox [0 0 612 2147483648]"))
    with pytest.raises(ReaderFailure) as refused:
        spooled(file, tmp_path / "page", 0, 200)[0]
    assert refused.value.code is Failure.PAGE_TOO_LARGE
    assert refused.value.fields["height"] > 2_000_000_000


@pytest.mark.parametrize("height", ["4" + "0" * 18, "9" * 40, "1" + "0" * 400])
def test_numbers_that_overflow_end_in_some_bounded_size(picture, height: str):
    assert picture(page_pdf(SQUARE, f"/MediaBox [0 0 612 {height}]")).size <= 100_000_000


@pytest.mark.parametrize("box", ["0 0 0 0", "0 0 -5 -5", "1 2 3", "a b c d", "0 0 nan inf"])
def test_a_page_of_no_size_gets_a_usual_one(picture, box: str):
    assert picture(page_pdf(SQUARE, f"/MediaBox [{box}]")).size > 0


def test_a_page_tree_in_a_circle_ends(pdf, tmp_path: Path):
    circle = objects_pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 5>>",
        "<</Type/Pages/Kids[2 0 R]/Count 5/Parent 2 0 R>>",
    )
    file = pdf(circle)
    for page in range(min(file.page_count, 5)):
        with pytest.raises(ReaderFailure):
            spooled(file, tmp_path / "page", page, 72)[0]


def test_pages_that_are_announced_but_missing_fail_alone(pdf, tmp_path: Path):
    short = objects_pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 4 0 R 9 0 R]/Count 3>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        "(not a page)",
    )
    file = pdf(short)
    assert file.page_count == 3
    assert spooled(file, tmp_path / "page", 0, 72)[0]["width"] == 100
    for page in (1, 2):
        with pytest.raises(ReaderFailure) as refused:
            file.text_layer(page, 0)
        assert refused.value.code is Failure.UNREADABLE_PAGE


def test_a_pdf_that_needs_a_password_says_so(pdf):
    locked = pdfencrypt.StandardEncryption("user", "owner", strength=128)
    with pytest.raises(ReaderFailure) as refused:
        pdf(drawn(lambda canvas: canvas.drawString(9, 9, "x"), encrypt=locked))
    assert refused.value.code is Failure.PASSWORD


def test_a_pdf_that_only_forbids_copying_is_read(pdf):
    guarded = pdfencrypt.StandardEncryption("", "owner", canCopy=0, strength=128)
    file = pdf(drawn(lambda canvas: canvas.drawString(99, 99, "Readable"), encrypt=guarded))
    assert [line[0] for line in file.text_layer(0, 0)["lines"]] == ["Readable"]


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.4 garbage" * 99, b"%PDF-"])
def test_garbage_behind_a_header_is_corrupt(pdf, content: bytes):
    with pytest.raises(ReaderFailure) as refused:
        pdf(content)
    assert refused.value.code is Failure.CORRUPT


def test_a_truncated_pdf_is_corrupt_or_readable_but_never_a_crash(pdf):
    whole = prose_pdf(3)
    failures: set[Failure] = set()
    for end in range(100, len(whole), len(whole) // 25):
        try:
            file = pdf(whole[:end])
            for page in range(file.page_count):
                file.text_layer(page, 0)
        except ReaderFailure as refused:
            failures.add(refused.code)
    assert failures <= {Failure.CORRUPT, Failure.UNREADABLE_PAGE}


def test_a_typed_remark_that_brings_no_drawing_is_written(pdf, picture):
    def draw(canvas: Canvas) -> None:
        canvas.drawString(40, 250, "Printed words.")
        remark = "Typed größer, in a box\nof two lines."
        canvas.freeTextAnnotation(remark, "/Helv 14 Tf", Rect=(40, 60, 240, 160))

    content = drawn(draw, (400, 300))
    document = pdf(content)
    for _ in range(2):
        lines = [line[0] for line in document.text_layer(0, 72)["lines"]]
        assert lines == ["Printed words.", "Typed größer, in a box", "of two lines."]
    assert (picture(content)[140:180, 40:240] < 128).any()
