"""How a stream that is kept ends: for good, or so that it can go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ocr_grpc.accounts.principal import Limits, Principal, QuotaShare, Role
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.errors import DocumentTimedOut
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import ShuttingDown
from ocr_grpc.extraction.events import (
    Delta,
    Event,
    PageFinished,
    PageOutcome,
    PageStarted,
    Provenance,
    Started,
    TextSource,
    Usage,
)
from ocr_grpc.extraction.options import ExtractOptions, Mode
from ocr_grpc.model import PageGeometry
from ocr_grpc.resumption.errors import KeptFull
from ocr_grpc.resumption.resumption import Resumption
from ocr_grpc.rpc.caller import Caller, set_current_caller
from ocr_grpc.rpc.intake import Part, Wanted
from ocr_grpc.rpc.resume import KeptStreams
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobsUnavailable
from ocr_grpc.store.sealing import Seal
from ocr_grpc.telemetry.call_record import CallRecord, set_current_call
from ocr_grpc.v1 import ocr_service_pb2 as pb

PAGES = 3
MAX_USER_BYTES = 20
"""Two documents of those here, and not three."""


def page(number: int) -> list[Event]:
    text = f"page {number}"
    return [
        PageStarted(number, PageGeometry(1, 1, 0), TextSource.IMAGE),
        Delta(number, text),
        PageFinished(
            number, PageOutcome.OK, Provenance(Mode.AUTO), Usage(pages=1), text, revision=1
        ),
    ]


@dataclass
class Reader:
    """Stands for the intake: reads pages by heart, up to what ends it."""

    folder: Path
    ends: list[OcrError | None]
    """What each part ends with after its first page; None: it goes on to the end."""
    parts: list[Part] = field(default_factory=list)
    here: int = 0
    """How many calls are admitted."""

    async def part(self, document: SpooledDocument, wanted: Wanted, part: Part):
        self.parts.append(part)
        assert document.path.read_bytes() == b"content"
        end = self.ends.pop(0)
        yield Started(part.extraction_id, DocumentKind.PDF, PAGES, PAGES, Mode.AUTO, None, 0, 7)
        for number in chain(*part.totals.without([range(1, PAGES + 1)])):
            story = page(number)
            part.totals.add(story[-1])
            for event in story:
                yield event
            if end:
                raise end
            if part.interruption.future.done():
                raise part.interruption.future.result()
            await asyncio.sleep(0)
        yield part.totals.last_event(1.0)

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        self.here += 1
        yield
        self.here -= 1


class FullBlobs(Blobs):
    async def put_file(self, key: str, path: Path) -> None:
        raise BlobsUnavailable


class Streams:
    """Streams of one caller, read by a reader."""

    def __init__(self, database: Database, folder: Path, blobs: Blobs, *ends: OcrError | None):
        self.reader = Reader(folder, list(ends))
        self.kept = Resumption(database, blobs, Seal(b"secret"), 600, MAX_USER_BYTES)
        self.streams = KeptStreams(self.kept, self.reader, lambda _: 0)
        self.document = SpooledDocument(folder / "document", 7)
        self.document.path.write_bytes(b"content")
        quota = QuotaShare("ann", 0)
        principal = Principal("ann", "ann", Role.USER, Limits(), quota)
        set_current_caller(Caller("", "call", principal))
        set_current_call(CallRecord("/ocr_grpc.v1.OcrService/StreamExtract", "call", "ann"))

    async def begin(self) -> tuple[list, OcrError | None]:
        wanted = Wanted(ExtractOptions(), resumable=True)
        items = self.streams.begun(pb.StreamExtractResponse, self.document, wanted)
        return await ending(item.response async for item in items)

    async def go_on(self, events: list) -> tuple[list, OcrError | None]:
        request = pb.ResumeExtractRequest(
            extraction_id=events[0].started.extraction_id, after_sequence=events[-1].sequence
        )
        return await ending(self.streams.resumed(request, None))


async def ending(responses) -> tuple[list, OcrError | None]:
    """Return the responses of a call, and the error it ended with."""
    came = []
    try:
        async for response in responses:
            came.append(response)  # noqa: PERF401 - those before an error count
    except OcrError as error:
        return came, error
    return came, None


@asynccontextmanager
async def streaming(embedded, folder: Path, *ends, kind=Blobs) -> AsyncIterator[Streams]:
    database, blobs = Database(embedded.database_url), kind("", folder)
    streams = Streams(database, folder, blobs, *ends)
    await streams.kept.start()
    yield streams
    await streams.kept.close()
    await blobs.close()
    await database.close()


async def test_a_server_that_stops_ends_a_stream_without_a_last_event(embedded, tmp_path):
    async with streaming(embedded, tmp_path, ShuttingDown(), ShuttingDown(), None) as streams:
        events, error = await streams.begin()
        assert isinstance(error, ShuttingDown)
        assert events[-1].HasField("page_finished")
        more, error = await streams.go_on(events)
        assert isinstance(error, ShuttingDown)
        events += more
        more, error = await streams.go_on(events)
        events += more
        assert error is None
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert events[-1].finished.pages_ok == PAGES
        read = [event.page_finished.page_number for event in events if event.page_finished.text]
        assert read == [1, 2, 3]
        first, *others = streams.reader.parts
        assert not first.resumed
        assert all(part.resumed for part in others)
        # All parts are charged as one.
        parts = (first, *others)
        assert len({(each.extraction_id, each.request_id, each.fingerprint) for each in parts}) == 1


async def test_a_document_that_takes_too_long_is_over(embedded, tmp_path):
    late = DocumentTimedOut("Too long.")
    async with streaming(embedded, tmp_path, late) as streams:
        events, _ = await streams.begin()
        assert events[-1].failed.reason == "DOCUMENT_TIMED_OUT"
        assert events[-1].failed.usage.pages == 1
        assert events[-1].sequence == len(events)


async def test_without_room_for_the_document_nothing_is_promised(embedded, tmp_path):
    async with streaming(embedded, tmp_path, None, kind=FullBlobs) as streams:
        events, error = await streams.begin()
    assert events == []
    assert isinstance(error, BlobsUnavailable)


async def test_what_a_user_may_not_have_kept_is_not_even_read(embedded, tmp_path):
    async with streaming(embedded, tmp_path, None, None) as streams:
        for _ in range(2):
            _, error = await streams.begin()
            assert error is None
        events, error = await streams.begin()
        assert (events, type(error)) == ([], KeptFull)
        assert len(streams.reader.parts) == 2


async def test_what_is_only_sent_again_has_a_place_as_well(embedded, tmp_path):
    async with streaming(embedded, tmp_path, None) as streams:
        events, _ = await streams.begin()
        request = pb.ResumeExtractRequest(extraction_id=events[0].started.extraction_id)
        again = streams.streams.resumed(request, None)
        assert (await anext(again)).HasField("started")
        assert streams.reader.here == 1
        assert [response.sequence async for response in again] == list(range(2, len(events) + 1))
        assert streams.reader.here == 0
