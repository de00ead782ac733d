"""What can be wrong with the database, and with what asks it."""

from ocr_grpc.errors import InvalidOption, OcrError


class DatabaseUnavailable(OcrError):
    """The database does not answer, or not in time."""

    reason = "DATABASE_UNAVAILABLE"
    retry_after_seconds = 1.0

    def __init__(self) -> None:
        super().__init__("The database does not answer at the moment. Try again.")


class InvalidPageToken(InvalidOption):
    """The page token is not one that was given out."""

    reason = "INVALID_PAGE_TOKEN"

    def __init__(self) -> None:
        super().__init__(
            "The page token is none that a previous response gave out.", field="page_token"
        )


class SealBroken(OcrError):
    """Something in the database was sealed with another `SECRET_KEY`, or changed."""

    reason = "SEAL_BROKEN"

    def __init__(self) -> None:
        super().__init__(
            "What was stored cannot be read: the servers of this installation need one SECRET_KEY."
        )


class BlobMissing(OcrError):
    """The bytes of a document are not where they were put."""

    reason = "BLOB_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "The bytes of this document are gone. Servers and workers need one BLOB_URL."
        )


class BlobsUnavailable(OcrError):
    """The store for documents does not answer, or has no room."""

    reason = "BLOBS_UNAVAILABLE"
    retry_after_seconds = 5.0

    def __init__(self) -> None:
        super().__init__("The store for documents does not answer at the moment. Try again.")


class SchemaBehind(Exception):
    """The tables are older than this program; the message says the command."""
