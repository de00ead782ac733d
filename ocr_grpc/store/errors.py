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


class SchemaBehind(Exception):
    """The tables are older than this program; the message says the command."""
