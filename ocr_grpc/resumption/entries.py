"""What is kept of an extraction that can be resumed."""

import zlib
from dataclasses import dataclass, field
from datetime import datetime

from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.store.base import utc_now

LEVEL = 1
"""Text with polygons shrinks to a fifth at once; more effort gains a tenth."""

PAGE_IMAGE = "page_image"
"""The one kind of event that is stored as it is: a picture shrinks no more."""


@dataclass(frozen=True, slots=True)
class NewExtraction:
    """An extraction that begins.

    Attributes:
        request_id: what its pages are charged under, in all its parts.
        fingerprint: what stands for the document and the options under that id; 32 bytes.
    """

    extraction_id: str
    user_id: str
    method: str
    file_name: str
    size_bytes: int
    options: ExtractOptions
    request_id: str
    fingerprint: bytes
    create_time: datetime = field(default_factory=utc_now)


@dataclass(frozen=True, slots=True)
class TakenOver:
    """An extraction that goes on here, or one that has ended.

    Attributes:
        attempt: the fencing token of whoever goes on.
        last_sequence: the number of the newest event; nobody else adds any.
        ended: whether that event is the last one.
    """

    extraction_id: str
    file_name: str
    size_bytes: int
    sealed_options: bytes
    request_id: str
    fingerprint: bytes
    attempt: int
    last_sequence: int
    ended: bool
    create_time: datetime


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it was sent, or is about to be.

    Attributes:
        kind: its name, such as `page_finished`.
        payload: its message; what it says is nothing to whoever keeps it.
        last: whether it is the last one of the extraction.
    """

    sequence: int
    page_number: int | None
    kind: str
    payload: bytes
    last: bool = False

    def stored(self) -> bytes:
        """Return the payload for its column."""
        return self.payload if self.kind == PAGE_IMAGE else zlib.compress(self.payload, LEVEL)


def from_store(sequence: int, page_number: int | None, kind: str, stored: bytes) -> KeptEvent:
    """Return an event from its columns."""
    payload = stored if kind == PAGE_IMAGE else zlib.decompress(stored)
    return KeptEvent(sequence, page_number, kind, payload)
