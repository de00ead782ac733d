"""A page of a structured document: its own text, with what the engine reads of its pictures."""

import os
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from ocr_grpc.documents.document import DocumentKind, Picture, StructuredPage
from ocr_grpc.documents.errors import PageTooLarge, ReaderUnavailable
from ocr_grpc.engines.errors import EngineFailed, WorkerLost
from ocr_grpc.engines.vlm.parts import Piece, TakeBack, VisionDone
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.extraction.admission import Admission
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.events import Delta, PageFinished, PageOutcome, Retract, TextSource
from ocr_grpc.extraction.options import ExtractOptions, Mode
from ocr_grpc.extraction.page_context import PageContext
from ocr_grpc.extraction.page_reader import PageReader
from ocr_grpc.fairness import FairSlots
from ocr_grpc.model import RenderedPage, TextFormat
from tests.extraction.scripted import ENGINE, TERMS, VISION, Lines, Vision, image_in

BLOCK, INLINE = Picture(0, inline=False), Picture(0, inline=True)


class Written:
    """A document of one page; its pictures are files in a folder."""

    kind = DocumentKind.DOCX
    page_count = 1
    is_structured = has_text_layers = True

    def __init__(self, folder: Path, page: StructuredPage, failure: Exception | None) -> None:
        self.folder, self.page, self.failure = folder, page, failure

    async def structured_page(self, page_number: int, wanted: TextFormat) -> StructuredPage:
        return self.page

    async def render_picture(self, number: int, page_number: int) -> RenderedPage:
        if self.failure:
            raise self.failure
        return image_in(self.folder, number)


@pytest.fixture
def read(tmp_path: Path) -> Callable:
    """Read a page of these segments and return its events."""

    async def read(
        *segments: str | Picture,
        engine: Lines | None = None,
        vision: Vision | None = None,
        failure: Exception | None = None,
        left_out: int = 0,
        form: TextFormat = TextFormat.MARKDOWN,
        **options,
    ) -> list:
        page = StructuredPage(form, segments, left_out)
        context = PageContext(
            document=Written(tmp_path, page, failure),
            size_bytes=100,
            options=ExtractOptions(**options),
            choice=ChosenEngines(engine or Lines(), vision),
            terms=TERMS,
            rendering=FairSlots(1),
            place=Admission(9, 9, 9).queue(""),
        )
        async with aclosing(PageReader(context, 1).events()) as events:
            found = [event async for event in events]
        assert not os.listdir(tmp_path), "a picture's pixels were left behind"  # noqa: PTH208
        assert put_together(found) == found[-1].text
        return found

    return read


def put_together(events: list) -> str:
    text = ""
    for event in events:
        if isinstance(event, Delta):
            text += event.text
        elif isinstance(event, Retract):
            text = text[: event.offset]
    return text


async def finished(events) -> PageFinished:
    return (await events)[-1]


async def test_text_alone_is_the_page_and_needs_no_engine(read):
    page = await finished(read("# Title\n\nSome text.\n"))
    assert page.text == "# Title\n\nSome text."
    assert page.outcome is PageOutcome.OK
    assert page.text_format is TextFormat.MARKDOWN
    assert page.provenance.source is TextSource.TEXT_LAYER
    assert page.provenance.engine is None


async def test_a_pictures_text_stands_where_the_picture_does(read):
    engine = Lines(["a scan", "of two lines"])
    page = await finished(read("before\n\n", BLOCK, "\n\nafter\n", engine=engine))
    assert page.text == "before\n\na scan\nof two lines\n\nafter"
    assert page.provenance.engine is ENGINE
    assert page.provenance.picture_count == 1
    assert page.provenance.source is TextSource.TEXT_LAYER


async def test_a_picture_without_text_leaves_no_gap(read):
    page = await finished(read("before\n\n", BLOCK, "\n\nafter", engine=Lines([])))
    assert page.text == "before\n\nafter"


