"""What the cache keeps of a page, and what it takes down while a page is read."""

import random
from dataclasses import replace

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.extraction.cache_entry import CachedDocument
from ocr_grpc.extraction.cache_key import identity
from ocr_grpc.extraction.cache_page import CachedPage, packed, unpacked
from ocr_grpc.extraction.cache_recording import Recording, RecordingTerms, cut
from ocr_grpc.extraction.errors import DpiLowered
from ocr_grpc.extraction.events import (
    Delta,
    Event,
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
from ocr_grpc.model import Block, Line, PageGeometry, Point, Separator, TextFormat, Word, joined
from ocr_grpc.store.result_cache import Room

ENGINE = EngineDescription("null", "none", "1", "python", "f32")
HOW = Provenance(Mode.AUTO, TextSource.IMAGE, ENGINE, dpi=150.5, attempts=2, alphabet="latin")
GEOMETRY = PageGeometry(1240, 1754, 150.5)


def polygon():
    return tuple(Point(random.random() * 1000, random.random() * 1e-9) for _ in range(4))


def line(text: str, separator=Separator.LINE, words: int = 0) -> Line:
    own = tuple(Word(f"wörd{number}", polygon(), 0.1) for number in range(words))
    return Line(text, polygon(), 0.987654321, separator, own)


def delta(*lines: Line, page: int = 1, revision: int = 1, blocks=()) -> Delta:
    return Delta(page, joined(lines), lines, revision, blocks)


def ended(text: str, page: int = 1, revision: int = 1, **values) -> PageFinished:
    usage = Usage(30, 40, 50, len(text), 99, 1, tokens_estimated=True)
    return PageFinished(
        page,
        PageOutcome.OK,
        **{"provenance": HOW, "usage": usage} | values,
        text=text,
        revision=revision,
    )


def started(page: int = 1) -> PageStarted:
    return PageStarted(page, GEOMETRY, TextSource.IMAGE, TextFormat.MARKDOWN)


def page_of(*deltas: Delta, image: PageImage | None = None) -> CachedPage:
    text = "".join(each.text for each in deltas)
    return CachedPage(started(), image, deltas, ended(text, revision=deltas[0].revision))


def test_a_page_comes_back_as_it_was_but_for_what_it_took():
    block = Block("title", polygon(), 0)
    page = page_of(
        delta(line("Erste Zeile", Separator.NONE, words=3), line("二行目 🎉"), revision=2),
        delta(line("dritte", Separator.BLOCK), revision=2, blocks=(block, Block("", (), 7))),
        image=PageImage(1, bytes(range(256)) * 9, "image/jpeg", 640, 905),
    )
    again = list(unpacked(memoryview(packed(page))).events())
    assert again[:-1] == [page.started, page.image, *page.deltas]
    provenance = replace(HOW, cached=True)
    spent = Usage(completion_chars=len(page.finished.text), input_bytes=99, pages=1)
    assert again[-1] == replace(page.finished, provenance=provenance, usage=spent)


def test_a_page_without_anything_on_it_comes_back_blank():
    page = CachedPage(started(), None, (), ended("", blank=True))
    *before, last = unpacked(packed(page)).events()
    assert before == [page.started]
    assert (last.text, last.blank, last.usage) == ("", True, Usage(input_bytes=99, pages=1))


def test_a_document_knows_its_pages_without_unpacking_them():
    pages = {number: packed(page_of(delta(line(f"{number}")))) for number in (3, 1, 7)}
    value = CachedDocument(DocumentKind.PDF, 9, pages).to_bytes()
    again = CachedDocument.from_bytes(value)
    assert (again.kind, again.page_count, list(again.pages)) == (DocumentKind.PDF, 9, [3, 1, 7])
    assert {number: bytes(page) for number, page in again.pages.items()} == pages


@pytest.mark.parametrize(
    "harm", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"", lambda b: b[9:]]
)
def test_what_is_no_document_is_refused(harm):
    value = CachedDocument(DocumentKind.PDF, 1, {1: packed(page_of(delta(line("a"))))}).to_bytes()
    with pytest.raises(ValueError):
        CachedDocument.from_bytes(harm(value))


@pytest.mark.parametrize("harm", [lambda b: b[:40], lambda b: b"", lambda b: b[:12] + b"\0" * 90])
def test_what_is_no_page_is_refused(harm):
    with pytest.raises(ValueError):
        unpacked(harm(packed(page_of(delta(line("a"))))))


