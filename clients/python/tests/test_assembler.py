from ocr_grpc_client import Assembler, ExtractEvent, PageOutcome
from ocr_grpc_client.messages import (
    Block,
    DocumentKind,
    ExtractionFinished,
    ExtractionStarted,
    Line,
    PageFinished,
    PageStarted,
    Point,
    TextDelta,
    TextRetract,
    Usage,
)


def delta(text: str, page: int = 1, revision: int = 1, lines: bool = True) -> ExtractEvent:
    found = [Line(text=line, confidence=0.5) for line in text.split("\n") if line and lines]
    return ExtractEvent(
        delta=TextDelta(page_number=page, revision=revision, text=text, lines=found)
    )


def retract(offset: int, page: int = 1, revision: int = 1) -> ExtractEvent:
    return ExtractEvent(retract=TextRetract(page_number=page, revision=revision, offset=offset))


def finished(text: str, page: int = 1, revision: int = 1) -> ExtractEvent:
    return ExtractEvent(
        page_finished=PageFinished(
            page_number=page, outcome=PageOutcome.OK, text=text, revision=revision
        )
    )


def assembled(*events: ExtractEvent) -> Assembler:
    assembler = Assembler()
    for event in events:
        assembler.add(event)
    return assembler


def texts(assembler: Assembler) -> list[tuple[str, list[str]]]:
    pages = assembler.document.pages
    return [(page.text, [line.text for line in page.lines]) for page in pages]


def test_deltas_are_joined_and_their_lines_kept():
    assert texts(assembled(delta("one"), delta("\ntwo"))) == [("one\ntwo", ["one", "two"])]


def test_a_retract_counts_code_points_not_bytes_or_utf_16_units():
    # 😀 and 𝒳 are four bytes in UTF-8 and two units in UTF-16 each; é is two code points here.
    assembler = assembled(delta("😀𝒳e\u0301"), delta("\n😀 again"), retract(4))
    assert texts(assembler) == [("😀𝒳e\u0301", ["😀𝒳e\u0301"])]


def test_a_retract_within_a_line_voids_that_line():
    assembler = assembled(delta("😀 first"), delta("\nsecond 😀"), retract(10))
    assert texts(assembler) == [("😀 first\nse"[:10], ["😀 first"])]


def test_a_retract_to_the_beginning_leaves_nothing_and_text_may_come_again():
    assembler = assembled(delta("wrong"), retract(0), delta("right"))
    assert texts(assembler) == [("right", ["right"])]


def test_a_retract_voids_blocks_that_begin_beyond_it():
    placed = TextDelta(
        page_number=1, revision=1, text="ab", blocks=[Block(offset=0), Block(offset=1)]
    )
    assembler = assembled(ExtractEvent(delta=placed), retract(1))
    assert [block.offset for block in assembler.document.pages[0].blocks] == [0]


def test_the_highest_revision_is_shown_whichever_grows():
    assembler = assembled(delta("draft"), delta("fi", revision=2), delta(" more"))
    assert texts(assembler) == [("fi", ["fi"])]
    assembler.add(delta("nal", revision=2))
    assert assembler.document.pages[0].text == "final"


def test_a_retract_of_one_revision_leaves_the_other():
    assembler = assembled(delta("draft"), delta("final", revision=2), retract(0, revision=1))
    assert texts(assembler) == [("final", ["final"])]


def test_the_revision_that_counts_is_the_one_that_the_end_names():
    assembler = assembled(delta("draft"), delta("lost", revision=2), finished("draft"))
    assert texts(assembler) == [("draft", ["draft"])]


def test_a_line_twice_on_a_page_is_found_twice():
    assembler = assembled(delta("same"), delta("\nsame"), delta("\nsame"), retract(9))
    assert texts(assembler) == [("same\nsame", ["same", "same"])]


def test_pages_come_in_their_order_whatever_ends_first():
    assembler = assembled(
        delta("b", page=2), delta("a", page=1), finished("b", page=2), finished("a", page=1)
    )
    assert assembler.document.text == "a\fb"


def test_a_failed_page_has_a_reason_and_no_text():
    failed = PageFinished(page_number=2, outcome=PageOutcome.FAILED, reason="PAGE_TIMED_OUT")
    assembler = assembled(
        finished("a"), delta("half of", page=2), ExtractEvent(page_finished=failed)
    )
    [_, page] = assembler.document.pages
    assert (page.text, page.lines, page.reason) == ("", [], "PAGE_TIMED_OUT")
    assert assembler.document.text == "a"


def test_the_document_has_what_began_and_ended_it():
    assembler = assembled(
        ExtractEvent(
            started=ExtractionStarted(
                extraction_id="x1", kind=DocumentKind.PDF, document_page_count=7
            )
        ),
        ExtractEvent(page_started=PageStarted(page_number=1, width_px=800, height_px=400)),
        ExtractEvent(
            delta=TextDelta(
                page_number=1,
                revision=1,
                text="a",
                lines=[Line(text="a", polygon=[Point(x=1, y=2)], confidence=0.5)],
            )
        ),
        finished("a"),
        ExtractEvent(
            finished=ExtractionFinished(usage=Usage(pages=1), pages_ok=1, duration_seconds=2)
        ),
    )
    document = assembler.document
    assert (document.extraction_id, document.kind) == ("x1", DocumentKind.PDF)
    assert (document.document_page_count, document.pages_ok, document.usage.pages) == (7, 1, 1)
    [page] = document.pages
    assert (page.width_px, page.height_px) == (800, 400)
    assert page.lines[0].polygon == [Point(x=1, y=2)]
