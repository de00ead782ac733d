"""What can be wrong with a call before the domain hears of it."""

from ocr_grpc.errors import InvalidOption, OcrError


class OptionsTooLate(OcrError):
    """Options came in a later message of an upload."""

    reason = "OPTIONS_TOO_LATE"


class UploadTruncated(OcrError):
    """Another number of bytes came than was announced."""

    reason = "UPLOAD_TRUNCATED"


class DocumentMissing(InvalidOption):
    """A form without a file, or a conversation without a document."""

    reason = "DOCUMENT_MISSING"


class UploadStalled(OcrError):
    """No byte came for longer than `UPLOAD_IDLE_SECONDS`."""

    reason = "UPLOAD_STALLED"


class AnswerTooLarge(OcrError):
    """The text of a whole document is too large for one answer."""

    reason = "ANSWER_TOO_LARGE"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The answer would have more than {limit} bytes (MAX_INLINE_BYTES). Use StreamExtract, "
            "or ask for fewer pages.",
            limit=limit,
            setting="MAX_INLINE_BYTES",
        )


class InvalidFileName(InvalidOption):
    """The file name is too long."""

    reason = "INVALID_FILE_NAME"


class MalformedRequest(OcrError):
    """The bytes of a message are no message of its type, or those of a body no form or JSON."""

    reason = "MALFORMED_REQUEST"

    def __init__(
        self, message: str = "The request cannot be decoded: its bytes do not fit the proto."
    ) -> None:
        super().__init__(message)


class InternalError(OcrError):
    """Something nobody foresaw; the log has the rest, the caller must not."""

    reason = "INTERNAL"

    def __init__(self) -> None:
        super().__init__("An unexpected error occurred. The server's log has the details.")


class TextRevised(OcrError):
    """A page came out differently when it was read anew, after its text had left."""

    reason = "TEXT_REVISED"

    def __init__(self) -> None:
        super().__init__(
            "A page was read anew and says something else than was sent, which this stream cannot "
            "take back. Try again, or without `stream`."
        )
