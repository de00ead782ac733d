"""What can be wrong with going on with an extraction."""

from ocr_grpc.accounts.errors import NotFound
from ocr_grpc.errors import OcrError


class ExtractionNotFound(NotFound):
    """There is no such extraction that could be resumed, not any more, or it is somebody else's."""

    reason = "EXTRACTION_NOT_FOUND"

    def __init__(self, extraction_id: str) -> None:
        super().__init__(
            "There is no such extraction to resume: it was not `resumable`, or it is too old.",
            extraction_id=extraction_id[:64],
        )


class ExtractionResumed(OcrError):
    """Somebody else receives the events from now on."""

    reason = "EXTRACTION_RESUMED"
    by_caller = True

    def __init__(self, extraction_id: str) -> None:
        super().__init__(
            "The extraction was resumed by another call, which gets the events from now on.",
            extraction_id=extraction_id[:64],
        )


class KeptFull(OcrError):
    """The documents of a user's resumable extractions have too many bytes."""

    reason = "RESUMABLE_FULL"
    retry_after_seconds = 60.0

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The documents of your resumable extractions would have more than {limit} bytes. They "
            "count until their events are forgotten; leave `resumable` out, or come again later.",
            limit=limit,
        )
