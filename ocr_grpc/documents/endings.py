"""When a reader process is replaced, and what for.

After a number of documents, so that leaks of the parsers and whatever a hostile file left behind do
not live for ever. After growing, and after it was so slow that its priority was lowered, as nobody
may raise it again. And at once after anything a healthy reader does not do: it ended,
hung, broke the protocol, ran out of memory, or met an exception nobody expected.

A refusal is none of that: that a file is damaged, encrypted, or an archive that breaks a limit is
found by code that was written to find it, and happens all day long.
"""

from enum import Enum

from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Failure
from ocr_grpc.documents.reader import (
    Reader,
    ReaderBroke,
    ReaderDied,
    ReaderForbidden,
    ReaderHung,
)
from ocr_grpc.processes import resident_bytes

_RETIRE_MEMORY_SHARE = 0.25
"""A reader that still occupies so much of its limit after a document has a leak or a bad heap."""
_OFFICE_SHARE = 4
"""Readers for Office load more parsers and may do more: they serve this part of the documents."""


class Ending(Enum):
    """Why a reader process was replaced."""

    RECYCLED = "recycled"
    """It had served its number of documents."""
    GREW = "grew"
    """It kept too much memory."""
    SLOWED = "slowed"
    """It was slow once, and was made to leave the processor to others."""
    CRASHED = "crashed"
    FORBIDDEN = "forbidden"
    """It made a system call that its sandbox ends it for."""
    TIMED_OUT = "timed_out"
    MEMORY = "memory"
    """It reported that it had run into its memory limit."""
    ANOMALY = "anomaly"
    """It broke the protocol, or reported an exception nobody expected."""
    CANCELLED = "cancelled"
    """It was at work on what nobody wanted any more."""
    CLOSED = "closed"
    """Its pool was."""


DOUBTFUL = {Failure.MEMORY: Ending.MEMORY, Failure.BROKEN: Ending.ANOMALY}
"""Reported failures after which a reader may be left in any state."""


def after_error(error: BaseException) -> Ending:
    """Return how a reader ends whose question ended with this error."""
    match error:
        case ReaderHung():
            return Ending.TIMED_OUT
        case ReaderForbidden():
            return Ending.FORBIDDEN
        case ReaderDied() if not isinstance(error, ReaderBroke):
            return Ending.CRASHED
        case Exception():
            return Ending.ANOMALY
        case _:
            return Ending.CANCELLED


def after_lease(family: Family, limits: DocumentLimits, reader: Reader) -> Ending | None:
    """Return why a healthy reader is replaced after a lease; None if it is not."""
    share = _OFFICE_SHARE if family is Family.OFFICE else 1
    if reader.leases >= max(1, limits.leases_per_reader // share):
        return Ending.RECYCLED
    if resident_bytes(reader.pid) > _RETIRE_MEMORY_SHARE * limits.reader_memory_bytes:
        return Ending.GREW
    return Ending.SLOWED if reader.yields else None
