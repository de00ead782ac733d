"""The errors a caller sees for what a reader could not do, each with a sentence that helps."""

from collections.abc import Callable

from ocr_grpc.documents.errors import (
    CorruptDocument,
    DocumentError,
    PageError,
    PageReaderCrashed,
    PageReaderTimedOut,
    PageTooLarge,
    PasswordRequired,
    ReaderCrashed,
    ReaderTimedOut,
    SpoolFull,
)
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Failure
from ocr_grpc.documents.reader import ReaderHung, ReaderLost
from ocr_grpc.errors import OcrError

WidthHeight = tuple[int, int]
Lost = Callable[[ReaderLost], OcrError]
"""Makes the error for a reader that hung or died."""
Refused = Callable[[Failure, WidthHeight], OcrError]
"""Makes the error for a failure that a reader reports; the size is 0 × 0 if none is concerned."""


def opening_lost(limits: DocumentLimits) -> Lost:
    """Return what turns a lost reader into an error of the document it was opening."""

    def error(lost: ReaderLost) -> DocumentError:
        if isinstance(lost, ReaderHung):
            return ReaderTimedOut(
                f"Opening the document took longer than {limits.open_seconds:g} seconds. "
                "It may be damaged, or made to be slow; save it anew and try again.",
                limit_seconds=limits.open_seconds,
            )
        return ReaderCrashed(
            "The reader died while opening the document. It is likely damaged; save it anew."
        )

    return error


def opening_refused(failure: Failure, _: WidthHeight) -> DocumentError:
    """Return the error for a document that cannot be opened."""
    if failure is Failure.PASSWORD:
        return PasswordRequired("The document is encrypted. Remove its password and try again.")
    if failure is Failure.MEMORY:
        return ReaderCrashed("Opening the document needs more memory than a reader may use.")
    if failure is Failure.BROKEN:
        return ReaderCrashed("The reader failed on the document. It is likely damaged.")
    return CorruptDocument("The document is truncated or damaged, and cannot be opened.")


def page_lost(page_number: int, limits: DocumentLimits) -> Lost:
    """Return what turns a lost reader into an error of the page it was reading."""

    def error(lost: ReaderLost) -> PageError:
        if isinstance(lost, ReaderHung):
            return PageReaderTimedOut(
                f"Page {page_number} took longer than {limits.page_seconds:g} seconds to read. "
                "Try a lower dpi.",
                page=page_number,
                limit_seconds=limits.page_seconds,
            )
        return PageReaderCrashed(
            f"The reader died over page {page_number}. The page is likely damaged.",
            page=page_number,
        )

    return error


def page_refused(page_number: int, limits: DocumentLimits) -> Refused:
    """Return what turns a reported failure into an error of the page."""

    def error(failure: Failure, size: WidthHeight) -> OcrError:
        if failure is Failure.NO_SPACE:
            return SpoolFull()
        if failure is Failure.PAGE_TOO_LARGE:
            return PageTooLarge(
                f"Page {page_number} would be {size[0]} × {size[1]} pixels, more than the limit "
                f"of {limits.max_page_pixels} (MAX_PAGE_PIXELS). Make it smaller.",
                page=page_number,
                width=size[0],
                height=size[1],
                limit=limits.max_page_pixels,
            )
        if failure is Failure.MEMORY:
            return PageReaderCrashed(
                f"Page {page_number} needs more memory than a reader may use. Try a lower dpi.",
                page=page_number,
            )
        if failure is Failure.BROKEN:
            return PageReaderCrashed(f"The reader failed on page {page_number}.", page=page_number)
        return PageError(f"Page {page_number} is damaged and cannot be read.", page=page_number)

    return error


def no_such_page(page_number: int, page_count: int) -> PageError:
    """Return the error for a page number out of range."""
    return PageError(
        f"There is no page {page_number}: the document has {page_count}.",
        page=page_number,
        page_count=page_count,
    )


def closed() -> PageError:
    """Return the error for a call on a document that is closed, or whose pool is."""
    return PageError("The document is closed.")
