import unicodedata

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from ocr_grpc.documents.text_layer import clean
from tests.documents.samples import (
    PROSE,
    drawn,
    page_pdf,
    paper,
    prose_pdf,
    scan_pdf,
    spooled,
    stream,
    written,
)


@pytest.fixture
def text(pdf):
    def read(content: bytes, page: int = 0, dpi: int = 72) -> str:
        lines = pdf(content).text_layer(page, dpi)["lines"]
        return "".join(separator + line for line, _, separator in lines)

    return read


def corners(layer, line: int = 0) -> list[tuple[int, int]]:
    numbers = [round(number) for number in layer["lines"][line][1]]
    return list(zip(numbers[0::2], numbers[1::2], strict=True))


def table(canvas):
    canvas.setFont("Helvetica", 10)
    for row in range(3):
        for column in range(3):
            canvas.drawString(60 + 120 * column, 580 - 14 * row, f"r{row}c{column}")


def columns(canvas):
    canvas.setFont("Helvetica", 10)
    for side, left in (("left", 60), ("right", 320)):
        for row in range(5):
            canvas.drawString(left, 700 - 12 * row, f"{side} column, line {row} of the text")


def test_lines_follow_each_other(text):
    assert text(written(*PROSE)) == "\n".join(PROSE)


def test_a_gap_begins_a_paragraph(text):
    assert text(written("One line", "and another", "", "A paragraph", "of its own")) == (
        "One line\nand another\n\nA paragraph\nof its own"
    )


def test_double_spaced_lines_are_one_paragraph(text):
    assert text(written(*PROSE, leading=26)) == "\n".join(PROSE)


def test_a_heading_stands_alone(text):
    def page(canvas):
        canvas.setFont("Helvetica", 18)
        canvas.drawString(60, 700, "Heading")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(60, 684, "Its text")

    assert text(drawn(page)) == "Heading\n\nIts text"


def test_columns_are_read_one_after_the_other(text):
    left = "\n".join(f"left column, line {row} of the text" for row in range(5))
    assert text(drawn(columns)) == left + "\n\n" + left.replace("left", "right")


def test_cells_of_a_row_are_joined_by_spaces(text):
    assert text(drawn(table)) == "r0c0 r0c1 r0c2\nr1c0 r1c1 r1c2\nr2c0 r2c1 r2c2"


def test_each_cell_has_its_own_outline(pdf):
    assert len(pdf(drawn(table)).text_layer(0, 72)["lines"]) == 9


def test_what_stands_above_comes_first_even_if_it_was_drawn_last(text):
    def page(canvas):
        columns(canvas)
        canvas.drawString(250, 30, "Footer")
        canvas.drawString(60, 800, "Header")

    read = text(drawn(page))
    assert read.startswith("Header\n\nleft column")
    assert read.endswith("\n\nFooter")


def test_lines_written_from_the_bottom_up_are_put_in_order(text):
    def page(canvas):
        for number in reversed(range(4)):
            canvas.drawString(60, 700 - 14 * number, PROSE[number])

    assert text(drawn(page)) == "\n".join(PROSE)


def test_words_are_spaced_where_the_file_has_no_spaces(text):
    kerned = b"BT /F1 12 Tf 100 700 Td [(Two)-700(words)20(!)] TJ ET"
    assert text(page_pdf(kerned)) == "Two words!"


def test_hyphens_stay_as_they_are_printed(text):
    assert text(written("A hyphen-", "ated and a soft\xad", "ened word", "up-to-date")) == (
        "A hyphen-\nated and a soft-\nened word\nup-to-date"
    )


@pytest.mark.parametrize(
    ("rotate", "expected"),
    [
        (0, [(50, 31), (117, 31), (117, 54), (50, 54)]),
        (90, [(619, 50), (619, 117), (596, 117), (596, 50)]),
        (180, [(400, 619), (333, 619), (333, 596), (400, 596)]),
        (270, [(31, 400), (31, 333), (54, 333), (54, 400)]),
    ],
)
def test_outlines_follow_rotation_and_crop_box(pdf, rotate: int, expected: list):
    content = b"BT /F1 20 Tf 100 700 Td (Top left) Tj 0 -30 Td (second) Tj ET"
    page = f"/MediaBox [0 0 612 792]/CropBox [50 100 500 750]/Rotate {rotate}"
    layer = pdf(page_pdf(content, page)).text_layer(0, 72)
    assert corners(layer) == expected
    assert [line[0] for line in layer["lines"]] == ["Top left", "second"]
    assert [line[2] for line in layer["lines"]] == ["", "\n"]


