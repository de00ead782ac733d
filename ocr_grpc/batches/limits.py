"""What batches may ask for."""

from dataclasses import dataclass

from ocr_grpc.accounts.names import checked_display_name
from ocr_grpc.accounts.principal import Role
from ocr_grpc.batches.errors import (
    PriorityNotAllowed,
    TooManyBatches,
    TooManyDocuments,
    UploadsFull,
)
from ocr_grpc.batches.new_batch import BatchPriority, NewBatch
from ocr_grpc.errors import InvalidOption
from ocr_grpc.metering.entries import require_request_id


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The bounds of batches; the fields are settings of the same names."""

    max_batch_documents: int
    max_waiting_documents: int
    batch_retention_hours: int
    user_batch_priority: str
    business_batch_priority: str
    admin_batch_priority: str
    max_stored_bytes_per_user: int

    def check(self, wanted: NewBatch) -> None:
        """Refuse what no caller may ask for.

        Raises:
            InvalidOption: naming the field.
        """
        require_request_id(wanted.request_id)
        count = len(wanted.documents)
        if not 1 <= count <= self.max_batch_documents:
            raise TooManyDocuments(self.max_batch_documents, count)
        checked_display_name(wanted.display_name)
        if not 0 <= wanted.retention_hours <= self.batch_retention_hours:
            raise InvalidOption(
                f"A batch is kept for 0 to {self.batch_retention_hours} hours; 0 stands for the "
                "most.",
                field="retention_hours",
                maximum=self.batch_retention_hours,
            )

    def check_waiting(self, waiting: int, more: int) -> None:
        """Refuse more documents than may wait.

        Raises:
            TooManyBatches: with those there are.
        """
        if waiting + more > self.max_waiting_documents:
            raise TooManyBatches(self.max_waiting_documents, waiting)

    def check_stored(self, stored: int, more: int) -> None:
        """Refuse documents for which there is no room.

        Raises:
            UploadsFull: the user would have too many bytes stored.
        """
        if stored + more > self.max_stored_bytes_per_user:
            raise UploadsFull(self.max_stored_bytes_per_user, stored=True)

    def priority_for(self, role: Role, wanted: BatchPriority | None) -> BatchPriority:
        """Return the priority of a batch.

        Raises:
            PriorityNotAllowed: the role does not go that high.
        """
        word: str = getattr(self, f"{role.value}_batch_priority")
        highest = BatchPriority[word.upper()]
        if wanted is None:
            return min(BatchPriority.NORMAL, highest)
        if wanted > highest:
            raise PriorityNotAllowed(wanted.word, highest.word)
        return wanted
