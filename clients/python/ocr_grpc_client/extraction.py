"""One document, read while it is watched, through connections that break."""

import asyncio
import math
import time
import uuid
from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
from dataclasses import dataclass

import grpc

from .credentials import TOKEN_EXPIRED
from .errors import BREAKS, OcrError, from_status
from .messages import (
    ExtractOptions,
    HttpBody,
    ResumeExtractRequest,
    UploadExtractRequest,
    UploadExtractResponse,
)
from .policy import MAX_DELAY_SECONDS, retry_policy
from .resuming import Patience
from .services import Caller
from .sources import Upload

UPLOAD = "/ocr_grpc.v1.OcrService/UploadExtract"
RESUME = "/ocr_grpc.v1.OcrService/ResumeExtract"

ExtractEvent = UploadExtractResponse
"""One event of an extraction.

`ResumeExtractResponse` has the same fields and numbers; what comes from there is read as this."""


@dataclass
class Extraction:
    """Reads one document once.

    Attributes:
        caller: makes the calls.
        document: what to read.
        options: how to read it.
        request_id: makes a repetition free.
        resumable: whether to go on after a broken connection.
        resume_seconds: how long to try to, without any event.
        timeout: seconds for everything together; None: as long as it takes.
    """

    caller: Caller
    document: Upload
    options: ExtractOptions
    request_id: str
    resumable: bool
    resume_seconds: float
    timeout: float | None

    def __post_init__(self) -> None:
        self.request_id = self.request_id or str(uuid.uuid4())
        self._extraction_id, self._sequence = "", 0
        self._finished = False
        self._failure: OcrError | None = None
        self._deadline = math.inf if self.timeout is None else time.monotonic() + self.timeout

    async def events(self) -> AsyncGenerator[ExtractEvent, None]:
        """Yield the events, numbered from 1 without gaps; `finished` is the last.

        Raises:
            OcrError: the document was refused, or the work or the connection ended for good.
        """
        patience = Patience(retry_policy(RESUME), self.resume_seconds, self._deadline)
        stream = self._upload()
        while True:
            try:
                async with aclosing(stream):
                    async for event in stream:
                        patience.start_anew()
                        if self._is_next(event):
                            yield event
                broken = ended_early()
            except OcrError as error:
                broken = error
            if self._finished and broken.is_broken_connection:
                return  # only the status was lost
            if self._finished or self._failure or not (self.resumable and self._extraction_id):
                raise self._told(broken)
            await patience.pause(broken)
            stream = self._resume()

    def _is_next(self, event: ExtractEvent) -> bool:
        """Take note of an event; return whether it is for the user."""
        if event.sequence <= self._sequence:
            return False
        if event.failed is not None:  # the status of the call says the same, and comes next
            self._failure = from_status(event.failed.status) if event.failed.status else None
            return False
        self._sequence = event.sequence
        self._finished = event.finished is not None
        if event.started:
            self._extraction_id = event.started.extraction_id
        return True

    def _told(self, error: OcrError) -> OcrError:
        """Return what the service said in `failed`, if its status was lost; else the error."""
        lost = error.is_broken_connection and not error.reason
        return self._failure if self._failure and lost else error

    async def _upload(self) -> AsyncGenerator[ExtractEvent, None]:
        """Send the document and yield events; send it again while nothing has begun."""
        policy = retry_policy(UPLOAD)
        delays = policy.delays()
        # The policy is for those without a request id; with one, nothing is read or charged twice.
        codes = policy.codes | {code.name for code in BREAKS}
        for attempts_left in range(policy.max_attempts - 1, -1, -1):
            self._failure = None
            began = False
            call = self.caller.stream_stream(
                UPLOAD, self._requests(), ExtractEvent, self._left_seconds(), ()
            )
            try:
                async with aclosing(call):
                    async for event in call:
                        # A refusal comes as an event, too, before the status that says when to
                        # come again.
                        began = began or event.failed is None
                        yield event
                error = ended_early()
            except OcrError as failed:
                error = self._told(failed)
            if began:
                raise error
            delay_seconds = repeat_after(error, next(delays), codes)
            if not attempts_left or not self.document.repeatable or delay_seconds is None:
                raise error
            if time.monotonic() + delay_seconds > self._deadline:
                raise error
            await asyncio.sleep(delay_seconds)

    async def _requests(self) -> AsyncGenerator[UploadExtractRequest, None]:
        yield UploadExtractRequest(
            options=self.options,
            file_name=self.document.file_name,
            size_bytes=self.document.size_bytes,
            request_id=self.request_id,
            resumable=self.resumable,
        )
        async with aclosing(self.document.pieces()) as pieces:
            async for piece in pieces:
                yield UploadExtractRequest(content=HttpBody(data=piece))

    def _resume(self) -> AsyncGenerator[ExtractEvent, None]:
        request = ResumeExtractRequest(
            extraction_id=self._extraction_id, after_sequence=self._sequence
        )
        return self.caller.unary_stream(RESUME, request, ExtractEvent, self._left_seconds(), ())

    def _left_seconds(self) -> float | None:
        left_seconds = self._deadline - time.monotonic()
        return None if math.isinf(left_seconds) else max(0.0, left_seconds)


def ended_early() -> OcrError:
    """Return the error for a stream that a proxy ended well in the middle."""
    return OcrError(grpc.StatusCode.UNAVAILABLE, "The stream ended too early.")


def repeat_after(error: OcrError, backoff_seconds: float, codes: Container[str]) -> float | None:
    """Return after how many seconds to send an upload again; None where that is no use.

    Args:
        error: what the last attempt ended with.
        backoff_seconds: what to wait unless the service says how long.
        codes: the names of the codes after which an upload may be sent again.
    """
    if error.reason == TOKEN_EXPIRED:  # the token has been renewed by now
        return 0
    if error.code.name not in codes:
        return None
    delay_seconds = error.retry_delay_seconds
    if error.is_broken_connection:
        delay_seconds = max(backoff_seconds, delay_seconds or 0)
    return None if delay_seconds is None or delay_seconds > MAX_DELAY_SECONDS else delay_seconds
