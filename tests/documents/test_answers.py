import pytest

from ocr_grpc.documents import answers
from ocr_grpc.documents.answers import Figures, ProtocolBroken
from ocr_grpc.documents.document import DocumentKind, Picture
from ocr_grpc.documents.formats import FORMATS, Family
from ocr_grpc.documents.protocol import Failure
from ocr_grpc.model import Separator, TextFormat

CORNERS = [0, 0, 9, 0, 9, 5, 0, 5]
TEXT = {
    "width": 100,
    "height": 50,
    "dpi": 72.0,
    "usable": True,
    "because": "",
    "blank": False,
    "lines": [["one", CORNERS, ""], ["two", CORNERS, "\n"]],
}
PAGE = {"width": 100, "height": 50, "dpi": 72, "channels": 1}


def test_a_well_formed_text_is_understood():
    layer = answers.text_layer({"ok": TEXT}, 5_000)
    assert [line.text for line in layer.lines] == ["one", "two"]
    assert [line.separator for line in layer.lines] == [Separator.NONE, Separator.LINE]
    assert layer.usable


@pytest.mark.parametrize(
    "change",
    [
        {"width": 101},
        {"width": "100"},
        {"width": True},
        {"height": -50},
        {"height": None},
        {"dpi": float("nan")},
        {"dpi": 1e300},
        {"dpi": 10**400},
        {"because": "a sentence of one's own"},
        {"because": ["none"]},
        {"lines": None},
        {"lines": {}},
        {"lines": ["one"]},
        {"lines": [["one", CORNERS]]},
        {"lines": [["", CORNERS, ""]]},
        {"lines": [[1, CORNERS, ""]]},
        {"lines": [["one", CORNERS[:7], ""]]},
        {"lines": [["one", [*CORNERS[:7], "5"], ""]]},
        {"lines": [["one", [*CORNERS[:7], 1e12], ""]]},
        {"lines": [["one", [*CORNERS[:7], -(10**400)], ""]]},
        {"lines": [["one", CORNERS, "\n"]]},
        {"lines": [["one", CORNERS, ""], ["two", CORNERS, ""]]},
        {"lines": [["one", CORNERS, "\t"]]},
        {"lines": [["one", CORNERS, []]]},
        {"lines": [["two\nlines", CORNERS, ""]]},
        {"lines": [["nul\0", CORNERS, ""]]},
        {"lines": [["lone \ud800 half", CORNERS, ""]]},
        {"lines": [["x" * 1_000_000, CORNERS, ""]]},
        {"lines": [["x", CORNERS, ""]] * 100_000},
    ],
)
def test_anything_else_is_not(change: dict):
    with pytest.raises(ProtocolBroken):
        answers.text_layer({"ok": TEXT | change}, 5_000)


@pytest.mark.parametrize(
    "change", [{"channels": 2}, {"channels": 4}, {"width": 10**9}, {"dpi": -1}]
)
def test_a_page_has_one_or_three_channels_and_bounded_pixels(change: dict):
    assert answers.rendered({"ok": PAGE}, 5_000)[1] == 1
    with pytest.raises(ProtocolBroken):
        answers.rendered({"ok": PAGE | change}, 5_000)


@pytest.mark.parametrize("answer", [{}, {"error": "made up"}, {"error": ["corrupt"]}, {"error": 1}])
def test_an_answer_is_a_success_or_a_known_failure(answer: dict):
    with pytest.raises(ProtocolBroken):
        answers.failure(answer)


def test_known_failures_are_told_apart():
    for failure in Failure:
        assert answers.failure({"error": failure.value}) is failure
    assert answers.failure({"ok": {}}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"pages": -1},
        {"pages": 2**40},
        {"pages": 1.5},
        {"pages": "3"},
        {"pages": None},
        {"pages": True},
        {"kind": "exe"},
        {"kind": None},
        {"kind": ["pdf"]},
        {"kind": "docx"},
        {"kind": "png"},
    ],
)
def test_an_opened_document_has_a_number_of_pages_and_the_format_that_was_seen(change: dict):
    opened = {"pages": 3, "kind": "pdf"}
    expected = (3, DocumentKind.PDF)
    assert answers.opened({"ok": opened}, Family.PAGES, DocumentKind.PDF) == expected
    with pytest.raises(ProtocolBroken):
        answers.opened({"ok": opened | change}, Family.PAGES, DocumentKind.PDF)
    with pytest.raises(ProtocolBroken):
        answers.opened({"ok": 3}, Family.PAGES, DocumentKind.PDF)


