"""The asynchronous client."""

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from .assembler import Assembler, Document
from .batches import Batches, save
from .connection import Connection
from .extraction import ExtractEvent, Extraction
from .messages import (
    Batch,
    BatchPriority,
    ExtractOptions,
    NewBatchDocument,
    ResultFormat,
    UploadedDocument,
    WatchBatchResponse,
)
from .sources import Source, upload_of


class OcrClient(Connection):
    """Calls an ocr_grpc service from asyncio.

    `auth`, `keys`, `ocr`, `batches`, `usage`, `organizations`, `webhooks`, `admin`, `compatibility`
    and `health` are the stubs of its services, with credentials, retries and deadlines already
    applied. Any number of tasks of one event loop may use a client at once. Whatever fails raises
    `OcrError`.
    """

    async def extract(
        self,
        source: Source,
        *,
        options: ExtractOptions | None = None,
        file_name: str = "",
        request_id: str = "",
        resumable: bool | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[ExtractEvent, None]:
        """Read one document of any size and yield the events while it is read.

        Leaving the loop ends the reading on the service within a second; so does `aclose`. Whoever
        keeps the iterator in a variable closes it, by `contextlib.aclosing`.

        Args:
            source: a path, the bytes, an open file, or an iterable of bytes.
            options: how to read it.
            file_name: what it is called; the name of the path or file unless given.
            request_id: makes a repetition of the call free; made at random unless given.
            resumable: whether to go on after a broken connection. Unless given: yes, except with
                `options.page_image_side_px`.
            timeout: seconds for everything together. None: the policy's hour for each connection.

        Yields:
            Events numbered from 1 without gaps; one field beside `sequence` is set. `finished` is
            the last.

        Raises:
            OcrError: the document was refused, or could not be read to its end.
            OSError: the source cannot be read.
        """
        options = options or ExtractOptions()
        extraction = Extraction(
            self.caller,
            await upload_of(source, file_name),
            options,
            request_id,
            not options.page_image_side_px if resumable is None else resumable,
            self.resume_seconds,
            timeout,
        )
        async with aclosing(extraction.events()) as events:
            async for event in events:
                yield event

    async def read(
        self,
        source: Source,
        *,
        options: ExtractOptions | None = None,
        file_name: str = "",
        request_id: str = "",
        timeout: float | None = None,
    ) -> Document:
        """Read one document of any size and return all of it, as `extract` does."""
        assembler = Assembler()
        events = self.extract(
            source, options=options, file_name=file_name, request_id=request_id, timeout=timeout
        )
        async with aclosing(events):
            async for event in events:
                assembler.add(event)
        return assembler.document

    async def create_batch(
        self,
        sources: Iterable[Source | NewBatchDocument],
        *,
        options: ExtractOptions | None = None,
        display_name: str = "",
        priority: BatchPriority = BatchPriority.UNSPECIFIED,
        retention_hours: int = 0,
        request_id: str = "",
        timeout: float | None = None,
    ) -> Batch:
        """Upload documents and make a batch of them.

        What was uploaded when this fails is deleted by the service after a week.

        Args:
            sources: up to 1,000 of what `extract` takes, or documents in the words of the service.
            options: how to read those without options of their own.
            display_name: what the batch is called.
            priority: how urgent it is.
            retention_hours: how long it is kept after its end. 0: as long as the service allows.
            request_id: makes a repetition return the same batch; made at random unless given.
            timeout: seconds for each of the calls.
        """
        return await Batches(self.batches, self.resume_seconds).create(
            sources, options, display_name, priority, retention_hours, request_id, timeout
        )

    async def upload(
        self, source: Source, *, file_name: str = "", timeout: float | None = None
    ) -> UploadedDocument:
        """Upload one document for a batch to come."""
        return await Batches(self.batches, self.resume_seconds).upload(source, file_name, timeout)

    async def watch(
        self, batch_id: str, *, after_sequence: int = 0, pages: bool = False
    ) -> AsyncGenerator[WatchBatchResponse, None]:
        """Yield the events of a batch after a number; `finished` is the last.

        Goes on by itself after a broken connection. `pages` brings the text and lines of each page.
        """
        async with aclosing(
            Batches(self.batches, self.resume_seconds).watch(batch_id, after_sequence, pages)
        ) as events:
            async for event in events:
                yield event

    async def result(
        self,
        batch_id: str,
        document_id: str,
        *,
        format: ResultFormat = ResultFormat.TEXT,  # noqa: A002 - the name in the contract
        partial: bool = False,
        timeout: float | None = None,
    ) -> str:
        """Return what was read of one document of a batch.

        Raises:
            OcrError: such as `DOCUMENT_NOT_FINISHED`, unless `partial` asks for what is there.
        """
        async with aclosing(
            Batches(self.batches, self.resume_seconds).result(
                batch_id, document_id, format, partial, timeout
            )
        ) as pieces:
            return b"".join([piece async for piece in pieces]).decode()

    async def download(
        self,
        batch_id: str,
        path: str | os.PathLike[str],
        *,
        document_id: str = "",
        format: ResultFormat = ResultFormat.TEXT,  # noqa: A002 - the name in the contract
        partial: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Write what was read of one document to a file, or a zip archive of all.

        Without a `document_id` it is the archive. The file appears when it is whole. Returns its
        size in bytes.
        """
        async with aclosing(
            Batches(self.batches, self.resume_seconds).result(
                batch_id, document_id, format, partial, timeout
            )
        ) as pieces:
            return await save(pieces, path)
