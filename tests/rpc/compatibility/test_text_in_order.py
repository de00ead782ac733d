import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.events import (
    Delta,
    PageFinished,
    PageOutcome,
    Provenance,
    Retract,
    Started,
)
from ocr_grpc.extraction.options import Mode
from ocr_grpc.rpc.compatibility.text_in_order import TextInOrder


def delta(page: int, text: str) -> Delta:
    return Delta(page, text, ())


def end(page: int, text: str, outcome: PageOutcome = PageOutcome.OK) -> PageFinished:
    return PageFinished(page, outcome, Provenance(Mode.AUTO), text=text)


def test_the_first_page_leaves_while_it_is_read_and_others_wait_for_it():
    text = TextInOrder()
    assert text.add(delta(1, "a")) == "a"
    assert text.add(delta(2, "c")) == ""
    assert text.add(delta(1, "\nb")) == "\nb"
    assert text.add(end(3, "e")) == ""
    assert text.add(end(1, "a\nb")) == "\n\nc"
    assert text.add(delta(2, "d")) == "d"
    assert text.add(end(2, "cd")) == "\n\ne"


def test_blank_pages_leave_no_gap():
    text = TextInOrder()
    assert text.add(end(1, "")) == ""
    assert text.add(end(2, "a")) == "a"
    assert text.add(end(3, "")) == ""
    assert text.add(end(4, "b")) == "\n\nb"


def test_another_document_begins_with_page_one_again():
    text = TextInOrder()
    text.begin_document()
    assert text.add(end(1, "a")) == "a"
    text.begin_document()
    assert text.add(delta(1, "b")) == "\n\nb"


def test_a_page_that_is_read_anew_goes_on_where_it_was():
    text = TextInOrder()
    assert text.add(delta(1, "ab")) == "ab"
    assert text.add(Retract(1)) == ""
    assert text.add(delta(1, "a")) == ""
    assert text.add(delta(1, "bc")) == ""
    assert text.add(end(1, "abc")) == "c"


def test_text_that_was_held_may_be_taken_back():
    text = TextInOrder()
    assert text.add(delta(2, "wrong")) == ""
    assert text.add(Retract(2, offset=0)) == ""
    assert text.add(delta(2, "right")) == ""
    assert text.add(end(1, "a")) == "a\n\nright"


def test_text_that_left_cannot():
    text = TextInOrder()
    text.add(delta(1, "abc"))
    text.add(Retract(1, offset=2))
    with pytest.raises(OcrError) as revised:
        text.add(end(1, "abx"))
    assert revised.value.reason == "TEXT_REVISED"


def test_of_a_page_that_fails_what_left_stays():
    text = TextInOrder()
    assert text.add(delta(1, "a")) == "a"
    assert text.add(end(1, "", PageOutcome.FAILED)) == ""
    assert text.add(end(2, "", PageOutcome.FAILED)) == ""
    assert text.add(end(3, "c")) == "\n\nc"


def started(engine: EngineDescription) -> Started:
    return Started("x", DocumentKind.PDF, 1, 1, Mode.AUTO, engine, 0, 1)


@pytest.mark.parametrize("asked", [True, False])
def test_pages_that_may_be_taken_back_leave_whole(asked):
    model = EngineDescription("vlm", "seer", "1", "none", "", writes_markdown=not asked)
    text = TextInOrder(whole_pages=asked)
    text.add(started(model))
    assert text.add(delta(1, "one one one")) == ""
    assert text.add(Retract(1, 3)) == ""
    assert text.add(end(1, "another")) == "another"


def test_lines_leave_at_once_though_the_document_before_was_read_by_a_model():
    text = TextInOrder()
    text.add(started(EngineDescription("vlm", "seer", "1", "none", "", writes_markdown=True)))
    text.add(end(1, "a"))
    text.begin_document()
    text.add(started(EngineDescription("ppocr", "m", "1", "none", "")))
    assert text.add(delta(1, "b")) == "\n\nb"