@pytest.mark.parametrize("kind", DocumentKind)
def test_a_reader_tells_formats_of_its_own_family_only(kind: DocumentKind):
    answer = {"ok": {"pages": 1, "kind": kind.value}}
    own = FORMATS[kind].family
    (other,) = set(Family) - {own}
    assert answers.opened(answer, own, None) == (1, kind)
    with pytest.raises(ProtocolBroken):
        answers.opened(answer, other, None)


def test_figures_come_with_a_refusal_or_are_nought():
    assert answers.figures({"error": "corrupt"}) == Figures(0, 0, 0)
    refused = {"error": "page_too_large", "width": 3, "height": 4, "found": 5}
    assert answers.figures(refused) == Figures(3, 4, 5)


@pytest.mark.parametrize("value", ["wide", -1, 1.0, None, True, 2**64])
@pytest.mark.parametrize("name", ["width", "height", "found"])
def test_figures_are_numbers(name: str, value: object):
    with pytest.raises(ProtocolBroken):
        answers.figures({"error": "page_too_large", name: value})


STRUCTURED = {"format": "markdown", "segments": ["# One\n\n", [0, False], "\ttwo"], "left_out": 2}


def test_a_well_formed_structured_page_is_understood():
    page = answers.structured_page({"ok": STRUCTURED}, 1)
    assert page.format is TextFormat.MARKDOWN
    assert page.segments == ("# One\n\n", Picture(0, inline=False), "\ttwo")
    assert page.pictures_left_out == 2


@pytest.mark.parametrize(
    "change",
    [
        {"format": "html"},
        {"format": None},
        {"format": []},
        {"left_out": -1},
        {"left_out": "2"},
        {"segments": None},
        {"segments": "text"},
        {"segments": {"0": "text"}},
        {"segments": [1]},
        {"segments": [None]},
        {"segments": [["text", False]]},
        {"segments": [[-1, False]]},
        {"segments": [[2**31, False]]},
        {"segments": [[True, False]]},
        {"segments": [[0, 0]]},
        {"segments": [[0]]},
        {"segments": [[0, False, 1]]},
        {"segments": ["nul\0"]},
        {"segments": ["escape \x1b[31m"]},
        {"segments": ["turned \u202e round"]},
        {"segments": ["isolated \u2066"]},
        {"segments": ["lone \ud800 half"]},
        {"segments": ["return\r"]},
        {"segments": ["x" * 200_001]},
        {"segments": ["x" * 100_001, "x" * 100_000]},
        {"segments": [[0, False], [1, True]]},
    ],
)
def test_any_other_structured_page_is_not(change: dict):
    with pytest.raises(ProtocolBroken):
        answers.structured_page({"ok": STRUCTURED | change}, 1)


INSPECTED = {
    "width": 100,
    "height": 50,
    "dpi": 72.0,
    "width_pt": 100.0,
    "height_pt": 50.0,
    "text_share": 0.5,
    "rotation": 90,
    "blank": False,
    "pictures": 1,
    "because": "garbage",
}


def test_a_well_formed_inspection_is_understood():
    page = answers.inspection({"ok": INSPECTED}, 5_000)
    assert page.geometry is not None
    assert (page.geometry.width_px, page.rotation_degrees, page.picture_count) == (100, 90, 1)
    assert answers.inspection({"ok": INSPECTED | {"width": 0}}, 5_000).geometry is None


@pytest.mark.parametrize(
    "change",
    [
        {"width": 101},
        {"width": -1},
        {"width": None},
        {"width": 0.0},
        {"dpi": "72"},
        {"width_pt": -1},
        {"height_pt": float("inf")},
        {"text_share": 1.01},
        {"text_share": float("nan")},
        {"rotation": 45},
        {"rotation": 360},
        {"rotation": "90"},
        {"pictures": -1},
        {"pictures": 1.5},
        {"because": "a sentence of one's own"},
        {"because": None},
    ],
)
def test_any_other_inspection_is_not(change: dict):
    with pytest.raises(ProtocolBroken):
        answers.inspection({"ok": INSPECTED | change}, 5_000)
