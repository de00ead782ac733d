"""The servicer of OcrService: parse, call, map."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog

from ocr_grpc.documents.errors import DocumentTooLarge
from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.events import Event, Failed, Finished, PageFinished, Usage
from ocr_grpc.rpc import capabilities, options_mapping
from ocr_grpc.rpc.capabilities import OcrLimits, Offer
from ocr_grpc.rpc.errors import InternalError
from ocr_grpc.rpc.inspection_mapping import inspected_to_proto
from ocr_grpc.rpc.intake import Arriving, Intake, Wanted
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.responses import Kept, Response, event_to_proto
from ocr_grpc.rpc.resume import KeptStreams
from ocr_grpc.rpc.upload import Upload
from ocr_grpc.rpc.whole_document import WholeDocument
from ocr_grpc.sidecar.plan import ORIGINAL_PATH
from ocr_grpc.telemetry.call_record import current_call
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceServicer

log = structlog.get_logger()


class OcrServicerImpl(OcrServiceServicer):
    """Answers OcrService."""

    def __init__(
        self,
        intake: Intake,
        engines: Engines,
        version: str,
        limits: OcrLimits,
        offer: Offer,
        kept: KeptStreams,
    ) -> None:
        self._intake = intake
        self._kept = kept
        self._engines = engines
        self._version = version
        self._limits = limits
        self._offer = offer

    async def Extract(  # noqa: N802 - the name in the proto
        self, request: pb.ExtractRequest, context: Context
    ) -> pb.ExtractResponse:
        """Read a document and return all of it."""
        whole = WholeDocument(self._limits.max_inline_bytes)
        inline = self._inline(request)
        del request
        async with aclosing(inline) as events:
            sequence = 0
            async for event in events:
                if isinstance(event, Failed):
                    raise event.error
                sequence += 1
                whole.add(self._response(pb.StreamExtractResponse, sequence, event))
        return whole.response()

    def StreamExtract(  # noqa: N802 - the name in the proto
        self, request: pb.StreamExtractRequest, context: Context
    ) -> AsyncGenerator[pb.StreamExtractResponse, None]:
        """Read a document and send its events."""
        return self._responses(pb.StreamExtractResponse, self._inline(request), context)

    def UploadExtract(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.UploadExtractRequest], context: Context
    ) -> AsyncGenerator[pb.UploadExtractResponse, None]:
        """Take a document in pieces, read it and send its events."""
        upload = Upload(request_iterator, self._limits.upload_idle_seconds)
        events = self._uploaded(upload)
        return self._responses(pb.UploadExtractResponse, events, context)

    def ResumeExtract(  # noqa: N802 - the name in the proto
        self, request: pb.ResumeExtractRequest, context: Context
    ) -> AsyncGenerator[pb.ResumeExtractResponse, None]:
        """Send the events of an extraction that the caller lacks, and read what is left."""
        return self._kept.resumed(request, context)

    async def Inspect(  # noqa: N802 - the name in the proto
        self, request: pb.InspectRequest, context: Context
    ) -> pb.InspectResponse:
        """Say what a document is."""
        arriving = self._arriving(request, "", streamed=False)
        del request
        return inspected_to_proto(await self._intake.inspect(arriving))

    async def GetCapabilities(  # noqa: N802 - the name in the proto
        self, request: pb.GetCapabilitiesRequest, context: Context
    ) -> pb.GetCapabilitiesResponse:
        """Return what this server can do."""
        return capabilities.response(self._version, self._engines, self._limits, self._offer)

    async def _inline(
        self, request: pb.ExtractRequest | pb.StreamExtractRequest
    ) -> AsyncGenerator[Event | Kept[Any], None]:
        streamed = isinstance(request, pb.StreamExtractRequest)
        arriving = self._arriving(request, request.request_id, streamed)
        del request  # its bytes are on disk soon, and an extraction may last
        async with aclosing(self._intake.events(arriving)) as events:
            async for event in events:
                yield event

    def _arriving(
        self,
        request: pb.ExtractRequest | pb.StreamExtractRequest | pb.InspectRequest,
        request_id: str,
        streamed: bool,
    ) -> Arriving:
        options = options_mapping.options_from_proto(request.options)
        if not streamed and options.page_image_side_px:
            raise InvalidOption(
                "Pictures of pages come in streams alone.", field="options.page_image_side_px"
            )
        limit = self._limits.max_inline_bytes
        size_bytes = len(request.content)
        if size_bytes > limit:
            raise DocumentTooLarge(
                limit, size_bytes, "MAX_INLINE_BYTES", "Use UploadExtract, which takes more."
            )
        resumable = isinstance(request, pb.StreamExtractRequest) and request.resumable
        wanted = Wanted(options, request.file_name, request_id, resumable)
        return Arriving(
            _once([request.content]),
            lambda: wanted,
            max_bytes=limit,
            held_bytes=size_bytes,
            streamed=streamed,
            keep=partial(self._kept.begun, pb.StreamExtractResponse),
        )

    async def _uploaded(self, upload: Upload) -> AsyncGenerator[Event | Kept[Any], None]:
        await upload.begin()
        limit = self._limits.max_document_bytes
        if upload.size_bytes > limit:
            raise DocumentTooLarge(limit, upload.size_bytes)
        keep = partial(self._kept.begun, pb.UploadExtractResponse)
        arriving = Arriving(upload.chunks(), upload.wanted, max_bytes=limit, keep=keep)
        async with aclosing(self._intake.events(arriving)) as events:
            async for event in events:
                yield event

    async def _responses(
        self,
        kind: Callable[..., Response],
        events: AsyncGenerator[Event | Kept[Response], None],
        context: Context,
    ) -> AsyncGenerator[Response, None]:
        """Yield the events as numbered responses, the last of them `finished` or `failed`.

        Callers over REST see no status once a stream runs, so it ends in an event as well. An error
        before the first event is all theirs: the status becomes the HTTP code. What was kept can go
        on at another server, so it ends with what it came to: nothing leaves that was not kept.
        """
        # Held, because the end may run in another task, where there is no current call.
        call = current_call()
        sequence = 0
        last: Event | None = None
        pages, kept = 0, False
        try:
            async with aclosing(events):
                async for item in events:
                    kept = isinstance(item, Kept)
                    sequence, last = sequence + 1, item.event if isinstance(item, Kept) else item
                    pages += isinstance(last, PageFinished)
                    yield self._response(kind, sequence, item)
        except Exception as error:
            if isinstance(last, Finished | Failed):
                # All was said; what failed is the tidying up, and that is ours alone.
                log.exception("cleanup_failed", method=call.method)
                raise
            known = error if isinstance(error, OcrError) else InternalError()
            if not kept and (sequence or not _is_rest(context)):
                failed = Failed(known, Usage())
                yield self._response(kind, sequence + 1, failed)
            raise
        finally:
            call.facts.update(events=sequence, pages=pages)
        if isinstance(last, Failed):
            raise last.error

    def _response(
        self, kind: Callable[..., Response], sequence: int, item: Event | Kept[Response]
    ) -> Response:
        if isinstance(item, Kept):
            return item.response
        return event_to_proto(kind, sequence, item, self._engines.ready_workers_of)


async def _once(parts: list[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the parts and keep none of them."""
    while parts:
        yield parts.pop()


def _is_rest(context: Context) -> bool:
    return any(key == ORIGINAL_PATH for key, _ in context.invocation_metadata() or ())
