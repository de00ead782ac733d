"""Batches: sending documents, watching how far they are, fetching what was read."""

import asyncio
import os
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from pathlib import Path

from .errors import OcrError
from .extraction import ended_early, repeat_after
from .messages import (
    Batch,
    BatchPriority,
    CreateBatchRequest,
    DownloadBatchDocumentRequest,
    DownloadBatchRequest,
    ExtractOptions,
    HttpBody,
    NewBatchDocument,
    ResultFormat,
    UploadDocumentRequest,
    UploadedDocument,
    WatchBatchRequest,
    WatchBatchResponse,
)
from .policy import retry_policy
from .resuming import Patience
from .services import BatchServiceStub
from .sources import Source, Upload, upload_of

UPLOAD = "/ocr_grpc.v1.BatchService/UploadDocument"
WATCH = "/ocr_grpc.v1.BatchService/WatchBatch"


class Batches:
    """What `OcrClient` does with batches."""

    def __init__(self, stub: BatchServiceStub, resume_seconds: float) -> None:
        self._stub, self._resume_seconds = stub, resume_seconds

    async def create(
        self,
        sources: Iterable[Source | NewBatchDocument],
        options: ExtractOptions | None,
        display_name: str,
        priority: BatchPriority,
        retention_hours: int,
        request_id: str,
        timeout: float | None,
    ) -> Batch:
        """Upload documents one after the other and make a batch of them."""
        if isinstance(sources, str | bytes | bytearray):
            raise TypeError("A batch has a list of documents, even of one.")
        documents: list[NewBatchDocument] = []
        for source in sources:
            if isinstance(source, NewBatchDocument):
                documents.append(source)
            else:
                uploaded = await self.upload(source, "", timeout)
                documents.append(NewBatchDocument(upload_id=uploaded.upload_id))
        request = CreateBatchRequest(
            documents=documents,
            options=options,
            display_name=display_name,
            priority=priority,
            retention_hours=retention_hours,
            request_id=request_id or str(uuid.uuid4()),
        )
        return (await self._stub.create_batch(request, timeout=timeout)).batch or Batch()

    async def upload(
        self, source: Source, file_name: str, timeout: float | None
    ) -> UploadedDocument:
        """Upload one document, several times where policy and source allow it."""
        document = await upload_of(source, file_name)
        policy = retry_policy(UPLOAD)
        delays = policy.delays()
        for attempts_left in range(policy.max_attempts - 1, -1, -1):
            try:
                response = await self._stub.upload_document(_requests(document), timeout=timeout)
                return response.document or UploadedDocument()
            except OcrError as error:
                delay_seconds = repeat_after(error, next(delays), policy.codes)
                if not attempts_left or not document.repeatable or delay_seconds is None:
                    raise
            await asyncio.sleep(delay_seconds)
        raise AssertionError("every way out of the loop is above")

    async def watch(
        self, batch_id: str, after_sequence: int, pages: bool
    ) -> AsyncGenerator[WatchBatchResponse, None]:
        """Yield the events of a batch after a number, through connections that break."""
        patience = Patience(retry_policy(WATCH), self._resume_seconds)
        came = finished = False
        while True:
            request = WatchBatchRequest(
                batch_id=batch_id, after_sequence=after_sequence, pages=pages
            )
            try:
                async with aclosing(self._stub.watch_batch(request)) as events:
                    async for event in events:
                        patience.start_anew()
                        if event.sequence > after_sequence:
                            after_sequence = event.sequence
                            came, finished = True, event.finished is not None
                            yield event
                if finished or not came:  # there are none after that number
                    return
                broken = ended_early()
            except OcrError as error:
                broken = error
            if finished and broken.is_broken_connection:
                return  # only the status was lost
            await patience.pause(broken)

    async def result(
        self,
        batch_id: str,
        document_id: str,
        form: ResultFormat,
        partial: bool,
        timeout: float | None,
    ) -> AsyncGenerator[bytes, None]:
        """Yield the result of one document, or without an id the archive of all, in pieces."""
        if document_id:
            call = self._stub.download_batch_document(
                DownloadBatchDocumentRequest(
                    batch_id=batch_id, document_id=document_id, format=form, partial=partial
                ),
                timeout=timeout,
            )
        else:
            call = self._stub.download_batch(
                DownloadBatchRequest(batch_id=batch_id, format=form, partial=partial),
                timeout=timeout,
            )
        async with aclosing(call) as responses:
            async for response in responses:
                yield response.content.data if response.content else b""


async def _requests(document: Upload) -> AsyncGenerator[UploadDocumentRequest, None]:
    yield UploadDocumentRequest(file_name=document.file_name, size_bytes=document.size_bytes)
    async with aclosing(document.pieces()) as pieces:
        async for piece in pieces:
            yield UploadDocumentRequest(content=HttpBody(data=piece))


async def save(pieces: AsyncIterator[bytes], path: str | os.PathLike[str]) -> int:
    """Write pieces to a file that is there only when it is whole; return its size in bytes."""
    whole = Path(path)
    part = whole.with_name(f".{uuid.uuid4().hex}.part")  # of nobody else
    size_bytes = 0
    try:
        with await asyncio.to_thread(part.open, "wb") as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
                size_bytes += len(piece)
        await asyncio.to_thread(part.replace, whole)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return size_bytes
