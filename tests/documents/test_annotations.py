"""Form fields and annotations: what is seen of them is text, and what is not seen is not."""

from pathlib import Path

import numpy as np
import pytest

from tests.documents.samples import drawn, page_pdf, spooled, stream

INVISIBLE, HIDDEN, PRINT, NO_VIEW = 1, 2, 4, 32
KINDS = ["FreeText", "Stamp", "Highlight", "Square"]


@pytest.fixture
def text(pdf):
    def read(content: bytes) -> list[str]:
        return [line[0] for line in pdf(content).text_layer(0, 72)["lines"]]

    return read


@pytest.fixture
def has_ink(pdf, tmp_path: Path):
    """Return whether anything dark is drawn between two heights, in points from the top."""

    def look(content: bytes, top: int, bottom: int) -> bool:
        answer, pixels = spooled(pdf(content), tmp_path / "page", dpi=72)
        shape = (answer["height"], answer["width"], answer["channels"])
        return bool(np.frombuffer(pixels, np.uint8).reshape(shape)[top:bottom].min() < 100)

    return look


def remark(kind: str, flags: int) -> bytes:
    """Return a page with a line of text and, 262 to 292 points below its top, an annotation."""
    look = stream(
        b"BT /F1 12 Tf 5 5 Td (Remark) Tj ET",
        "/Type/XObject/Subtype/Form/BBox[0 0 100 30]/Resources<</Font<</F1 5 0 R>>>>",
    )
    annotation = (
        f"<</Type/Annot/Subtype/{kind}/Rect[100 500 200 530]/F {flags}/AP<</N 7 0 R>>"
        "/Contents(Remark)/DA(/Helv 12 Tf)>>"
    )
    body = b"BT /F1 12 Tf 100 700 Td (Body) Tj ET"
    page = "/MediaBox [0 0 612 792]/Annots[6 0 R]"
    return page_pdf(body, page, annotation.encode(), look)


@pytest.mark.parametrize("flags", [0, PRINT, INVISIBLE])
@pytest.mark.parametrize("kind", KINDS)
def test_an_annotation_that_is_shown_is_text(text, has_ink, kind: str, flags: int):
    # "Invisible" is said of kinds that a viewer does not know, and these are known.
    assert text(remark(kind, flags)) == ["Body", "Remark"]
    assert has_ink(remark(kind, flags), 262, 292)


@pytest.mark.parametrize("flags", [HIDDEN, NO_VIEW, HIDDEN + PRINT, NO_VIEW + PRINT])
@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_not_shown_is_not(text, has_ink, kind: str, flags: int):
    assert text(remark(kind, flags)) == ["Body"]
    assert not has_ink(remark(kind, flags), 262, 292)


def test_what_is_chosen_in_a_form_is_text(text):
    def form(canvas):
        canvas.drawString(50, 750, "Name:")
        canvas.acroForm.textfield(x=120, y=742, width=200, height=20, value="Ada Lovelace")
        canvas.acroForm.choice(
            x=120, y=700, width=200, height=20, value="Paris", options=["Rome", "Paris"]
        )

    assert text(drawn(form)) == ["Name:", "Ada Lovelace", "Paris"]


def test_a_ticked_box_is_drawn(has_ink):
    def form(canvas, checked: bool):
        canvas.drawString(50, 750, "Yes:")
        canvas.acroForm.checkbox(
            x=120, y=560, size=20, checked=checked, borderWidth=0, fillColor=None
        )

    ticked, empty = (drawn(lambda canvas, on=on: form(canvas, on)) for on in (True, False))
    assert has_ink(ticked, 265, 280)
    assert not has_ink(empty, 265, 280)


def test_values_of_a_form_that_nobody_has_drawn_yet_are_drawn(text, has_ink):
    def field(kind: str, value: str, bottom: int, more: str = "") -> bytes:
        return (
            f"<</Type/Annot/Subtype/Widget/FT/{kind}/T({value})/V({value}){more}"
            f"/Rect[100 {bottom} 300 {bottom + 20}]/DA(/F1 12 Tf 0 g)/P 3 0 R>>"
        ).encode()

    fields = [
        field("Tx", "Ada Lovelace", 690, "/F 4"),
        field("Ch", "Paris", 650, "/F 4/Ff 131072/Opt[(Rome)(Paris)]"),
        field("Tx", "Unseen", 590, "/F 2"),
    ]
    page = page_pdf(b"", "/MediaBox [0 0 612 792]/Annots[6 0 R 7 0 R 8 0 R]", *fields)
    form = (
        b"/AcroForm<</Fields[6 0 R 7 0 R 8 0 R]/NeedAppearances true/DA(/F1 12 Tf 0 g)"
        b"/DR<</Font<</F1 5 0 R>>>>>>"
    )
    content = page.replace(b"/Type/Catalog", b"/Type/Catalog" + form)
    assert text(content) == ["Ada Lovelace", "Paris"]
    assert [has_ink(content, top, top + 20) for top in (82, 122, 182)] == [True, True, False]
