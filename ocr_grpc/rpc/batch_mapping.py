"""Batches as messages: pure functions, field by field."""

import hashlib
from collections.abc import Callable, Sequence

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.batches.errors import TooManyDocuments
from ocr_grpc.batches.new_batch import BatchPriority, NewBatch, NewDocument
from ocr_grpc.batches.sheet import USAGE_COLUMNS, progress_of
from ocr_grpc.batches.watching import PageEnd, WatchedEvent
from ocr_grpc.documents.errors import DocumentTooLarge
from ocr_grpc.errors import InvalidOption, fields_within
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.metering.entries import PageUsage
from ocr_grpc.rpc.field_values import time_to_proto
from ocr_grpc.rpc.file_names import check_file_name
from ocr_grpc.rpc.options_mapping import options_from_proto, options_to_proto
from ocr_grpc.rpc.page_results import decoded_page
from ocr_grpc.rpc.usage_mapping import KINDS, usage_sum_to_proto
from ocr_grpc.store.batches import BatchRow, DocumentRow, EventRow, FileRow
from ocr_grpc.v1 import batch_pb2, document_pb2, page_pb2, usage_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

SOURCES = ("content", "upload_id", "url")

_PRIORITIES: dict[batch_pb2.BatchPriority.ValueType, BatchPriority | None] = {
    batch_pb2.BATCH_PRIORITY_UNSPECIFIED: None,
    batch_pb2.BATCH_PRIORITY_LOW: BatchPriority.LOW,
    batch_pb2.BATCH_PRIORITY_NORMAL: BatchPriority.NORMAL,
    batch_pb2.BATCH_PRIORITY_HIGH: BatchPriority.HIGH,
}
_BATCH_STATES = {
    batch_pb2.BATCH_STATE_UNSPECIFIED: "",
    batch_pb2.BATCH_STATE_WAITING: "waiting",
    batch_pb2.BATCH_STATE_READING: "reading",
    batch_pb2.BATCH_STATE_FINISHED: "finished",
    batch_pb2.BATCH_STATE_CANCELLED: "cancelled",
}
_DOCUMENT_STATES = {
    batch_pb2.DOCUMENT_STATE_UNSPECIFIED: "",
    batch_pb2.DOCUMENT_STATE_WAITING: "waiting",
    batch_pb2.DOCUMENT_STATE_READING: "reading",
    batch_pb2.DOCUMENT_STATE_FINISHED: "finished",
    batch_pb2.DOCUMENT_STATE_FAILED: "failed",
    batch_pb2.DOCUMENT_STATE_CANCELLED: "cancelled",
}


def new_batch_from_proto(
    request: pb.CreateBatchRequest, max_inline_bytes: int, max_documents: int
) -> NewBatch:
    """Return what is asked for, and empty the request. Takes a while with large documents.

    Raises:
        InvalidOption: something cannot be understood; the error names the field.
        TooManyDocuments: so many that none of them was looked at.
        DocumentTooLarge: the documents in it are, together.
    """
    if len(request.documents) > max_documents:
        raise TooManyDocuments(max_documents, len(request.documents))
    if request.priority not in _PRIORITIES:
        raise InvalidOption(
            f"{request.priority} is no priority that this server knows.", field="priority"
        )
    return NewBatch(
        documents=_documents(request, max_inline_bytes),
        options=options_from_proto(request.options),
        display_name=request.display_name,
        priority=_PRIORITIES[request.priority],
        retention_hours=request.retention_hours,
        request_id=request.request_id,
        fingerprint=_fingerprint(request),
    )


def _documents(request: pb.CreateBatchRequest, max_inline_bytes: int) -> tuple[NewDocument, ...]:
    size_bytes = sum(len(document.content) for document in request.documents)
    if size_bytes > max_inline_bytes:
        advice = "Use UploadDocument, which takes more, or several batches."
        raise DocumentTooLarge(max_inline_bytes, size_bytes, "MAX_INLINE_BYTES", advice)
    return tuple(_document(number, each) for number, each in enumerate(request.documents, start=1))


def _document(number: int, message: pb.NewBatchDocument) -> NewDocument:
    path = f"documents[{number - 1}]"
    if sum(bool(getattr(message, name)) for name in SOURCES) != 1:
        raise InvalidOption(
            "A document has exactly one of `content`, `upload_id` and `url`.", field=path
        )
    with fields_within(path):
        check_file_name(message.file_name)
        options = options_from_proto(message.options) if message.HasField("options") else None
    return NewDocument(
        number, message.file_name, options, message.content, message.upload_id, message.url
    )


def _fingerprint(request: pb.CreateBatchRequest) -> bytes:
    """Return 32 bytes that stand for a request whatever its id; empties it on the way.

    A document at a time, so that no second copy of all of them is made. Of uploads it has no id:
    the same file has another one when it is uploaded again, see `batches/request_ids.py`.
    """
    digest = hashlib.sha256()
    for document in request.documents:
        if document.upload_id:
            document.upload_id = "uploaded"
        part = document.SerializeToString(deterministic=True)
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    request.ClearField("documents")
    request.ClearField("request_id")
    digest.update(request.SerializeToString(deterministic=True))
    return digest.digest()


