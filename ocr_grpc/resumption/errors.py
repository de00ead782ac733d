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

    def __init__(self, extraction_id: str) -> None:
        super().__init__(
            "The extraction was resumed by another call, which gets the events from now on.",
            extraction_id=extraction_id[:64],
        )