def test_what_was_retracted_is_cut_with_its_lines_and_blocks():
    first, second = line("abc", Separator.NONE), line("def")
    blocks = (Block("a", (), 0), Block("b", (), 5))
    deltas = [delta(first, second, blocks=blocks), delta(line("ghi"))]
    assert cut(deltas, 99) == deltas
    assert cut(deltas, 7) == deltas[:1]
    assert cut(deltas, 5) == [Delta(1, "abc\nd", (first,), 1, blocks[:1])]
    assert cut(deltas, 0) == []


class Taken:
    """Records an extraction of one page."""

    def __init__(
        self, room_bytes: int = 10**6, max_bytes: int = 10**6, pictured: bool = False
    ) -> None:
        self.room = Room(room_bytes)
        self.documents: list[CachedDocument] = []
        engines = {identity(ENGINE)}
        keep = self.documents.append
        self.terms = RecordingTerms(self.room, max_bytes, engines, pictured, keep)

    async def of(self, *events: Event, pages: int = 1, ends: bool = True) -> "Taken":
        async def all_of_it():
            yield Started("id", DocumentKind.PDF, pages, pages, Mode.AUTO, ENGINE, 0, 99)
            for event in events:
                yield event
            if ends:
                ok = sum(
                    isinstance(e, PageFinished) and e.outcome is PageOutcome.OK for e in events
                )
                yield Finished(Usage(), ok, pages - ok, 0, 1.0)

        passed = [event async for event in Recording(self.terms).recorded(all_of_it())]
        assert passed[1 : 1 + len(events)] == list(events)
        assert self.room.used_bytes == 0
        return self

    def events(self) -> list[Event]:
        [document] = self.documents
        return list(unpacked(document.pages[1]).events())


async def test_only_the_reading_that_counts_is_kept():
    draft, final = delta(line("draft")), delta(line("fin"), revision=2)
    more = delta(line("al and more"), revision=2)
    taken = await Taken().of(
        started(),
        draft,
        final,
        more,
        Retract(1, 6, 2),
        Retract(1, 0, 1),
        ended("\nfin\na", revision=2),
    )
    texts = [event.text for event in taken.events() if isinstance(event, Delta)]
    assert texts == ["\nfin", "\na"]
    assert taken.events()[-1].text == "\nfin\na"


async def test_a_page_that_was_read_again_is_kept_once():
    half, whole = delta(line("ha")), delta(line("half"))
    taken = await Taken().of(started(), half, Retract(1), whole, ended("\nhalf"))
    assert taken.events()[1:-1] == [whole]


OTHER_ENGINE = replace(HOW, engine=replace(ENGINE, model_version="2"))


@pytest.mark.parametrize(
    "end",
    [
        {"outcome": PageOutcome.DEGRADED, "error": DpiLowered(300, 200)},
        {"outcome": PageOutcome.FAILED, "error": DpiLowered(300, 200)},
        {"provenance": replace(HOW, fallback_from="vlm")},
        {"provenance": replace(HOW, text_layer_rejected="error")},
        {"provenance": OTHER_ENGINE},
    ],
)
async def test_a_document_with_a_page_that_might_be_better_next_time_is_not_kept(end):
    bad = replace(ended("a", page=2), **end)
    taken = await Taken().of(started(), ended("a"), started(2), bad, pages=2)
    assert taken.documents == []


async def test_a_page_that_could_not_be_drawn_just_now_is_not_kept():
    image = PageImage(1, b"jpeg", "image/jpeg", 64, 90)
    assert (await Taken(pictured=True).of(started(), image, ended("a"))).documents
    assert (await Taken(pictured=True).of(started(), ended("a"))).documents == []
    written = replace(started(), geometry=PageGeometry(0, 0, 0.0))  # there is nothing to draw
    assert (await Taken(pictured=True).of(written, ended("a"))).documents


async def test_a_document_of_which_pages_are_missing_is_not_kept():
    assert (await Taken().of(started(), ended("a"), pages=2)).documents == []
    assert (await Taken().of(started(), ended("a"), ends=False)).documents == []


async def test_a_document_that_gets_too_large_is_not_kept():
    noise = "".join(chr(random.randrange(32, 9999)) for _ in range(9000))
    events = started(), delta(line(noise)), ended(noise)
    assert (await Taken().of(*events)).documents
    assert (await Taken(max_bytes=9000).of(*events)).documents == []
    assert (await Taken(room_bytes=9000).of(*events)).documents == []
