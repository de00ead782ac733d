"""Tells errors that pass from those that a document will always have."""

import random
from datetime import timedelta

from ocr_grpc.documents.errors import ReaderUnavailable, SpoolFull
from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.engines.vlm.errors import UpstreamTimedOut, UpstreamUnavailable
from ocr_grpc.extraction.errors import ShuttingDown
from ocr_grpc.fetching.errors import HostUnknown, UrlUnreachable
from ocr_grpc.metering.errors import LedgerUnavailable
from ocr_grpc.store.errors import (
    BlobMissing,
    BlobsUnavailable,
    DatabaseUnavailable,
    SealBroken,
)

PASSING = (
    BlobMissing,  # here; another process may have another place for documents
    BlobsUnavailable,
    DatabaseUnavailable,
    EngineUnavailable,
    LedgerUnavailable,
    ReaderUnavailable,
    SealBroken,
    ShuttingDown,
    SpoolFull,
    UpstreamTimedOut,
    UpstreamUnavailable,
)

MAX_ERRORS = 20
"""With these delays, some two hours."""

MAX_UNKNOWN = 5
"""A host without an address will hardly get one in hours; some minutes are for resolvers."""

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 600.0


def is_passing(error: BaseException | None) -> bool:
    """Return whether it may help to try again."""
    if isinstance(error, UrlUnreachable):
        return error.passing
    return isinstance(error, PASSING)


def max_errors(error: Exception) -> int:
    """Return after how many errors a chunk is given up when this is the last one."""
    return MAX_UNKNOWN if isinstance(error, HostUnknown) else MAX_ERRORS


def delay_after(errors: int) -> timedelta:
    """Return what to wait after so many errors, with some chance so that not all come at once."""
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(errors, 16))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
