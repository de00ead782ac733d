"""Errors of stores for blobs, without what libraries write into them: that may hold a key."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import structlog
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from ocr_grpc.store.errors import BlobMissing, BlobsUnavailable

log = structlog.get_logger()

STORE_ERRORS = (BaseError, OSError)
"""All that a store raises; a `TimeoutError` is among them."""
_STATUS = re.compile(r"(?<=status code: )\d{3}|(?<=status: )\d{3}")
_CODE = re.compile(r"(?<=<Code>)\w{1,64}")
_LATER = ("408", "425", "429")
_WRONG = (PermissionDeniedError, UnauthenticatedError, InvalidPathError, NotSupportedError)
_TOLD = re.compile(r"(?<=status code: )\d{3}|(?<=<Code>)\w{1,64}|os error \d+")


@contextmanager
def translated(
    call: str, missing: type[BlobMissing] | type[BlobsUnavailable] = BlobsUnavailable
) -> Generator[None, None, None]:
    """Turn what a store raises into an error that a caller may see, and log its kind.

    Args:
        call: what was asked, for the log.
        missing: the error if something is not there; in a write that is the bucket.
    """
    try:
        yield
    except STORE_ERRORS as error:
        if isinstance(error, FileNotFoundError) and missing is BlobMissing:
            raise BlobMissing from None
        log.warning("blobs_unavailable", call=call, error=told(error))
        raise BlobsUnavailable from None


def refused(error: BaseException) -> bool:
    """Return whether a store elsewhere answered that this can never be done as it is set."""
    found = _STATUS.search(str(error))
    if found:
        return found[0][0] in "34" and found[0] not in _LATER and not _is_no_blob(error)
    return isinstance(error, _WRONG) or not isinstance(error, STORE_ERRORS)


def _is_no_blob(error: BaseException) -> bool:
    """Return whether it is a blob that is missing, and not the place for it."""
    codes = _CODE.findall(str(error))
    return isinstance(error, FileNotFoundError) and set(codes) <= {"NoSuchKey", "BlobNotFound"}


def told(error: BaseException) -> str:
    """Return the kind of an error with its status and code, and nothing else of what it says."""
    found: list[str] = _TOLD.findall(str(error))
    return " ".join([type(error).__name__, *dict.fromkeys(found)])
