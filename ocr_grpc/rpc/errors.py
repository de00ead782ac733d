"""What can be wrong with a call before the domain hears of it."""

from ocr_grpc.errors import InvalidOption, OcrError


class OptionsTooLate(OcrError):
    """Options came in a later message of an upload."""

    reason = "OPTIONS_TOO_LATE"


class UploadTruncated(OcrError):
    """Another number of bytes came than was announced."""

    reason = "UPLOAD_TRUNCATED"


class UploadStalled(OcrError):
    """No byte came for longer than `UPLOAD_IDLE_SECONDS`."""

    reason = "UPLOAD_STALLED"


class InvalidFileName(InvalidOption):
    """The file name is too long."""

    reason = "INVALID_FILE_NAME"


class ShuttingDown(OcrError):
    """The server is about to stop and takes no new work."""

    reason = "SHUTTING_DOWN"

    def __init__(self) -> None:
        super().__init__("This server is shutting down. Try again at once; another will answer.")
        self.retry_after_seconds = 1.0


class InternalError(OcrError):
    """Something nobody foresaw; the log has the rest, the caller must not."""

    reason = "INTERNAL"

    def __init__(self) -> None:
        super().__init__("An unexpected error occurred. The server's log has the details.")
