"""What can be wrong with a document, or with one page of it."""

from typing import Self

from ocr_grpc.errors import OcrError


class DocumentError(OcrError):
    """The document as a whole cannot be read."""

    reason = "UNREADABLE_DOCUMENT"


class EmptyDocument(DocumentError):
    """There is not one byte in it."""

    reason = "EMPTY_DOCUMENT"


class UnknownFormat(DocumentError):
    """Its content is of no format this service reads."""

    reason = "UNKNOWN_FORMAT"


class CorruptDocument(DocumentError):
    """It says it is of a known format, but is truncated or damaged beyond reading."""

    reason = "CORRUPT_DOCUMENT"


class PasswordRequired(DocumentError):
    """It is encrypted."""

    reason = "PASSWORD_REQUIRED"


class PasswordWrong(DocumentError):
    """It is encrypted with another password than the one given."""

    reason = "PASSWORD_WRONG"


class DocumentTooLarge(DocumentError):
    """It has more bytes than a setting allows; `size_bytes` is None while it is still arriving."""

    reason = "DOCUMENT_TOO_LARGE"

    def __init__(
        self,
        limit: int,
        size_bytes: int | None = None,
        setting: str = "MAX_DOCUMENT_BYTES",
        advice: str = "Split it.",
    ) -> None:
        size = "more" if size_bytes is None else f"{size_bytes} bytes, more"
        known = {} if size_bytes is None else {"size_bytes": size_bytes}
        super().__init__(
            f"The document has {size} than the limit of {limit} bytes ({setting}). {advice}",
            limit=limit,
            setting=setting,
            **known,
        )


class SpoolFull(OcrError):
    """The disk under `DATA_DIR` has no room for it at present."""

    reason = "SPOOL_FULL"
    retry_after_seconds = 30.0

    def __init__(self) -> None:
        super().__init__("The server has no room on its disk for the document. Try again later.")


class TooManyPages(DocumentError):
    """It has more pages than the setting `MAX_PAGES` allows."""

    reason = "TOO_MANY_PAGES"


class DocumentTimedOut(DocumentError):
    """Reading it took longer than the setting `DOCUMENT_TIMEOUT_SECONDS` allows."""

    reason = "DOCUMENT_TIMED_OUT"


class TooManyMembers(DocumentError):
    """Its container has more members than the setting `MAX_ARCHIVE_MEMBERS` allows."""

    reason = "ARCHIVE_TOO_MANY_MEMBERS"


class ArchiveTooLarge(DocumentError):
    """Its container holds more than the setting `MAX_ARCHIVE_BYTES` allows, unpacked."""

    reason = "ARCHIVE_TOO_LARGE"


class ArchiveRatioTooHigh(DocumentError):
    """A member of its container unpacks to more times its size than `MAX_ARCHIVE_RATIO` allows."""

    reason = "ARCHIVE_RATIO_TOO_HIGH"


class UnsafeArchive(DocumentError):
    """Its container has a member that none should have; `problem` says which kind."""

    reason = "UNSAFE_ARCHIVE"


class DoctypeRefused(DocumentError):
    """Its XML declares a document type, which no office program writes."""

    reason = "DOCTYPE_REFUSED"


class ReaderCrashed(DocumentError):
    """The sandboxed reader died over it."""

    reason = "READER_CRASHED"


class ReaderOutOfMemory(DocumentError):
    """Opening it needs more memory than the setting `READER_MEMORY_BYTES` allows."""

    reason = "READER_OUT_OF_MEMORY"


class ReaderTimedOut(DocumentError):
    """The sandboxed reader took longer over it than the limit."""

    reason = "READER_TIMED_OUT"


class ReaderUnavailable(OcrError):
    """No reader process can be started at present, which says nothing about the document."""

    reason = "READER_UNAVAILABLE"
    retry_after_seconds = 5.0

    def __init__(self) -> None:
        super().__init__("The server cannot start a document reader at present. Try again later.")


class PageError(OcrError):
    """One page cannot be read; the others are not concerned."""

    reason = "UNREADABLE_PAGE"


class PageTooLarge(PageError):
    """It has more pixels than the setting `MAX_PAGE_PIXELS` allows."""

    reason = "PAGE_TOO_LARGE"


class NoTextLayer(PageError):
    """Only the text layer was asked for, and the page has none that can be used."""

    reason = "NO_TEXT_LAYER"

    @classmethod
    def on_page(cls, page_number: int, why: str) -> Self:
        """Return the error for a page whose own text is unusable because of `why`, a word."""
        return cls(
            f"Page {page_number} carries no usable text of its own ({why}); MODE_AUTO reads its "
            "image instead.",
            page=page_number,
            why=why,
        )


class PageReaderCrashed(PageError):
    """The sandboxed reader died over this page."""

    reason = "READER_CRASHED"


class PageReaderOutOfMemory(PageError):
    """Reading this page needs more memory than the setting `READER_MEMORY_BYTES` allows."""

    reason = "READER_OUT_OF_MEMORY"


class PageReaderTimedOut(PageError):
    """The sandboxed reader took longer over this page than the limit."""

    reason = "READER_TIMED_OUT"