def test_outlines_are_in_pixels_of_the_rendering(pdf, tmp_path):
    file = pdf(written("Here"))
    at_72, at_144 = (file.text_layer(0, dpi) for dpi in (72, 144))
    rendered, _ = spooled(file, tmp_path / "page", dpi=144)
    assert (at_144["width"], at_144["height"]) == (rendered["width"], rendered["height"])
    assert corners(at_144)[0] == tuple(pytest.approx(2 * n, abs=1) for n in corners(at_72)[0])


def test_turned_text_is_outlined_from_its_own_top_left(pdf):
    def page(canvas):
        canvas.translate(300, 400)
        canvas.rotate(90)
        canvas.setFont("Helvetica", 12)
        canvas.drawString(0, 0, "Upward")
        canvas.rotate(-60)
        canvas.drawString(60, 0, "Slanted line of text")

    layer = pdf(drawn(page, (600, 800))).text_layer(0, 72)
    (_, bottom), (_, top), (right, _), _ = corners(layer)
    assert bottom == 400
    assert top < 370
    assert right > 300
    (left, low), (end, high), _, _ = corners(layer, 1)
    assert (end - left) == pytest.approx((low - high) * 3**0.5, abs=3)


def test_text_beyond_the_page_is_not_on_it(text):
    content = b"BT /F1 12 Tf 100 700 Td (Seen) Tj 0 500 Td (Unseen) Tj -900 0 Td (Nor this) Tj ET"
    assert text(page_pdf(content)) == "Seen"


def test_what_is_typed_into_a_form_belongs_to_the_page(text):
    def form(canvas):
        canvas.drawString(50, 750, "Name:")
        canvas.acroForm.textfield(x=120, y=742, width=200, height=20, value="Ada Lovelace")

    assert text(drawn(form)) == "Name: Ada Lovelace"


def test_a_drawing_somebody_added_is_on_the_page(pdf):
    ink = b"<</Type/Annot/Subtype/Ink/Rect[50 50 90 90]/InkList[[50 50 90 90]]/C[0 0 0]>>"
    layer = pdf(page_pdf(b"", "/MediaBox [0 0 612 792]/Annots[6 0 R]", ink)).text_layer(0, 0)
    assert not layer["blank"]


def test_a_link_is_not(pdf):
    link = b"<</Type/Annot/Subtype/Link/Rect[50 50 90 90]>>"
    layer = pdf(page_pdf(b"", "/MediaBox [0 0 612 792]/Annots[6 0 R]", link)).text_layer(0, 0)
    assert layer["blank"]


def test_text_inside_of_form_objects_counts(text):
    def page(canvas):
        canvas.beginForm("stamp")
        canvas.drawString(100, 100, "Inside")
        canvas.endForm()
        canvas.doForm("stamp")

    assert text(drawn(page)) == "Inside"


def test_characters_beyond_the_first_plane_keep_their_places(text):
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))

    def page(canvas):
        canvas.setFont("Vera", 12)
        canvas.drawString(60, 700, "Größe ½ — “Ärger”")
        canvas.drawString(60, 680, "second line")

    assert text(drawn(page)) == "Größe ½ — “Ärger”\nsecond line"


def test_a_blank_page_is_blank(pdf):
    layer = pdf(page_pdf()).text_layer(0, 0)
    assert layer["blank"]
    assert not layer["usable"]
    assert layer["because"] == "none"


@pytest.mark.parametrize("content", [b"0 g 9 9 9 9 re f", b"BT /F1 9 Tf (  ) Tj ET"])
def test_a_page_with_anything_drawn_is_not_blank(pdf, content: bytes):
    layer = pdf(page_pdf(content)).text_layer(0, 0)
    assert not layer["blank"]
    assert layer["because"] == "none"


def test_a_page_of_text_is_usable(pdf):
    layer = pdf(prose_pdf(1)).text_layer(0, 0)
    assert layer["usable"]
    assert layer["dpi"] == 200
    assert layer["lines"][0][0] == PROSE[0]


def test_a_scan_has_no_text(pdf):
    layer = pdf(scan_pdf(paper())).text_layer(0, 0)
    assert (layer["because"], layer["blank"]) == ("none", False)


def stamp(mode: int):
    def draw(canvas):
        words = canvas.beginText(5, 5)
        words.setFont("Helvetica", 6)
        words.setTextRenderMode(mode)
        words.textOut("Received on 3 May")
        canvas.drawText(words)

    return draw


def test_a_stamp_over_a_scan_leaves_the_scan_to_be_read(pdf):
    scan = Image.new("L", (1240, 1754), 240)
    layer = pdf(scan_pdf(scan, stamp(0))).text_layer(0, 0)
    assert layer["because"] == "picture"
    assert [line[0] for line in layer["lines"]] == ["Received on 3 May"]


def test_an_invisible_layer_over_a_scan_is_used(pdf):
    scan = Image.new("L", (1240, 1754), 240)
    assert pdf(scan_pdf(scan, stamp(3))).text_layer(0, 0)["usable"]


