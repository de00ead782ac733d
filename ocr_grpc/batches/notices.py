"""What webhooks are told about batches and their documents."""

from datetime import datetime
from typing import Any

from ocr_grpc.store.batches import BatchRow, DocumentRow
from ocr_grpc.webhooks.outbox import Notice


def of_batch(batch: BatchRow, now: datetime) -> Notice:
    """Return the message `batch.finished`."""
    payload: dict[str, Any] = {
        "batch_id": batch.batch_id,
        "display_name": batch.display_name,
        "state": f"BATCH_STATE_{batch.state.upper()}",
        "documents": batch.documents,
        "documents_finished": batch.documents_finished,
        "documents_failed": batch.documents_failed,
        "documents_cancelled": batch.documents_cancelled,
        "pages_ok": batch.pages_ok,
        "pages_degraded": batch.pages_degraded,
        "pages_failed": batch.pages_failed,
    }
    return Notice(batch.user_id, "batch.finished", batch.batch_id, payload, now)


def of_document(document: DocumentRow, now: datetime) -> Notice:
    """Return the message `document.finished`."""
    payload: dict[str, Any] = {
        "batch_id": document.batch_id,
        "document_id": document.document_id,
        "number": document.number,
        "file_name": document.file_name,
        "state": f"DOCUMENT_STATE_{document.state.upper()}",
        "reason": document.reason,
        "page_count": document.page_count,
        "pages_ok": document.pages_ok,
        "pages_degraded": document.pages_degraded,
        "pages_failed": document.pages_failed,
    }
    return Notice(document.user_id, "document.finished", document.batch_id, payload, now)
