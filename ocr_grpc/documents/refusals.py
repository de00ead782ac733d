"""The errors a caller sees for what a reader could not do, each with a sentence that helps."""

from collections.abc import Callable

from ocr_grpc.documents.answers import Figures
from ocr_grpc.documents.errors import (
    ArchiveRatioTooHigh,
    ArchiveTooLarge,
    CorruptDocument,
    DoctypeRefused,
    DocumentError,
    PageError,
    PageReaderCrashed,
    PageReaderOutOfMemory,
    PageReaderTimedOut,
    PageTooLarge,
    PasswordRequired,
    PasswordWrong,
    ReaderCrashed,
    ReaderOutOfMemory,
    ReaderTimedOut,
    SpoolFull,
    TooManyMembers,
    TooManyPages,
    UnknownFormat,
    UnsafeArchive,
)
from ocr_grpc.documents.formats import UNKNOWN_FORMAT_SENTENCE
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Failure
from ocr_grpc.documents.reader import ReaderHung, ReaderLost
from ocr_grpc.errors import OcrError

Lost = Callable[[ReaderLost], OcrError]
"""Makes the error for a reader that hung or died."""
Refused = Callable[[Failure, Figures], OcrError]
"""Makes the error for a failure that a reader reports, with the numbers that come with it."""

_PROBLEMS = {
    Failure.ARCHIVE_PATH: ("path", "a member that would lie outside of it"),
    Failure.ARCHIVE_LINK: ("link", "a member that is a link"),
    Failure.ARCHIVE_NESTED: ("nested_archive", "another archive where none belongs"),
    Failure.ARCHIVE_AMBIGUOUS: ("ambiguous", "members that can be read in two ways"),
}


def opening_lost(limits: DocumentLimits) -> Lost:
    """Return what turns a lost reader into an error of the document it was opening."""

    def error(lost: ReaderLost) -> DocumentError:
        if isinstance(lost, ReaderHung):
            return ReaderTimedOut(
                f"Opening the document took longer than {limits.open_seconds:g} seconds. "
                "It may be damaged, or made to be slow; save it anew and try again.",
                limit_seconds=limits.open_seconds,
                setting="OPEN_TIMEOUT_SECONDS",
            )
        return ReaderCrashed(
            "The reader died while opening the document. It is likely damaged; save it anew."
        )

    return error


def opening_refused(limits: DocumentLimits) -> Refused:
    """Return what turns a reported failure into an error of the document that was opened."""

    def error(failure: Failure, figures: Figures) -> OcrError:
        if failure in _SENTENCES:
            kind, sentence = _SENTENCES[failure]
            return kind(sentence)
        if failure in _PROBLEMS:
            problem, what = _PROBLEMS[failure]
            return UnsafeArchive(
                f"The document's container has {what}. Save it anew.", problem=problem
            )
        if failure is Failure.NO_SPACE:
            return SpoolFull()
        if failure is Failure.MEMORY:
            return ReaderOutOfMemory(
                f"Opening the document needs more memory than the {limits.reader_memory_bytes} "
                "bytes that a reader may use (READER_MEMORY_BYTES). Split it.",
                limit=limits.reader_memory_bytes,
                setting="READER_MEMORY_BYTES",
            )
        return _over_limit(failure, figures.found, limits) or CorruptDocument(
            "The document is truncated or damaged, and cannot be opened."
        )

    return error


_SENTENCES: dict[Failure, tuple[type[DocumentError], str]] = {
    Failure.UNKNOWN_FORMAT: (UnknownFormat, UNKNOWN_FORMAT_SENTENCE),
    Failure.PASSWORD: (
        PasswordRequired,
        "The document is encrypted. Send its password in options.password.",
    ),
    Failure.WRONG_PASSWORD: (PasswordWrong, "The password does not open the document."),
    Failure.ENCRYPTED: (
        PasswordRequired,
        "The document is encrypted in a way that is not opened here. Save it without a password.",
    ),
    Failure.DOCTYPE: (DoctypeRefused, "The document's XML declares a DOCTYPE. Save it anew."),
    Failure.BROKEN: (
        ReaderCrashed,
        "The reader failed on the document. It is likely damaged.",
    ),
}


def too_many_pages(pages: int, limits: DocumentLimits) -> OcrError:
    """Return the error for a document with more pages than allowed."""
    return opening_refused(limits)(Failure.TOO_MANY_PAGES, Figures(found=pages))


def _over_limit(failure: Failure, found: int, limits: DocumentLimits) -> DocumentError | None:
    """Return the error for a document that has more of something than a setting allows."""
    known: dict[Failure, tuple[type[DocumentError], str, str, int]] = {
        Failure.TOO_MANY_PAGES: (TooManyPages, "{} pages", "MAX_PAGES", limits.max_pages),
        Failure.ARCHIVE_MEMBERS: (
            TooManyMembers,
            "a container of {} members",
            "MAX_ARCHIVE_MEMBERS",
            limits.max_archive_members,
        ),
        Failure.ARCHIVE_BYTES: (
            ArchiveTooLarge,
            "{} bytes unpacked",
            "MAX_ARCHIVE_BYTES",
            limits.max_archive_bytes,
        ),
        Failure.ARCHIVE_RATIO: (
            ArchiveRatioTooHigh,
            "a member that unpacks to {} times its size",
            "MAX_ARCHIVE_RATIO",
            limits.max_archive_ratio,
        ),
    }
    if failure not in known:
        return None
    kind, what, setting, limit = known[failure]
    return kind(
        f"The document has {what.format(found)}, more than the limit of {limit} ({setting}). "
        "Split it.",
        found=found,
        limit=limit,
        setting=setting,
    )


def page_lost(page_number: int, limits: DocumentLimits) -> Lost:
    """Return what turns a lost reader into an error of the page it was reading."""

    def error(lost: ReaderLost) -> PageError:
        if isinstance(lost, ReaderHung):
            return PageReaderTimedOut(
                f"Page {page_number} took longer than {limits.page_seconds:g} seconds to read. "
                "Try a lower dpi.",
                page=page_number,
                limit_seconds=limits.page_seconds,
                setting="RENDER_TIMEOUT_SECONDS",
            )
        return PageReaderCrashed(
            f"The reader died over page {page_number}. The page is likely damaged.",
            page=page_number,
        )

    return error


def page_refused(page_number: int, limits: DocumentLimits) -> Refused:
    """Return what turns a reported failure into an error of the page."""

    def error(failure: Failure, figures: Figures) -> OcrError:
        if failure is Failure.NO_SPACE:
            return SpoolFull()
        if failure is Failure.PAGE_TOO_LARGE:
            return PageTooLarge(
                f"Page {page_number} would be {figures.width} × {figures.height} pixels, more than "
                f"the limit of {limits.max_page_pixels} (MAX_PAGE_PIXELS). Make it smaller.",
                page=page_number,
                width=figures.width,
                height=figures.height,
                limit=limits.max_page_pixels,
                setting="MAX_PAGE_PIXELS",
            )
        if failure is Failure.MEMORY:
            return PageReaderOutOfMemory(
                f"Page {page_number} needs more memory than the {limits.reader_memory_bytes} bytes "
                "that a reader may use (READER_MEMORY_BYTES). Try a lower dpi.",
                page=page_number,
                limit=limits.reader_memory_bytes,
                setting="READER_MEMORY_BYTES",
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