def test_text_beside_a_picture_is_used(pdf):
    def page(canvas):
        canvas.drawImage(ImageReader(paper()), 60, 100, 400, 300)
        for number, line in enumerate(PROSE):
            canvas.drawString(60, 780 - 14 * number, line)

    assert pdf(drawn(page)).text_layer(0, 0)["usable"]


def test_a_font_that_maps_glyphs_to_nothing_is_garbage(pdf):
    codes = bytes(range(1, 30)) * 3
    text = b"BT /F1 12 Tf 100 700 Td <" + codes.hex().encode() + b"> Tj ET"
    assert pdf(page_pdf(text)).text_layer(0, 0)["because"] in ("garbage", "none")


def test_a_poster_too_large_to_render_still_gives_its_text(pdf):
    poster = page_pdf(b"BT /F1 999 Tf 99 99 Td (Poster) Tj ET", "/MediaBox [0 0 900000 900000]")
    layer = pdf(poster, max_pixels=1_000_000).text_layer(0, 200)
    assert layer["usable"]
    assert layer["width"] * layer["height"] <= 1_000_000


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("a\x00b\x07c\x1fd\x7f", "abcd"),
        ("left\u200fto\u202eright\u202c\u2066x\u2069", "lefttorightx"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u00a0b\u2003c  d\t", "a b c d"),
        ("of\ufb01ce \ufb02ow", "office flow"),
        ("u\u0308ber", "über"),
        ("soft\u00adly", "soft-ly"),
        ("end\x02", "end-"),
        ("\uf0b7 item", "• item"),
        ("line\u2028break", "line break"),
    ],
)
def test_text_is_cleaned(raw: str, cleaned: str):
    assert clean(raw) == cleaned
    assert unicodedata.is_normalized("NFC", clean(raw))


def unmapped(kind: str, text: str) -> bytes:
    """Return a page whose font shows letters and does not say which they are."""
    if kind == "Type 3":
        glyphs = "".join(sorted(set(text)))
        names = [f"g{number}" for number in range(len(glyphs))]
        codes = bytes(glyphs.index(letter) + 1 for letter in text)
        font = (
            "<</Type/Font/Subtype/Type3/FontBBox[0 0 750 750]/FontMatrix[.001 0 0 .001 0 0]"
            f"/CharProcs<<{' '.join(f'/{name} 7 0 R' for name in names)}>>"
            f"/Encoding<</Differences[1 {' '.join(f'/{name}' for name in names)}]>>"
            f"/FirstChar 1/LastChar {len(names)}/Widths[{'700 ' * len(names)}]/Resources<<>>>>"
        )
        more = [stream(b"700 0 0 0 700 700 d1 100 100 500 500 re f")]
    else:
        # Glyph 36 is "A" because a TrueType file begins so.
        codes = b"".join((ord(letter) - 29).to_bytes(2, "big") for letter in text)
        mapped = "/ToUnicode 9 0 R" if kind == "replacement characters" else ""
        font = (
            "<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Some/Encoding/Identity-H"
            f"/DescendantFonts[7 0 R]{mapped}>>"
        )
        pairs = [f"<{code:04x}> <FFFD>" for code in range(1, 100)]
        cmap = (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            f"{len(pairs)} beginbfchar {' '.join(pairs)} endbfchar\nendcmap end end"
        )
        more = [
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+Some/FontDescriptor 8 0 R/DW 600"
            b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
            b"<</Type/FontDescriptor/FontName/ABCDEF+Some/Flags 4/FontBBox[0 0 1000 1000]"
            b"/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80>>",
            stream(cmap.encode()),
        ]
    words = b"BT /F2 10 Tf 40 700 Td <" + codes.hex().encode() + b"> Tj ET"
    page = page_pdf(words, "/MediaBox [0 0 2000 792]", font.encode(), *more)
    return page.replace(b"/F1 5 0 R", b"/F2 6 0 R")


@pytest.mark.parametrize("kind", ["Type 3", "Identity-H", "replacement characters"])
def test_glyphs_that_stand_for_no_character_are_no_text(pdf, kind: str):
    layer = pdf(unmapped(kind, " ".join(PROSE))).text_layer(0, 0)
    assert not layer["usable"]
    assert layer["because"] in ("garbage", "none")
    assert not layer["blank"]


def test_every_page_of_a_file_is_judged_alone(pdf):
    def pages(canvas):
        canvas.drawString(60, 700, PROSE[0])
        canvas.showPage()
        canvas.drawImage(ImageReader(paper()), 0, 0, 595, 842)
        canvas.showPage()
        canvas.drawString(60, 700, PROSE[1])

    file = pdf(drawn(pages))
    assert [file.text_layer(page, 0)["because"] for page in range(3)] == ["", "none", ""]
