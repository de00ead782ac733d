"""The same bytes, options and engine give the same events without work; anything else is read."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import fields, replace
from typing import Any

import pytest

from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.extraction.cache_entry import CachedDocument
from ocr_grpc.extraction.cache_key import KeyMaker
from ocr_grpc.extraction.cache_page import BrokenPage
from ocr_grpc.extraction.errors import ShuttingDown
from ocr_grpc.extraction.events import Event, Finished, PageFinished, Started, Usage
from ocr_grpc.extraction.options import ExtractOptions, Mode, Quality
from ocr_grpc.extraction.totals import Totals
from ocr_grpc.metering.errors import QuotaExceeded
from ocr_grpc.model import TextFormat
from ocr_grpc.store.sealing import Seal
from tests.extraction.cache_desk import SEAL, Counting, Desk

OTHERS = {
    "mode": Mode.FORCE_OCR,
    "pages": "1-2",
    "dpi": 300,
    "languages": ("de",),
    "prompt": "Read.",
    "password": "geheim",
    "text_format": TextFormat.MARKDOWN,
    "skip_pictures": True,
    "page_image_side_px": 64,
    "quality": Quality.DRAFT_THEN_FINAL,
    "words": True,
}
"""A value other than the default of each option that changes what is read."""


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def texts(events: list[Event]) -> dict[int, str]:
    return {each.page_number: each.text for each in events if isinstance(each, PageFinished)}


def cached(events: list[Event]) -> bool:
    """Return whether all pages were, or none."""
    [found] = {each.provenance.cached for each in events if isinstance(each, PageFinished)}
    return found


def of_pages(events: list[Event]) -> list[Event]:
    """Return the events of the pages, page by page, without what each call has of its own."""
    own = [event for event in events if not isinstance(event, Started | Finished)]
    return sorted(
        (
            replace(e, provenance=replace(e.provenance, cached=False, engine=None))
            if isinstance(e, PageFinished)
            else e
            for e in own
        ),
        key=lambda event: event.page_number,
    )


async def test_the_second_time_nothing_is_opened_or_read(desk):
    first, second = await desk.read(), await desk.read()
    assert (desk.pool.opened, desk.reader.reads) == (1, 3)
    assert (cached(first), cached(second)) == (False, True)
    assert of_pages(second) == of_pages(first)
    assert isinstance(second[0], Started)
    assert replace(second[0], extraction_id=first[0].extraction_id) == first[0]
    assert first[0].extraction_id != second[0].extraction_id
    assert replace(second[-1], duration_seconds=0) == replace(first[-1], duration_seconds=0)
    assert (desk.lookups("miss"), desk.lookups("hit")) == (1, 1)


async def test_cached_pages_are_reserved_charged_and_settled_as_any(desk):
    meters = Counting(), Counting()
    for meter in meters:
        await desk.read(meter)
    assert sorted(meters[1].charged) == [1, 2, 3]
    assert meters[1].reserved == meters[0].reserved == [[range(1, 4)]]
    assert meters[1].settled == [None]
    with pytest.raises(QuotaExceeded):
        await desk.read(Counting(refuses=True))


async def test_usage_is_what_was_consumed_now(desk):
    await desk.read()
    usage = (await desk.read())[-1].usage
    assert usage == Usage(completion_chars=len("Page 1, reading 1.") * 3, input_bytes=300, pages=3)


def test_no_option_is_forgotten():
    names = {each.name for each in fields(ExtractOptions)}
    assert names == {*OTHERS, "engine", "skip_cache"}


@pytest.fixture
def key_of(desk):
    async def key(limits: str = "", seal: Seal = SEAL, **values: Any) -> bytes:
        choice = desk.extractor._engines.choose(ExtractOptions())
        return await KeyMaker(seal, limits, False).key(desk.order(**values), choice)

    return key


async def test_whatever_changes_the_answer_changes_the_key(desk, key_of):
    other = desk.path.with_name("other")
    other.write_bytes(b"byteZ")
    keys = [
        await key_of(),
        await key_of(document=SpooledDocument(other, 300)),
        await key_of(owner="bob"),
        await key_of(name="a.csv"),
        await key_of(limits="max_pages=7"),
        await key_of(seal=Seal(b"other")),
        *[await key_of(options=ExtractOptions(**{name: OTHERS[name]})) for name in OTHERS],
    ]
    for part in ("name", "model", "model_version", "backend", "precision"):
        before = desk.reader.description
        desk.reader.description = replace(before, **{part: "another"})
        keys.append(await key_of())
        desk.reader.description = before
    assert len(set(keys)) == len(keys) == 6 + len(OTHERS) + 5


async def test_what_means_the_same_has_the_same_key(key_of, desk):
    def pages(text: str) -> ExtractOptions:
        return ExtractOptions(pages=text)

    assert await key_of() == await key_of(name="b.TIF", options=ExtractOptions(engine="lines"))
    assert (
        await key_of() == await key_of(options=pages("1-")) == await key_of(options=pages("-3,2-"))
    )
    assert await key_of(options=pages("1,2,3")) == await key_of(options=pages(" 1-2, 3"))
    assert await key_of(options=pages("1,3")) != await key_of(options=pages("1-3"))
    digest = SpooledDocument(desk.path, 300, hashlib.sha256(b"bytes").digest())
    assert await key_of() == await key_of(document=digest)


async def test_accounts_share_nothing_unless_they_are_told_to(desk, tmp_path):
    assert not cached(await desk.read())
    assert not cached(await desk.read(owner="bob"))
    open_to_all = Desk(tmp_path, shared=True)
    assert not cached(await open_to_all.read())
    assert cached(await open_to_all.read(owner="bob"))


async def test_what_nobody_owns_is_neither_kept_nor_found(desk):
    for _ in range(2):
        assert not cached(await desk.read(owner=""))
    assert desk.results.used_bytes == 0
    assert desk.lookups("miss") == 0


async def test_whoever_wants_it_read_anew_gets_it_and_leaves_nothing(desk):
    anew = ExtractOptions(skip_cache=True)
    assert not cached(await desk.read(options=anew))
    assert desk.results.used_bytes == 0
    await desk.read()
    newest = await desk.read(options=anew)
    assert not cached(newest)
    assert desk.lookups("refused") == 2
    assert texts(await desk.read()) != texts(newest)


async def test_a_page_that_another_engine_read_is_not_kept(desk):
    desk.reader.answers_as = replace(desk.reader.description, model_version="2")
    for _ in range(2):
        assert not cached(await desk.read())


async def test_what_is_kept_of_a_user_can_be_forgotten(desk):
    await desk.read()
    desk.cache.forget("ada")
    assert not cached(await desk.read())


async def test_the_rest_of_an_extraction_comes_from_the_cache_and_does_not_go_there(desk):
    whole = texts(await desk.read())
    totals = Totals()
    totals.add(next(e for e in await desk.read() if isinstance(e, PageFinished)))
    done = totals.last_event(0).usage.completion_chars
    assert done
    meter = Counting()
    rest = await desk.read(meter, totals=totals, extraction_id="same")
    assert cached(rest)
    assert len(texts(rest)) == 2
    assert texts(rest).items() <= whole.items()
    assert (rest[0].extraction_id, rest[-1].pages_ok) == ("same", 3)
    assert sum(len(part) for part in meter.reserved[0]) == 2

    desk.cache.forget("ada")
    totals = Totals()
    totals.add(PageFinished(1, *_how(rest)))
    assert not cached(await desk.read(totals=totals))
    assert desk.results.used_bytes == 0


def _how(events: list[Event]) -> tuple[Any, Any]:
    page = next(e for e in events if isinstance(e, PageFinished))
    return page.outcome, page.provenance


async def test_one_that_hangs_up_leaves_nothing_and_frees_all(desk):
    meter = Counting()
    async with aclosing(desk.extractor.extract(desk.order(meter))) as events:
        async for event in events:
            if isinstance(event, PageFinished):
                break
    assert meter.abandoned == 1
    assert desk.results.used_bytes == desk.room.used_bytes == 0


@asynccontextmanager
async def slow(desk: Desk, meter: Counting) -> AsyncGenerator[None, None]:
    """Take two pages of an extraction, and no more."""
    async with aclosing(desk.extractor.extract(desk.order(meter))) as events:
        ended = 0
        async for event in events:
            ended += isinstance(event, PageFinished)
            if ended == 2:
                break
        for _ in range(100):  # rounds of the loop, for whatever would run ahead
            await asyncio.sleep(0)
        yield


async def test_a_slow_reader_of_a_cached_document_is_waited_for(tmp_path):
    desk = Desk(tmp_path, pages=100)
    await desk.read()
    meter = Counting()
    async with slow(desk, meter):
        assert len(meter.charged) < 20
        desk.cache.forget("ada")
        assert desk.results.used_bytes > 0  # it is in use
    assert desk.results.used_bytes == 0
    assert meter.abandoned == 1


async def test_interrupting_ends_a_cached_document_as_any(desk):
    await desk.read()
    order = desk.order()
    events = desk.extractor.extract(order)
    assert isinstance(await anext(events), Started)
    order.interruption.end(ShuttingDown())
    with pytest.raises(ShuttingDown):
        [event async for event in events]


async def test_an_entry_that_cannot_be_read_is_a_miss_and_is_removed(desk):
    await desk.read()
    [key] = desk.results._entries
    desk.results.keep(key, "ada", b"\1\2\3")
    assert not cached(await desk.read())
    assert cached(await desk.read())


async def test_a_page_that_cannot_be_read_fails_one_call_and_not_all_until_it_expires(desk):
    await desk.read()
    [(key, entry)] = desk.results._entries.items()
    document = CachedDocument.from_bytes(entry.value)
    pages = dict(document.pages) | {2: b"by another version"}
    desk.results.keep(key, "ada", replace(document, pages=pages).to_bytes())
    with pytest.raises(BrokenPage):
        await desk.read()
    assert not cached(await desk.read())
    assert cached(await desk.read())
