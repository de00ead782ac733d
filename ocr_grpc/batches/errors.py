"""What can be wrong with a batch."""

from ocr_grpc.accounts.errors import Denied, NotFound, NotNow
from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.metering.errors import TooManyStreams


class BatchNotFound(NotFound):
    """There is no such batch, or it belongs to somebody else."""

    reason = "BATCH_NOT_FOUND"

    def __init__(self, batch_id: str) -> None:
        super().__init__("There is no such batch.", batch_id=batch_id[:64])


class DocumentNotFound(NotFound):
    """There is no such document in that batch."""

    reason = "DOCUMENT_NOT_FOUND"

    def __init__(self, document_id: str) -> None:
        super().__init__("There is no such document in this batch.", document_id=document_id[:64])


class UploadNotFound(NotFound):
    """There is no such upload, not any more, or it belongs to somebody else."""

    reason = "UPLOAD_NOT_FOUND"

    def __init__(self, upload_id: str) -> None:
        super().__init__("There is no such uploaded document.", upload_id=upload_id[:64])


class DeadLetterNotFound(NotFound):
    """There is no such dead letter."""

    reason = "DEAD_LETTER_NOT_FOUND"

    def __init__(self, dead_letter_id: str) -> None:
        super().__init__("There is no such dead letter.", dead_letter_id=dead_letter_id[:64])


class PriorityNotAllowed(Denied):
    """The role of the caller does not go that high."""

    reason = "PRIORITY_NOT_ALLOWED"

    def __init__(self, priority: str, highest: str) -> None:
        super().__init__(
            f"The priority of your batches is {highest!r} at most, not {priority!r}.",
            priority=priority,
            highest=highest,
        )


class TooManyDocuments(InvalidOption):
    """A batch has more documents than one may have, or none."""

    reason = "TOO_MANY_DOCUMENTS"

    def __init__(self, limit: int, count: int) -> None:
        super().__init__(
            f"A batch has 1 to {limit} documents, not {count}. Make several batches.",
            field="documents",
            limit=limit,
            count=count,
        )


class TooManyBatches(OcrError):
    """Too many documents of this caller wait already."""

    reason = "TOO_MANY_BATCHES"
    retry_after_seconds = 60.0

    def __init__(self, limit: int, waiting: int) -> None:
        super().__init__(
            f"{waiting} documents of your batches wait or are being read, at most {limit} may. "
            "Come again when some have ended.",
            limit=limit,
            waiting=waiting,
        )


class UploadsFull(OcrError):
    """Too many bytes of this caller wait for a batch, or are stored in all."""

    reason = "UPLOADS_FULL"

    def __init__(self, limit: int, stored: bool = False) -> None:
        super().__init__(
            f"Your documents, with those of batches, would have more than {limit} bytes. Delete "
            "uploads, and batches that have ended."
            if stored
            else f"Your uploaded documents would have more than {limit} bytes. Use them in a batch,"
            " or delete some.",
            limit=limit,
        )


class TooManyWatchers(TooManyStreams):
    """This caller watches as many batches as anybody may."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, "user")
        self.message = f"At most {limit} calls of yours may watch batches at once."


class DocumentNotFinished(NotNow):
    """Pages of the document are still missing."""

    reason = "DOCUMENT_NOT_FINISHED"

    def __init__(self) -> None:
        super().__init__("The document is still being read. `partial` gives what is there.")


class BatchNotFinished(NotNow):
    """Documents of the batch are still missing."""

    reason = "BATCH_NOT_FINISHED"

    def __init__(self) -> None:
        super().__init__("The batch is still being read. `partial` gives what is there.")


class BatchDeleted(OcrError):
    """The batch was deleted while its events were sent."""

    reason = "BATCH_DELETED"

    def __init__(self) -> None:
        super().__init__("The batch was deleted.")


class WorkerCrashed(OcrError):
    """Every process that read this died of it. The outcome of a page or a document."""

    reason = "WORKER_CRASHED"

    def __init__(self) -> None:
        super().__init__(
            "Every process that read this ended with it. An administrator can send it again."
        )


class GivenUp(OcrError):
    """Every attempt ended with an error that was expected to pass. The outcome of a document."""

    reason = "GIVEN_UP"

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"Every attempt to read this failed, the last one with {cause}. An administrator can "
            "send it again.",
            cause=cause,
        )


class LeaseLost(Exception):
    """Another process has taken the chunk, or it was cancelled: write nothing more for it."""
