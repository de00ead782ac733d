"""The servicer of BatchService: parse, call, map."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from dataclasses import dataclass

from ocr_grpc.batches.creation import Creation
from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.queries import BatchQueries
from ocr_grpc.batches.watching import Watching
from ocr_grpc.documents.errors import DocumentTooLarge
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.kept_options import opened_options
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.rpc.batch_mapping import (
    batch_state_from_proto,
    batch_to_proto,
    document_state_from_proto,
    document_to_proto,
    new_batch_from_proto,
    uploaded_to_proto,
    watched_to_proto,
)
from ocr_grpc.rpc.batch_results import BatchResults, is_rest
from ocr_grpc.rpc.caller import current_caller, current_principal
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.rpc.file_names import check_file_name
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.upload import DocumentUpload
from ocr_grpc.store.batches import BatchRow
from ocr_grpc.store.errors import SealBroken
from ocr_grpc.store.sealing import Seal
from ocr_grpc.telemetry.call_record import current_call
from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceServicer


@dataclass(frozen=True, slots=True)
class BatchAreas:
    """What BatchService is made of.

    Attributes:
        seal: what opens the options of batches.
        admitted: bounds what callers bring at a time; see `Extractor.admitted`.
        uploading: counts an upload as one of the streams of its caller; see `Intake.admitted`.
    """

    creation: Creation
    queries: BatchQueries
    watching: Watching
    ending: Ending
    files: Files
    results: BatchResults
    seal: Seal
    limits: OcrLimits
    admitted: Callable[[str, int], AbstractContextManager[None]]
    uploading: Callable[[], AbstractAsyncContextManager[None]]


class BatchServicer(BatchServiceServicer):
    """Answers BatchService."""

    def __init__(self, areas: BatchAreas) -> None:
        self._areas = areas

    async def CreateBatch(  # noqa: N802 - the name in the proto
        self, request: pb.CreateBatchRequest, context: Context
    ) -> pb.CreateBatchResponse:
        """Make a batch."""
        areas, caller = self._areas, current_caller()
        held_bytes = request.ByteSize()
        with areas.admitted(current_call().caller, held_bytes):
            limits = areas.limits.max_inline_bytes, areas.limits.max_batch_documents
            wanted = await asyncio.to_thread(new_batch_from_proto, request, *limits)
            del request
            row = await areas.creation.create(
                current_principal(), wanted, caller.call_id, caller.retry_id
            )
        return pb.CreateBatchResponse(batch=self._batch(row))

    async def ListBatches(  # noqa: N802 - the name in the proto
        self, request: pb.ListBatchesRequest, context: Context
    ) -> pb.ListBatchesResponse:
        """Return batches."""
        rows, token = await self._areas.queries.list(
            current_principal().user_id,
            batch_state_from_proto(request.state),
            request.page_size,
            request.page_token,
        )
        return pb.ListBatchesResponse(batches=map(self._batch, rows), next_page_token=token)

    async def UploadDocument(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.UploadDocumentRequest], context: Context
    ) -> pb.UploadDocumentResponse:
        """Keep a document."""
        limits = self._areas.limits
        max_bytes = limits.max_document_bytes
        upload = DocumentUpload(request_iterator, limits.upload_idle_seconds)
        # Each holds some parts of its document in memory, so a caller has as many as extractions.
        async with self._areas.uploading():
            await upload.begin()
            if upload.size_bytes > max_bytes:
                raise DocumentTooLarge(max_bytes, upload.size_bytes)
            async with aclosing(upload.chunks()) as chunks:
                first = await anext(chunks, b"")  # a form has said the name by then
                check_file_name(upload.file_name)
                async with aclosing(_with_first(first, chunks)) as pieces:
                    row = await self._areas.files.receive(
                        current_principal(), upload.file_name, pieces, max_bytes
                    )
        return pb.UploadDocumentResponse(document=uploaded_to_proto(row))

    async def DeleteUpload(  # noqa: N802 - the name in the proto
        self, request: pb.DeleteUploadRequest, context: Context
    ) -> pb.DeleteUploadResponse:
        """Delete an uploaded document."""
        await self._areas.files.delete(current_principal().user_id, request.upload_id)
        return pb.DeleteUploadResponse()

    async def GetBatch(  # noqa: N802 - the name in the proto
        self, request: pb.GetBatchRequest, context: Context
    ) -> pb.GetBatchResponse:
        """Return one batch."""
        row = await self._areas.queries.get(current_principal().user_id, request.batch_id)
        return pb.GetBatchResponse(batch=self._batch(row))

    async def DeleteBatch(  # noqa: N802 - the name in the proto
        self, request: pb.DeleteBatchRequest, context: Context
    ) -> pb.DeleteBatchResponse:
        """Delete a batch."""
        await self._areas.ending.delete(current_principal().user_id, request.batch_id)
        return pb.DeleteBatchResponse()

    async def WatchBatch(  # noqa: N802 - the name in the proto
        self, request: pb.WatchBatchRequest, context: Context
    ) -> AsyncGenerator[pb.WatchBatchResponse, None]:
        """Send the events of a batch."""
        caller, interruption = current_caller(), Interruption()
        caller.interrupt = interruption.end
        events = self._areas.watching.events(
            current_principal().user_id,
            request.batch_id,
            request.after_sequence,
            request.pages,
            interruption,
        )
        async with aclosing(events):
            async for event in events:
                yield watched_to_proto(event, self._options)

    async def CancelBatch(  # noqa: N802 - the name in the proto
        self, request: pb.CancelBatchRequest, context: Context
    ) -> pb.CancelBatchResponse:
        """End a batch."""
        row = await self._areas.ending.cancel(current_principal().user_id, request.batch_id)
        return pb.CancelBatchResponse(batch=self._batch(row))

    async def ListBatchDocuments(  # noqa: N802 - the name in the proto
        self, request: pb.ListBatchDocumentsRequest, context: Context
    ) -> pb.ListBatchDocumentsResponse:
        """Return the documents of a batch."""
        rows, token = await self._areas.queries.documents(
            current_principal().user_id,
            request.batch_id,
            document_state_from_proto(request.state),
            request.page_size,
            request.page_token,
        )
        documents = map(document_to_proto, rows)
        return pb.ListBatchDocumentsResponse(documents=documents, next_page_token=token)

    async def GetBatchDocument(  # noqa: N802 - the name in the proto
        self, request: pb.GetBatchDocumentRequest, context: Context
    ) -> pb.GetBatchDocumentResponse:
        """Return one document of a batch."""
        row = await self._areas.queries.document(
            current_principal().user_id, request.batch_id, request.document_id
        )
        return pb.GetBatchDocumentResponse(document=document_to_proto(row))

    async def DownloadBatchDocument(  # noqa: N802 - the name in the proto
        self, request: pb.DownloadBatchDocumentRequest, context: Context
    ) -> AsyncGenerator[pb.DownloadBatchDocumentResponse, None]:
        """Send the result of one document."""
        user_id, rest = current_principal().user_id, is_rest(context)
        responses = self._areas.results.document(user_id, request, rest)
        async with aclosing(responses):
            async for response in responses:
                yield response

    async def DownloadBatch(  # noqa: N802 - the name in the proto
        self, request: pb.DownloadBatchRequest, context: Context
    ) -> AsyncGenerator[pb.DownloadBatchResponse, None]:
        """Send the results of a batch."""
        user_id, rest = current_principal().user_id, is_rest(context)
        responses = self._areas.results.archive(user_id, request, rest)
        async with aclosing(responses):
            async for response in responses:
                yield response

    def _batch(self, row: BatchRow) -> batch_pb2.Batch:
        return batch_to_proto(row, self._options(row))

    def _options(self, row: BatchRow) -> ExtractOptions | None:
        try:
            return opened_options(self._areas.seal, row.options)
        except SealBroken:  # SECRET_KEY was changed; everything else of the batch is there
            return None


async def _with_first(
    first: bytes, chunks: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    if first:
        yield first
    async for chunk in chunks:
        yield chunk
