"""A page that was under way is read anew, and whoever puts the events together is right."""

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.extraction.events import (
    Delta,
    Finished,
    PageFinished,
    PageImage,
    PageOutcome,
    PageStarted,
    Provenance,
    Retract,
    Started,
    TextSource,
    Usage,
)
from ocr_grpc.extraction.options import Mode
from ocr_grpc.extraction.totals import Totals
from ocr_grpc.model import Line, PageGeometry, box
from ocr_grpc.resumption.continuation import Continuation
from ocr_grpc.rpc.kept_events import kept_event, note
from ocr_grpc.rpc.whole_document import WholeDocument
from ocr_grpc.store.base import utc_now
from ocr_grpc.v1 import ocr_service_pb2 as pb

GEOMETRY = PageGeometry(8, 8, 100.0)
STARTED = Started("x", DocumentKind.PDF, 2, 2, Mode.AUTO, None, 0, 9)


def line(text: str) -> Line:
    return Line(text, box(0, 0, 1, 1), 1.0)


def delta(page: int, text: str, revision: int = 1) -> Delta:
    return Delta(page, text, (line(text.strip()),), revision)


def begun(page: int) -> list:
    picture = PageImage(page, b"a picture", "image/jpeg", 8, 8)
    return [PageStarted(page, GEOMETRY, TextSource.IMAGE), picture]


def ended(page: int, text: str, revision: int = 1) -> PageFinished:
    outcome = PageOutcome.OK if revision else PageOutcome.FAILED
    usage = Usage(completion_chars=len(text), pages=int(revision > 0))
    return PageFinished(page, outcome, Provenance(Mode.AUTO), usage, text, revision)


def by_lines(page: int) -> list:
    return [*begun(page), delta(page, "one"), delta(page, "\ntwo"), ended(page, "one\ntwo")]


def with_draft(page: int) -> list:
    return [
        *begun(page),
        delta(page, "dra"),
        delta(page, "\nft"),
        delta(page, "fin", 2),
        delta(page, "\nnal", 2),
        Retract(page, 3, 2),
        delta(page, "\nal", 2),
        ended(page, "fin\nal", 2),
    ]


def draft_that_counts(page: int) -> list:
    return [*begun(page), delta(page, "dra"), delta(page, "\nft"), ended(page, "dra\nft", 1)]


def broken(page: int) -> list:
    return [*begun(page), delta(page, "half"), Retract(page), ended(page, "", 0)]


def unreadable(page: int) -> list:
    return [ended(page, "", 0)]


class Stream:
    """What a caller gets, over any number of parts."""

    def __init__(self) -> None:
        self.responses: list[pb.StreamExtractResponse] = []
        self._kept: list = []

    def send(self, events: list) -> None:
        for event in events:
            number = len(self.responses) + 1
            kept, response = kept_event(pb.StreamExtractResponse, number, event, lambda _: 0)
            self._kept.append(kept)
            self.responses.append(response)

    def continuation(self) -> Continuation:
        continuation = Continuation(utc_now())
        for kept in self._kept:
            note(continuation, kept)
        return continuation

    def go_on(self, events: list) -> None:
        continuation = self.continuation()
        self.send([each for event in events for each in continuation.events(event)])

    def page(self):
        whole = WholeDocument()
        for response in self.responses:
            whole.add(response)
        return whole.response().pages[0]


READINGS = [by_lines, with_draft, draft_that_counts, broken, unreadable]


@pytest.mark.parametrize("second", READINGS)
@pytest.mark.parametrize("first", READINGS)
def test_wherever_a_page_breaks_off_its_next_reading_is_what_counts(first, second):
    for cut in range(len(first(1))):
        stream = Stream()
        stream.send([STARTED, *first(1)[:cut]])
        stream.go_on([STARTED, *second(1)])
        alone = Stream()
        alone.send([STARTED, *second(1)])
        page, expected = stream.page(), alone.page()
        assert page.text == expected.text
        assert [each.text for each in page.lines] == [each.text for each in expected.lines]
        assert page.outcome == expected.outcome
        assert kinds_of(stream).count("started") == 1
        for once in ("page_started", "page_image"):
            assert kinds_of(stream).count(once) <= 1


def kinds_of(stream: Stream) -> list[str]:
    return [response.WhichOneof("event") for response in stream.responses]


def test_a_page_may_break_off_any_number_of_times():
    stream = Stream()
    stream.send([STARTED, *with_draft(1)[:-2]])
    stream.go_on([STARTED, *with_draft(1)[:5]])
    stream.go_on([STARTED, *by_lines(1)[:3]])
    stream.go_on([STARTED, *draft_that_counts(1)])
    assert stream.page().text == "dra\nft"
    assert [each.text for each in stream.page().lines] == ["dra", "ft"]
    # Without looking at revisions, those who obey every `retract` see the same.
    seen = ""
    for response in stream.responses:
        if response.HasField("retract"):
            seen = seen[: response.retract.offset]
        seen += response.delta.text
    assert seen == "dra\nft"


def test_what_a_page_that_ended_consumed_counts_and_it_is_not_read_again():
    stream = Stream()
    stream.send([STARTED, *by_lines(1), *begun(2), delta(2, "half")])
    totals = stream.continuation().totals
    assert totals.without([range(1, 4), range(6, 7)]) == [range(2, 4), range(6, 7)]
    totals.add(ended(2, "two"))
    finished = totals.last_event(1.0)
    assert isinstance(finished, Finished)
    assert (finished.pages_ok, finished.usage.pages) == (2, 2)
    assert finished.usage.completion_chars == len("one\ntwo") + len("two")


def test_pages_that_are_left_are_few_ranges():
    totals = Totals()
    assert totals.without([range(1, 9)]) == [range(1, 9)]
    for number in (1, 2, 5, 8):
        totals.add(ended(number, ""))
    assert totals.without([range(1, 9)]) == [range(3, 5), range(6, 8)]
    assert totals.without([range(1, 3)]) == []


def test_the_seconds_are_those_since_the_first_part_began():
    stream = Stream()
    stream.send([STARTED])
    continuation = Continuation(utc_now().replace(year=2020))
    (last,) = continuation.events(Finished(Usage(), 1, 0, 0, 0.5))
    assert isinstance(last, Finished)
    assert last.duration_seconds > 86_400
