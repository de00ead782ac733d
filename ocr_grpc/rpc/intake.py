"""Takes a document in and has it read: admitted, spooled, metered, extracted."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr_grpc.accounts.principal import WEIGHTS
from ocr_grpc.documents.spool import Spool, SpooledDocument
from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction.events import Event
from ocr_grpc.extraction.extractor import Extractor
from ocr_grpc.extraction.inspection import InspectedDocument
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.metered import LedgerMeter, MeteredCall, fingerprint_of
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.order import Order
from ocr_grpc.extraction.resumed_meter import ResumedMeter
from ocr_grpc.extraction.together import PartMeter
from ocr_grpc.extraction.totals import Totals
from ocr_grpc.metering.entries import require_request_id
from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.metering.streams import Streams
from ocr_grpc.rpc.caller import current_caller, current_principal
from ocr_grpc.rpc.file_names import check_file_name
from ocr_grpc.rpc.interceptors.base import short_name
from ocr_grpc.rpc.responses import Kept
from ocr_grpc.rpc.status import code_of
from ocr_grpc.telemetry.call_record import current_call


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a document."""

    options: ExtractOptions
    file_name: str = ""
    request_id: str = ""
    resumable: bool = False


Keep = Callable[[SpooledDocument, Wanted], AsyncGenerator[Kept[Any], None]]
"""Reads a document and keeps its events."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts of an extraction that can be resumed, all under one id.

    Attributes:
        request_id: what its pages are charged under.
        totals: of the pages that ended in earlier parts.
        resumed: whether there were any.
    """

    extraction_id: str
    request_id: str
    fingerprint: bytes
    totals: Totals
    interruption: Interruption
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Arriving:
    """A document on its way in."""

    chunks: AsyncGenerator[bytes, None]
    wanted: Callable[[], Wanted]
    """Says what is wanted, as far as that is known; all of it, once the chunks are over."""
    max_bytes: int
    held_bytes: int = 0
    streamed: bool = True
    """Whether its pages leave one by one."""
    keep: Keep | None = None
    """Reads it if it shall be resumable."""


class Intake:
    """What the RPCs that read documents have in common."""

    def __init__(
        self, extractor: Extractor, spool: Spool, ledger: Ledger, streams: Streams
    ) -> None:
        self._extractor = extractor
        self._spool = spool
        self._ledger = ledger
        self._streams = streams

    @property
    def folder(self) -> Path:
        """Where documents are while they are read."""
        return self._spool.path

    async def events(self, arriving: Arriving) -> AsyncGenerator[Event | Kept[Any], None]:
        """Yield the events of a document, from the arrival of its bytes on."""
        async with self._arrived(arriving) as (document, wanted):
            if wanted.resumable and arriving.keep:
                async with aclosing(arriving.keep(document, wanted)) as items:
                    async for item in items:
                        yield item
                return
            # A sidecar may try the whole answer to one message again at another server. It never
            # does that to a stream, and a call with several documents is no repetition of itself.
            retry_id = "" if arriving.streamed else current_caller().retry_id
            metered = await self._metered(document, wanted, retry_id)
            meter = LedgerMeter(self._ledger, metered, _status_of, arriving.streamed)
            async with aclosing(self._read(document, wanted, meter)) as events:
                async for event in events:
                    yield event

    async def inspect(self, arriving: Arriving) -> InspectedDocument:
        """Return what a document is, without reading it."""
        async with self._arrived(arriving) as (document, wanted):
            return await self._extractor.inspect(
                document, wanted.file_name, wanted.options, current_call().caller
            )

    def check(self, wanted: Wanted) -> None:
        """Refuse what can be refused without the document.

        Raises:
            InvalidOption: naming the field.
        """
        require_request_id(wanted.request_id)
        check_file_name(wanted.file_name, kept=wanted.resumable)
        if wanted.resumable and wanted.options.page_image_side_px:
            raise InvalidOption(
                "Pictures of pages are too large to be kept, so `resumable` streams have none.",
                field="options.page_image_side_px",
            )
        self._extractor.check(wanted.options)

    @asynccontextmanager
    async def admitted(self, held_bytes: int = 0) -> AsyncGenerator[None, None]:
        """Count the call as one that reads, for as long as the block lasts.

        Raises:
            QueueFull, MemoryFull, TooManyStreams: there are too many already.
        """
        call, caller = current_call(), current_caller()
        with self._extractor.admitted(call.caller, held_bytes):
            async with self._streams.held(current_principal(), caller.call_id):
                yield

    @asynccontextmanager
    async def received(
        self, chunks: AsyncGenerator[bytes, None], max_bytes: int
    ) -> AsyncGenerator[SpooledDocument, None]:
        """Take a document in, within `admitted`; see `Spool.received`."""
        async with aclosing(chunks), self._spool.received(chunks, max_bytes) as document:
            current_call().facts["size_bytes"] = document.size_bytes
            yield document

    async def read(
        self, document: SpooledDocument, wanted: Wanted, parts: list[PartMeter] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of a document that is here, within `admitted`.

        Args:
            document: one of any number in the call.
            wanted: what is wanted of it.
            parts: takes its meter, if all leave in one answer; see `settled_together`.
        """
        metered = await self._metered(document, wanted)
        if parts is None:
            meter = LedgerMeter(self._ledger, metered, _status_of)
        else:
            meter = PartMeter(self._ledger, metered, _status_of, streamed=False)
            parts.append(meter)
        async with aclosing(self._read(document, wanted, meter)) as events:
            async for event in events:
                yield event

    async def part(
        self, document: SpooledDocument, wanted: Wanted, part: Part
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one part of an extraction, within `admitted`."""
        metered = MeteredCall(
            current_principal(),
            short_name(current_call().method),
            current_caller().call_id,
            part.request_id,
            part.fingerprint,
        )
        kind = ResumedMeter if part.resumed else LedgerMeter
        meter = kind(self._ledger, metered, _status_of)
        async with aclosing(self._read(document, wanted, meter, part)) as events:
            async for event in events:
                yield event

    def _read(
        self,
        document: SpooledDocument,
        wanted: Wanted,
        meter: LedgerMeter,
        part: Part | None = None,
    ) -> AsyncGenerator[Event, None]:
        caller = current_caller()
        interruption = part.interruption if part else Interruption()
        caller.meter, caller.interrupt = meter, interruption.end
        order = Order(
            document,
            wanted.file_name,
            wanted.options,
            current_call().caller,
            meter,
            interruption,
            weight=WEIGHTS[current_principal().role],
            extraction_id=part.extraction_id if part else "",
            totals=part.totals if part else Totals(),
            owner=current_principal().user_id,
        )
        return self._extractor.extract(order)

    @asynccontextmanager
    async def _arrived(
        self, arriving: Arriving
    ) -> AsyncGenerator[tuple[SpooledDocument, Wanted], None]:
        """Admit a document and take all of it in; it exists until the block is left."""
        self.check(arriving.wanted())
        async with (
            self.admitted(arriving.held_bytes),
            self.received(arriving.chunks, arriving.max_bytes) as document,
        ):
            wanted = arriving.wanted()
            self.check(wanted)  # a form may say more beside and after the file
            yield document, wanted

    async def _metered(
        self, document: SpooledDocument, wanted: Wanted, retry_id: str = ""
    ) -> MeteredCall:
        return MeteredCall(
            current_principal(),
            short_name(current_call().method),
            current_caller().call_id,
            wanted.request_id or retry_id,
            await fingerprint_of(document.path, wanted.options) if wanted.request_id else b"",
        )


def _status_of(error: OcrError) -> str:
    return code_of(error).name
