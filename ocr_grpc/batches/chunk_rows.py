"""Chunks as rows: how they are made, taken up and suspected."""

from typing import Any

from sqlalchemy import ColumnElement, and_

from ocr_grpc.batches.operations import Token, Work
from ocr_grpc.batches.page_sets import numbers_of
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, PageRow

CRASHES_TO_BE_ALONE = 2
"""After so many without a page between them a chunk runs beside no other that is suspected."""

CRASHES_TO_CONDEMN = 3
"""After so many while it was read alone a page is what kills; once or twice may be chance."""


def count_crash(chunk: ChunkRow) -> None:
    """Note that the process that had a chunk died, and suspect the chunk in the end."""
    chunk.crashes += 1
    if chunk.alone and chunk.suspect_page is not None:
        chunk.suspect_crashes += 1
    chunk.alone = chunk.alone or chunk.crashes >= CRASHES_TO_BE_ALONE


def is_page_of(chunk: ChunkRow) -> ColumnElement[bool]:
    """Return the condition for the rows of pages between the first and the last of a chunk."""
    numbers = numbers_of(chunk.pages)
    between = PageRow.page_number.between(numbers[0], numbers[-1])
    return and_(PageRow.document_id == chunk.document_id, between)


def further_chunk(first: ChunkRow, pages: str) -> dict[str, Any]:
    """Return the row of a chunk with more pages of the same document."""
    return {
        "batch_id": first.batch_id,
        "document_id": first.document_id,
        "user_id": first.user_id,
        "weight": first.weight,
        "priority": first.priority,
        "pages": pages,
        "state": "waiting",
        "attempt": 0,
        "crashes": 0,
        "errors": 0,
        "alone": False,
        "suspect_crashes": 0,
        "reason": "",
        "progress_time": first.progress_time,
    }


def work_of(batch: BatchRow, document: DocumentRow, chunk: ChunkRow, done: frozenset[int]) -> Work:
    """Return what there is to know about a chunk that was taken up."""
    return Work(
        token=Token(chunk.chunk_id, chunk.attempt, chunk.batch_id, chunk.document_id),
        user_id=batch.user_id,
        key_id=batch.key_id,
        call_id=batch.call_id,
        weight=chunk.weight,
        pages=chunk.pages,
        done=done,
        crashes=chunk.crashes,
        errors=chunk.errors,
        alone=chunk.alone,
        condemned=chunk.suspect_page if chunk.suspect_crashes >= CRASHES_TO_CONDEMN else None,
        options=batch.options if document.options is None else document.options,
        file_id=document.file_id,
        file_name=document.file_name,
        size_bytes=document.size_bytes,
        url=document.url,
    )