def batch_state_from_proto(state: batch_pb2.BatchState.ValueType) -> str:
    """Return a state as the database has it, empty if it is unspecified.

    Raises:
        InvalidField: a number that this version does not know.
    """
    if state not in _BATCH_STATES:
        raise InvalidField(f"{state} is no state that this server knows.", field="state")
    return _BATCH_STATES[state]


def document_state_from_proto(state: batch_pb2.DocumentState.ValueType) -> str:
    """Return a state as the database has it, empty if it is unspecified.

    Raises:
        InvalidField: a number that this version does not know.
    """
    if state not in _DOCUMENT_STATES:
        raise InvalidField(f"{state} is no state that this server knows.", field="state")
    return _DOCUMENT_STATES[state]


def batch_to_proto(row: BatchRow, options: ExtractOptions | None) -> batch_pb2.Batch:
    """Return a batch as a message; `options`: those in the row, None if they cannot be opened."""
    return batch_pb2.Batch(
        batch_id=row.batch_id,
        display_name=row.display_name,
        state=batch_pb2.BatchState.Value(f"BATCH_STATE_{row.state.upper()}"),
        priority=batch_pb2.BatchPriority.Value(
            f"BATCH_PRIORITY_{BatchPriority(row.priority).name}"
        ),
        create_time=time_to_proto(row.create_time),
        finish_time=time_to_proto(row.finish_time),
        expire_time=time_to_proto(row.expire_time),
        progress=_progress(progress_of(row)),
        usage=_usage(row),
        last_sequence=row.last_sequence,
        options=options_to_proto(options) if options else None,
    )


def document_to_proto(row: DocumentRow) -> batch_pb2.BatchDocument:
    """Return a document as a message."""
    return batch_pb2.BatchDocument(
        document_id=row.document_id,
        batch_id=row.batch_id,
        number=row.number,
        file_name=row.file_name,
        state=batch_pb2.DocumentState.Value(f"DOCUMENT_STATE_{row.state.upper()}"),
        kind=_kind(row),
        size_bytes=row.size_bytes,
        document_page_count=row.document_page_count,
        page_count=row.page_count,
        pages_ok=row.pages_ok,
        pages_degraded=row.pages_degraded,
        pages_failed=row.pages_failed,
        usage=_usage(row),
        reason=row.reason,
        message=row.message,
        finish_time=time_to_proto(row.finish_time),
        upload_id=row.upload_id,
        url=row.url_shown,
    )


def uploaded_to_proto(row: FileRow) -> batch_pb2.UploadedDocument:
    """Return an upload as a message."""
    return batch_pb2.UploadedDocument(
        upload_id=row.file_id,
        file_name=row.file_name,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        create_time=time_to_proto(row.create_time),
        expire_time=time_to_proto(row.expire_time),
    )


def watched_to_proto(
    watched: WatchedEvent, options_of: Callable[[BatchRow], ExtractOptions | None]
) -> pb.WatchBatchResponse:
    """Return an event as a message; `options_of` opens those of a batch."""
    event, document = watched.event, watched.document
    message = pb.WatchBatchResponse(
        sequence=event.sequence,
        create_time=time_to_proto(event.create_time),
        progress=_progress(event.progress),
    )
    if event.kind == "document_started" and document:
        message.document_started.document_id = document.document_id
        message.document_started.number = document.number
        message.document_started.kind = _kind(document)
        message.document_started.page_count = document.page_count
    elif event.kind == "document_finished" and document:
        message.document_finished.CopyFrom(document_to_proto(document))
    elif event.kind == "page_finished" and watched.page:
        message.page_finished.CopyFrom(_page_finished(event, watched.page))
    elif event.kind == "finished":
        message.finished.CopyFrom(batch_to_proto(watched.batch, options_of(watched.batch)))
    return message


def _page_finished(event: EventRow, page: PageEnd) -> batch_pb2.BatchPageFinished:
    outcome = page_pb2.PAGE_OUTCOME_UNSPECIFIED
    if page.outcome:
        outcome = page_pb2.PageOutcome.Value(f"PAGE_OUTCOME_{page.outcome.upper()}")
    return batch_pb2.BatchPageFinished(
        document_id=event.document_id or "",
        page_number=event.page_number or 0,
        outcome=outcome,
        reason=page.reason,
        page=decoded_page(page.result) if page.result is not None else None,
    )


def _progress(counts: Sequence[int]) -> batch_pb2.BatchProgress:
    names = (field.name for field in batch_pb2.BatchProgress.DESCRIPTOR.fields)
    return batch_pb2.BatchProgress(**dict(zip(names, counts, strict=False)))


def _usage(row: BatchRow | DocumentRow) -> usage_pb2.Usage:
    used = PageUsage(**{name: getattr(row, name) for name in USAGE_COLUMNS})
    return usage_sum_to_proto(row.pages_ok + row.pages_degraded, used)


def _kind(row: DocumentRow) -> document_pb2.DocumentKind.ValueType:
    return KINDS.get(row.kind, document_pb2.DOCUMENT_KIND_UNSPECIFIED)
