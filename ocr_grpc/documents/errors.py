"""What can be wrong with a document, or with one page of it."""

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


class DocumentTooLarge(DocumentError):
    """It has more bytes than the setting `MAX_DOCUMENT_BYTES` allows."""

    reason = "DOCUMENT_TOO_LARGE"


class SpoolFull(OcrError):
    """The disk under `DATA_DIR` has no room for it at present."""

    reason = "SPOOL_FULL"
    retry_after_seconds = 30.0

    def __init__(self) -> None:
        super().__init__("The server has no room on its disk for the document. Try again later.")


class TooManyPages(DocumentError):
    """It has more pages than the setting `MAX_PAGES` allows."""

    reason = "TOO_MANY_PAGES"


class ReaderCrashed(DocumentError):
    """The sandboxed reader died over it."""

    reason = "READER_CRASHED"


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


class PageReaderCrashed(PageError):
    """The sandboxed reader died over this page."""

    reason = "READER_CRASHED"


class PageReaderTimedOut(PageError):
    """The sandboxed reader took longer over this page than the limit."""

    reason = "READER_TIMED_OUT"
