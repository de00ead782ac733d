"""Batches and their documents as the commands print them."""

from ocr_grpc.commands.failure import printable
from ocr_grpc.commands.tables import moment, short_name
from ocr_grpc.v1 import batch_pb2, document_pb2

BATCH_COLUMNS = ("ID", "NAME", "STATE", "DOCUMENTS", "PAGES", "NOT READ", "CREATED (UTC)")

DOCUMENT_COLUMNS = ("NO", "ID", "FILE", "STATE", "KIND", "PAGES", "REASON")

PROBLEMS = (batch_pb2.DOCUMENT_STATE_FAILED, batch_pb2.DOCUMENT_STATE_CANCELLED)


def batch_row(batch: batch_pb2.Batch) -> tuple[str, ...]:
    """Return a batch as a row of a table."""
    counts = batch.progress
    ended = counts.documents_finished + counts.documents_failed + counts.documents_cancelled
    return (
        batch.batch_id,
        batch.display_name,
        _state(batch),
        _share(ended, counts.documents),
        _share(pages_ended(counts), counts.pages),
        not_read(counts),
        moment(batch, "create_time"),
    )


def batch_fields(batch: batch_pb2.Batch) -> list[tuple[str, str]]:
    """Return all that is known of a batch, by name."""
    counts = batch.progress
    ended = counts.documents_finished + counts.documents_failed + counts.documents_cancelled
    return [
        ("batch_id", batch.batch_id),
        ("display_name", batch.display_name),
        ("state", _state(batch)),
        ("priority", short_name(batch_pb2.BatchPriority.Name(batch.priority))),
        ("documents", _share(ended, counts.documents)),
        ("pages", _share(pages_ended(counts), counts.pages)),
        ("not read", not_read(counts)),
        ("pages charged", str(batch.usage.pages)),
        ("created (UTC)", moment(batch, "create_time")),
        ("ended (UTC)", moment(batch, "finish_time")),
        ("deleted (UTC)", moment(batch, "expire_time")),
        ("last event", str(batch.last_sequence)),
    ]


def document_row(document: batch_pb2.BatchDocument) -> tuple[str, ...]:
    """Return a document as a row of a table."""
    kind = document_pb2.DocumentKind.Name(document.kind) if document.kind else ""
    return (
        str(document.number),
        document.document_id,
        document.file_name or document.url,
        short_name(batch_pb2.DocumentState.Name(document.state)),
        kind.removeprefix("DOCUMENT_KIND_").lower(),
        _share(_pages_ended(document), document.page_count) if document.page_count else "",
        document.reason,
    )


def document_line(document: batch_pb2.BatchDocument) -> str:
    """Return a document that ended as a line: number, file, state, pages, and why not."""
    state = short_name(batch_pb2.DocumentState.Name(document.state))
    read = document.pages_ok + document.pages_degraded
    why = f"{document.reason}: {document.message}" if document.reason else ""
    name = document.file_name or document.url
    cells = (str(document.number), name, state, _share(read, document.page_count), why)
    return "\t".join(printable(cell) for cell in cells).rstrip("\t")


def pages_ended(counts: batch_pb2.BatchProgress) -> int:
    """Return how many pages ended, well or not."""
    return counts.pages_ok + counts.pages_degraded + counts.pages_failed


def not_read(counts: batch_pb2.BatchProgress) -> str:
    """Return what was not read in words; empty if there is nothing."""
    named = (
        (counts.documents_failed, "documents failed"),
        (counts.documents_cancelled, "documents cancelled"),
        (counts.pages_failed, "pages failed"),
    )
    return ", ".join(f"{count} {what}" for count, what in named if count)


def _pages_ended(document: batch_pb2.BatchDocument) -> int:
    return document.pages_ok + document.pages_degraded + document.pages_failed


def _state(batch: batch_pb2.Batch) -> str:
    return short_name(batch_pb2.BatchState.Name(batch.state))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}"