async def test_a_picture_in_a_cell_breaks_neither_line_nor_cell(read):
    engine = Lines(["one | two", "three"])
    page = await finished(read("| a | ", INLINE, "|\n", engine=engine))
    assert page.text == "| a | one \\| two three |"


async def test_a_picture_in_a_line_does_not_stick_to_the_word_before_it(read):
    page = await finished(read("see", INLINE, "there", engine=Lines(["one", "two"])))
    assert page.text == "see one two there"


async def test_a_page_that_is_one_picture_is_read_like_a_scan(read):
    events = await read(BLOCK, engine=Lines(["photo"]))
    assert events[0].source is TextSource.IMAGE
    assert events[-1].text == "photo"


@pytest.mark.parametrize("options", [{"skip_pictures": True}, {"mode": Mode.TEXT_LAYER_ONLY}])
async def test_pictures_can_be_left_unread(read, options):
    page = await finished(read("text\n\n", BLOCK, left_out=3, **options))
    assert page.text == "text"
    assert page.outcome is PageOutcome.OK
    assert page.provenance.picture_count == 0


async def test_a_worker_that_dies_over_a_picture_costs_that_pictures_text_alone(read):
    engine = Lines(["scr", WorkerLost("died", began=True)], ["scan"])
    events = await read("before\n\n", BLOCK, "\n\nafter", engine=engine)
    assert [event.offset for event in events if isinstance(event, Retract)] == [len("before")]
    assert events[-1].text == "before\n\nscan\n\nafter"


@pytest.mark.parametrize("failure", [PageTooLarge("too large"), None])
async def test_a_picture_that_cannot_be_read_degrades_its_page(read, failure):
    engine = Lines(["half", EngineFailed("it failed")])
    page = await finished(read("before\n\n", BLOCK, "\n\nafter", engine=engine, failure=failure))
    assert page.text == "before\n\nafter"
    assert page.outcome is PageOutcome.DEGRADED
    assert page.error.reason == "PICTURE_UNREADABLE"
    assert page.error.metadata["why"] == ("PAGE_TOO_LARGE" if failure else "ENGINE_FAILED")
    assert page.usage.pages == 1


async def test_a_server_that_cannot_read_pictures_now_fails_the_page(read):
    page = await finished(read("before\n\n", BLOCK, failure=ReaderUnavailable()))
    assert page.outcome is PageOutcome.FAILED
    assert page.error.reason == "READER_UNAVAILABLE"
    assert (page.text, page.usage.pages) == ("", 0)


async def test_pictures_left_out_are_told(read):
    page = await finished(read("text", left_out=2))
    assert page.outcome is PageOutcome.DEGRADED
    assert page.error.metadata["setting"] == "MAX_PICTURES_PER_PAGE"


async def test_an_empty_page_is_blank(read):
    page = await finished(read("\n \n"))
    assert page.blank
    assert page.outcome is PageOutcome.OK


async def test_long_text_comes_in_small_deltas(read):
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(200)).strip()
    events = await read(text, form=TextFormat.PLAIN)
    sizes = [len(event.text) for event in events if isinstance(event, Delta)]
    assert max(sizes) <= 4_000
    assert len(sizes) > 10
    assert events[-1].text == text


async def test_a_model_reads_pictures_too_and_what_it_takes_back_is_never_seen(read):
    spent = Spent(7, 3, attempts=2)
    said = [Piece("a scan a scan"), TakeBack(6), VisionDone(spent, TextFormat.MARKDOWN)]
    events = await read("before\n\n", BLOCK, "\n\nafter", vision=Vision(said))
    assert not [event for event in events if isinstance(event, Retract)]
    page = events[-1]
    assert page.text == "before\n\na scan\n\nafter"
    assert page.provenance.engine == VISION
    assert (page.usage.prompt_tokens, page.usage.completion_tokens) == (7, 3)
