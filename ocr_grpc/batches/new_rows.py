"""The rows that a new batch is made of."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import httpx

from ocr_grpc.accounts.principal import WEIGHTS, Principal
from ocr_grpc.batches.new_batch import BatchPriority, NewBatch, NewDocument
from ocr_grpc.extraction.kept_options import sealed_options
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.batches import BatchRow, FileRow
from ocr_grpc.store.sealing import Seal

MAX_FILE_NAME_CHARS = 255


@dataclass(frozen=True, slots=True)
class Beside:
    """What the rows say beside what was asked for."""

    seal: Seal
    principal: Principal
    priority: BatchPriority
    retention_hours: int
    call_id: str


@dataclass(frozen=True, slots=True)
class NewRows:
    """A batch, with its documents and chunks by column."""

    batch: BatchRow
    documents: list[dict[str, Any]]
    chunks: list[dict[str, Any]]


def file_row(user_id: str, document: NewDocument, expire_time: datetime) -> FileRow:
    """Return the row of a document that came with the request."""
    return FileRow(
        file_id=new_id(),
        user_id=user_id,
        file_name=document.file_name,
        size_bytes=len(document.content),
        sha256=hashlib.sha256(document.content).hexdigest(),
        uploaded=False,
        expire_time=expire_time,
    )


def made_rows(
    beside: Beside, wanted: NewBatch, files: dict[int, FileRow], uploads: dict[str, FileRow]
) -> NewRows:
    """Return a batch with its documents, each of them one chunk until it is opened.

    Args:
        beside: what the rows say beside.
        wanted: what is asked for.
        files: of the documents that came with the request, by number.
        uploads: by id.
    """
    batch = _batch(beside, wanted)
    sealed = _sealed(beside.seal, wanted)
    documents = [
        {
            "document_id": new_id(),
            "batch_id": batch.batch_id,
            "user_id": batch.user_id,
            "number": each.number,
            "options": sealed[each.options],
            **_source(beside.seal, each, files.get(each.number) or uploads.get(each.upload_id)),
        }
        for each in wanted.documents
    ]
    weight = WEIGHTS[beside.principal.role] * beside.priority.share
    chunks = [
        {
            "batch_id": batch.batch_id,
            "document_id": document["document_id"],
            "user_id": batch.user_id,
            "weight": weight,
            "priority": batch.priority,
            "progress_time": batch.create_time,
        }
        for document in documents
    ]
    return NewRows(batch, documents, chunks)


def _batch(beside: Beside, wanted: NewBatch) -> BatchRow:
    principal = beside.principal
    return BatchRow(
        batch_id=new_id(),
        user_id=principal.user_id,
        key_id=principal.key.key_id if principal.key else None,
        organization_id=principal.organization_id,
        call_id=beside.call_id,
        display_name=wanted.display_name,
        priority=int(beside.priority),
        options=sealed_options(beside.seal, wanted.options),
        retention_hours=beside.retention_hours,
        create_time=utc_now(),
        documents=len(wanted.documents),
    )


def _sealed(seal: Seal, wanted: NewBatch) -> dict[ExtractOptions | None, bytes | None]:
    """Return the columns for all options there are; None for those of the batch."""
    own = {each.options for each in wanted.documents if each.options} - {wanted.options}
    sealed = {each: sealed_options(seal, each) for each in own}
    return {None: None, wanted.options: None, **sealed}


def _source(seal: Seal, document: NewDocument, file: FileRow | None) -> dict[str, Any]:
    """Return the columns about where a document comes from."""
    if file:
        return {
            "file_name": document.file_name or file.file_name,
            "file_id": file.file_id,
            "upload_id": document.upload_id,
            "size_bytes": file.size_bytes,
            "url": None,
            "url_shown": "",
        }
    url = httpx.URL(document.url)
    return {
        "file_name": document.file_name or _name_in(url),
        "file_id": None,
        "upload_id": "",
        "size_bytes": 0,
        "url": seal.seal(document.url.encode()),
        "url_shown": str(url.copy_with(query=None, fragment=None)),
    }


def _name_in(url: httpx.URL) -> str:
    """Return the last part of the path of a URL, without what no column takes."""
    name = PurePosixPath(url.path).name.replace("\0", "")
    return name[-MAX_FILE_NAME_CHARS:]
