"""Streams that can be resumed: their events are kept before they leave.

Whatever was sent is kept, under its number, and nothing is sent that is not. So a call that ends
because of the server, or because somebody else resumed, has a status but no `failed`: it can go on.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from time import monotonic

import grpc

from ocr_grpc.documents.errors import DocumentTimedOut
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import QueueFull
from ocr_grpc.extraction.events import Event, Failed
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.metered import fingerprint_of
from ocr_grpc.extraction.totals import Totals
from ocr_grpc.metering.errors import TooManyStreams
from ocr_grpc.resumption.continuation import Continuation
from ocr_grpc.resumption.entries import NewExtraction
from ocr_grpc.resumption.gathered import gathered
from ocr_grpc.resumption.log import Log
from ocr_grpc.resumption.resumption import Resumption, TakenOver
from ocr_grpc.rpc.caller import current_caller, current_principal, with_left
from ocr_grpc.rpc.intake import Intake, Part, Wanted
from ocr_grpc.rpc.interceptors.base import Context, short_name
from ocr_grpc.rpc.kept_events import continued, kept_event, note, replayed
from ocr_grpc.rpc.responses import Kept, Response
from ocr_grpc.rpc.status import DETAILS_KEY
from ocr_grpc.store.base import new_id
from ocr_grpc.telemetry.call_record import current_call
from ocr_grpc.v1 import ocr_service_pb2 as pb

MAX_READY = 64
"""Events that wait while those before them are written; the work goes on meanwhile."""

PATIENCE_SECONDS = 5.0
"""What a part waits for the one before it to leave its place; that takes a second."""

RETRY_SECONDS = 0.2

REQUEST_ID = "resumable:"
"""What begins the request id of an extraction whose caller gave none."""


class KeptStreams:
    """Keeps streams, and goes on with them."""

    def __init__(
        self,
        resumption: Resumption,
        intake: Intake,
        ready_workers_of: Callable[[str], int],
    ) -> None:
        """Take where they are kept, what reads, and what knows how many workers an engine has."""
        self._resumption = resumption
        self._intake = intake
        self._ready_workers_of = ready_workers_of

    async def begun(
        self, kind: Callable[..., Response], document: SpooledDocument, wanted: Wanted
    ) -> AsyncGenerator[Kept[Response], None]:
        """Yield the events of a document that is here, each when it is kept.

        Args:
            kind: the response they leave as.
            document: what to read, within `Intake.admitted`.
            wanted: what is wanted of it.

        Raises:
            KeptFull: the caller has too much that is kept already.
        """
        user_id, extraction_id = current_principal().user_id, new_id()
        await self._resumption.require_room(user_id, document.size_bytes)
        if wanted.request_id:
            fingerprint = await fingerprint_of(document.path, wanted.options)
        else:
            fingerprint = hashlib.sha256(extraction_id.encode()).digest()
        request_id = wanted.request_id or f"{REQUEST_ID}{extraction_id}"
        part = Part(extraction_id, request_id, fingerprint, Totals(), Interruption())
        new = NewExtraction(
            extraction_id,
            user_id,
            short_name(current_call().method),
            wanted.file_name,
            document.size_bytes,
            wanted.options,
            request_id,
            fingerprint,
        )

        async def begin() -> Log:
            return await self._resumption.begin(new, document.path, part.interruption.end)

        events = self._intake.part(document, wanted, part)
        async with aclosing(self._kept(kind, part, events, begin)) as items:
            async for item in items:
                yield item

    async def resumed(
        self, request: pb.ResumeExtractRequest, context: Context
    ) -> AsyncGenerator[pb.ResumeExtractResponse, None]:
        """Yield the events after a number: those that were kept, then those of what is left."""
        # Held, because the end may run in another task, where there is no current call.
        call, after = current_call(), request.after_sequence
        taken = await self._resumption.take_over(
            current_principal().user_id, request.extraction_id, after
        )
        sent = pages = 0
        try:
            parts = self._ended(taken, after) if taken.ended else self._gone_on_with(taken, after)
            failure: pb.ResumeExtractResponse | None = None
            async with aclosing(parts) as responses:
                async for response in responses:
                    sent += 1
                    pages += response.HasField("page_finished")
                    failure = response if response.HasField("failed") else None
                    yield response
        finally:
            call.facts.update(events=sent, pages=pages)
        if failure:
            await _end_as(failure, context)

    async def _ended(
        self, taken: TakenOver, after: int
    ) -> AsyncGenerator[pb.ResumeExtractResponse, None]:
        """Yield what was sent. It reads no page, but takes memory and connections as if it did."""
        async with (
            _admitted_soon(self._intake),
            aclosing(self._replayed(taken, after)) as responses,
        ):
            async for response in responses:
                yield response

    async def _replayed(
        self, taken: TakenOver, after: int
    ) -> AsyncGenerator[pb.ResumeExtractResponse, None]:
        async with aclosing(self._resumption.events(taken, after)) as events:
            async for kept in events:
                yield replayed(kept)

    async def _gone_on_with(
        self, taken: TakenOver, after: int
    ) -> AsyncGenerator[pb.ResumeExtractResponse, None]:
        interruption, continuation = Interruption(), Continuation(taken.create_time)
        wanted = Wanted(self._resumption.options_of(taken), taken.file_name)
        log = self._resumption.log_of(taken, interruption.end)

        async def open_log() -> Log:
            return log

        try:
            async with (
                _admitted_soon(self._intake),
                self._resumption.document(taken, self._intake.folder) as path,
            ):
                async with aclosing(self._resumption.progress(taken)) as events:
                    async for kept in events:
                        note(continuation, kept)
                async with aclosing(self._replayed(taken, after)) as responses:
                    async for response in responses:
                        yield response
                part = Part(
                    taken.extraction_id,
                    taken.request_id,
                    taken.fingerprint,
                    continuation.totals,
                    interruption,
                    resumed=True,
                )
                document = SpooledDocument(path, taken.size_bytes)
                rest = continued(self._intake.part(document, wanted, part), continuation)
                items = self._kept(pb.ResumeExtractResponse, part, rest, open_log)
                async with aclosing(items):
                    async for item in items:
                        yield item.response
        finally:
            log.close()

    async def _kept(
        self,
        kind: Callable[..., Response],
        part: Part,
        events: AsyncGenerator[Event, None],
        open_log: Callable[[], Awaitable[Log]],
    ) -> AsyncGenerator[Kept[Response], None]:
        """Yield events once they are kept; those that come while others are written go together."""
        log: Log | None = None
        trouble: OcrError | None = None
        try:
            async with aclosing(gathered(events, MAX_READY)) as batches:
                async for batch in batches:
                    if trouble:
                        continue  # the reading was told, and ends with it in a moment
                    try:
                        log = log or await open_log()
                        items = await self._keep(kind, log, batch)
                    except OcrError as error:
                        trouble = error
                        part.interruption.end(error)
                        continue
                    for item in items:
                        yield item
        except DocumentTimedOut as error:
            # The document's fault, so a repetition is useless: this is the end of it.
            if log is None or trouble:
                raise
            for item in await self._keep(kind, log, [Failed(error, part.totals.usage)]):
                yield item
        finally:
            if log:
                log.close()
        if trouble:
            raise trouble

    async def _keep(
        self, kind: Callable[..., Response], log: Log, events: list[Event]
    ) -> list[Kept[Response]]:
        pairs = [
            kept_event(kind, sequence, event, self._ready_workers_of)
            for sequence, event in enumerate(events, log.last_sequence + 1)
        ]
        await log.keep([kept for kept, _ in pairs])
        if pairs[-1][0].last:
            self._resumption.has_ended(log.extraction_id)
        return [Kept(event, response) for event, (_, response) in zip(events, pairs, strict=True)]


@asynccontextmanager
async def _admitted_soon(intake: Intake) -> AsyncGenerator[None, None]:
    """Do as `Intake.admitted`, for a part that took over: who had the place may be leaving yet."""
    end = monotonic() + PATIENCE_SECONDS
    async with AsyncExitStack() as stack:
        while True:
            try:
                await stack.enter_async_context(intake.admitted())
                break
            except (TooManyStreams, QueueFull):
                if monotonic() > end:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
        yield


async def _end_as(failure: pb.ResumeExtractResponse, context: Context) -> None:
    """End the call as its `failed` says, which may have been sent by another server before."""
    status = failure.failed.status
    current_call().facts["reason"] = failure.failed.reason
    code = next((each for each in grpc.StatusCode if each.value[0] == status.code), None)
    trailing = (
        *with_left(context, current_caller()),
        (DETAILS_KEY, status.SerializeToString()),
    )
    await context.abort(code or grpc.StatusCode.UNKNOWN, status.message, trailing)
