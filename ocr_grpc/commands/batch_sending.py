"""Brings files to a server and has batches made of them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Protocol

import grpc.aio
from google.api.httpbody_pb2 import HttpBody

from ocr_grpc.commands.batch_link import BatchLink, Retries, first_failure
from ocr_grpc.commands.batch_sources import Source
from ocr_grpc.commands.ended_call import EndedCall
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.v1 import batch_pb2, ocr_service_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

CHUNK_BYTES = 256 * 1024

UPLOADS_AT_ONCE = 4

INLINE_BYTES = 64 * 1024
"""Files up to this size go inside the request: a call for each would take longer than the file."""

MOST_INLINE_BYTES = 16 * 1024 * 1024
"""All of these of one request together, if the server takes as much."""

CREATE_SECONDS = 120.0


class Sent(Protocol):
    """Hears how far the uploads are."""

    def bytes(self, count: int) -> None:
        """Take note of so many more bytes on their way, fewer if negative."""
        ...

    def file(self) -> None:
        """Take note that a file is there."""
        ...


@dataclass(frozen=True)
class Limits:
    """What one batch may hold."""

    documents: int
    inline_bytes: int


async def limits_of(link: BatchLink) -> Limits:
    """Return what the server takes. Fails at once if it cannot be reached.

    Raises:
        CommandFailed: it does not answer.
    """
    request = ocr_service_pb2.GetCapabilitiesRequest()
    answer = await link.ask(link.ocr.GetCapabilities, request, patience_seconds=0)
    limits = answer.limits
    inline_bytes = min(limits.max_inline_bytes, MOST_INLINE_BYTES)
    return Limits(limits.max_batch_documents or 1_000, inline_bytes)


def batches_of(sources: Sequence[Source], documents: int) -> Iterator[list[Source]]:
    """Yield the sources in parts that one batch can take."""
    rest = iter(sources)
    while part := list(islice(rest, documents)):
        yield part


class Sending:
    """Makes one batch. What was uploaded for one that could not be made is deleted again."""

    def __init__(self, link: BatchLink, limits: Limits, sent: Sent) -> None:
        self._link = link
        self._limits = limits
        self._sent = sent
        self._uploads: list[str] = []

    async def create(
        self, sources: Sequence[Source], wanted: pb.CreateBatchRequest
    ) -> batch_pb2.Batch:
        """Bring the documents and return the batch of them.

        Args:
            sources: no more than one batch takes.
            wanted: all but the documents. With a request id, so that it can be repeated.

        Raises:
            CommandFailed: a file cannot be read, or the server refuses one or the batch.
        """
        request = pb.CreateBatchRequest()
        request.CopyFrom(wanted)
        try:
            request.documents.extend(await self._documents(sources))
            create = self._link.batches.CreateBatch
            return (await self._link.ask(create, request, seconds=CREATE_SECONDS)).batch
        except CommandFailed:
            await self._delete_uploads()
            raise

    async def _documents(self, sources: Sequence[Source]) -> list[pb.NewBatchDocument]:
        gate = asyncio.Semaphore(UPLOADS_AT_ONCE)
        inside = set(self._inline(sources))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._document(source, source in inside, gate))
                    for source in sources
                ]
        except* CommandFailed as failures:
            raise first_failure(failures) from None
        return [task.result() for task in tasks]

    def _inline(self, sources: Iterable[Source]) -> Iterator[Source]:
        left = self._limits.inline_bytes
        for source in sources:
            if source.size_bytes <= min(INLINE_BYTES, left):
                left -= source.size_bytes
                yield source

    async def _document(
        self, source: Source, inline: bool, gate: asyncio.Semaphore
    ) -> pb.NewBatchDocument:
        document = pb.NewBatchDocument(file_name=source.file_name)
        async with gate:
            try:
                if inline:
                    document.content = await asyncio.to_thread(_content, source)
                    self._sent.bytes(source.size_bytes)
                else:
                    document.upload_id = await self._uploaded(source)
            except OSError as error:
                raise CommandFailed(f"{source.path}: {error.strerror}") from None
            except CommandFailed as failure:
                raise CommandFailed(f"{source.path}: {failure.message}", failure.reason) from None
        self._sent.file()
        return document

    async def _uploaded(self, source: Source) -> str:
        retries = Retries()
        while True:
            with source.path.open("rb") as file:
                attempt = _Attempt(file, source, self._sent)
                call = self._link.batches.UploadDocument(
                    attempt.requests(), metadata=await self._link.metadata()
                )
                ended = EndedCall(call)
                try:
                    upload_id = (await call).document.upload_id
                except grpc.aio.AioRpcError as error:
                    self._sent.bytes(-attempt.sent_bytes)
                    if attempt.error:
                        raise attempt.error from None
                    await retries.wait(ended.error(error))
                    continue
            self._uploads.append(upload_id)
            return upload_id

    async def _delete_uploads(self) -> None:
        for upload_id in self._uploads:
            with suppress(CommandFailed):  # they go by themselves within a week
                request = pb.DeleteUploadRequest(upload_id=upload_id)
                await self._link.ask(self._link.batches.DeleteUpload, request, patience_seconds=0)


class _Attempt:
    """One attempt to upload a file: what was sent, and why it could not be read."""

    def __init__(self, file: BinaryIO, source: Source, sent: Sent) -> None:
        self._file = file
        self._source = source
        self._sent = sent
        self.sent_bytes = 0
        self.error: OSError | None = None

    async def requests(self) -> AsyncGenerator[pb.UploadDocumentRequest, None]:
        yield pb.UploadDocumentRequest(
            file_name=self._source.file_name, size_bytes=self._source.size_bytes
        )
        while chunk := await self._next():
            yield pb.UploadDocumentRequest(content=HttpBody(data=chunk))
            self.sent_bytes += len(chunk)
            self._sent.bytes(len(chunk))

    async def _next(self) -> bytes:
        try:
            return await asyncio.to_thread(self._file.read, CHUNK_BYTES)
        except OSError as error:  # grpc would tell of it as a broken call
            self.error = error
            raise


def _content(source: Source) -> bytes:
    with source.path.open("rb") as file:
        return file.read(source.size_bytes)  # no more than was planned, should it grow
