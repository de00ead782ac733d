"""What can be wrong with how much a caller asks for."""

from ocr_grpc.errors import InvalidOption, OcrError


class RateLimited(OcrError):
    """Too many calls in the last minute."""

    reason = "RATE_LIMITED"

    def __init__(self, limit: int, scope: str, retry_after_seconds: float) -> None:
        super().__init__(
            f"At most {limit} calls a minute for this {scope}. "
            f"Try again in {retry_after_seconds:.1f} s.",
            limit=limit,
            scope=scope,
        )
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds


class TooManyStreams(OcrError):
    """Too many extractions of this caller at once."""

    reason = "TOO_MANY_STREAMS"
    retry_after_seconds = 1.0

    def __init__(self, limit: int, scope: str) -> None:
        super().__init__(
            f"At most {limit} extractions at once for this {scope}. Wait until one ends.",
            limit=limit,
            scope=scope,
        )


class QuotaExceeded(OcrError):
    """The document has more pages than the month has left."""

    reason = "QUOTA_EXCEEDED"

    def __init__(
        self, subject: str, limit: int, remaining: int, asked: int, retry_after_seconds: float
    ) -> None:
        super().__init__(
            f"{asked} pages were asked for, {remaining} of the {limit} pages of this month are "
            "left.",
            limit=limit,
            remaining=remaining,
            asked=asked,
        )
        self.subject = subject
        """Whose quota it is, such as `user:4f…` or `organization:8a…`."""
        self.retry_after_seconds = retry_after_seconds
        """Seconds until the next month begins."""


class LedgerUnavailable(OcrError):
    """What was used cannot be written down at the moment, so nothing is given out."""

    reason = "LEDGER_UNAVAILABLE"
    retry_after_seconds = 2.0

    def __init__(self) -> None:
        super().__init__("The usage ledger cannot be written at the moment. Try again.")


class InvalidRequestId(InvalidOption):
    """The request id has the wrong length or characters."""

    reason = "INVALID_REQUEST_ID"

    def __init__(self) -> None:
        super().__init__(
            "A request id has at most 128 letters, digits or `._:/=+-`.", field="request_id"
        )


class RequestIdReused(InvalidOption):
    """The id stands for another document, or for other options."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "This request id stands for another document or other options. Use a new one.",
            field="request_id",
            request_id=request_id,
        )
