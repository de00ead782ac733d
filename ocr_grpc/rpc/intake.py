"""Takes a document in and has it read: admitted, spooled, metered, extracted."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from ocr_grpc.documents.spool import Spool, SpooledDocument
from ocr_grpc.extraction.events import Event
from ocr_grpc.extraction.extractor import Extractor, Order
from ocr_grpc.extraction.inspection import InspectedDocument
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.metered import LedgerMeter, MeteredCall, fingerprint_of
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.metering.entries import require_request_id
from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.metering.streams import Streams
from ocr_grpc.rpc.caller import Caller, current_caller, current_principal
from ocr_grpc.rpc.errors import InvalidFileName
from ocr_grpc.rpc.interceptors.base import short_name
from ocr_grpc.rpc.status import code_of
from ocr_grpc.telemetry.call_record import CallRecord, current_call

MAX_FILE_NAME_CHARS = 255


@dataclass(frozen=True, slots=True)
class Arriving:
    """A document on its way in, and what is wanted of it."""

    chunks: AsyncGenerator[bytes, None]
    options: ExtractOptions
    file_name: str
    request_id: str
    max_bytes: int
    held_bytes: int = 0
    streamed: bool = True
    """Whether its pages leave one by one."""


class Intake:
    """What the RPCs that read documents have in common."""

    def __init__(
        self, extractor: Extractor, spool: Spool, ledger: Ledger, streams: Streams
    ) -> None:
        self._extractor = extractor
        self._spool = spool
        self._ledger = ledger
        self._streams = streams

    async def events(self, arriving: Arriving) -> AsyncGenerator[Event, None]:
        """Yield the events of a document, from the arrival of its bytes on."""
        require_request_id(arriving.request_id)
        async with self._arrived(arriving) as document:
            order = await self._order(arriving, document, current_call(), current_caller())
            async with aclosing(self._extractor.extract(order)) as events:
                async for event in events:
                    yield event

    async def inspect(self, arriving: Arriving) -> InspectedDocument:
        """Return what a document is, without reading it."""
        async with self._arrived(arriving) as document:
            return await self._extractor.inspect(
                document, arriving.file_name, arriving.options, current_call().caller
            )

    @asynccontextmanager
    async def _arrived(self, arriving: Arriving) -> AsyncGenerator[SpooledDocument, None]:
        """Admit a document and take all of it in; it exists until the block is left."""
        if len(arriving.file_name) > MAX_FILE_NAME_CHARS:
            raise InvalidFileName(
                f"A file name has at most {MAX_FILE_NAME_CHARS} characters.", field="file_name"
            )
        self._extractor.check(arriving.options)
        call, caller = current_call(), current_caller()
        with self._extractor.admitted(call.caller, arriving.held_bytes):
            async with (
                self._streams.held(current_principal(), caller.call_id),
                aclosing(arriving.chunks),
                self._spool.received(arriving.chunks, arriving.max_bytes) as document,
            ):
                call.facts["size_bytes"] = document.size_bytes
                yield document

    async def _order(
        self, arriving: Arriving, document: SpooledDocument, call: CallRecord, caller: Caller
    ) -> Order:
        interruption = Interruption()
        caller.interrupt = interruption.end
        metered = MeteredCall(
            current_principal(),
            short_name(call.method),
            caller.call_id,
            arriving.request_id,
            await fingerprint_of(document.path, arriving.options) if arriving.request_id else b"",
        )
        meter = caller.meter = LedgerMeter(
            self._ledger, metered, lambda error: code_of(error).name, arriving.streamed
        )
        return Order(
            document, arriving.file_name, arriving.options, call.caller, meter, interruption
        )
