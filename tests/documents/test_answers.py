import pytest

from ocr_grpc.documents import answers
from ocr_grpc.documents.answers import ProtocolBroken
from ocr_grpc.documents.protocol import Failure
from ocr_grpc.model import Separator

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


@pytest.mark.parametrize("pages", [-1, 2**40, 1.5, "3", None])
def test_a_number_of_pages_is_a_number(pages: object):
    with pytest.raises(ProtocolBroken):
        answers.pages({"ok": {"pages": pages}})
    with pytest.raises(ProtocolBroken):
        answers.pages({"ok": 3})


def test_only_a_refused_size_needs_a_size():
    assert answers.wanted_size({"error": "corrupt"}) == (0, 0)
    assert answers.wanted_size({"error": "page_too_large", "width": 3, "height": 4}) == (3, 4)
    with pytest.raises(ProtocolBroken):
        answers.wanted_size({"error": "page_too_large", "width": "wide"})
