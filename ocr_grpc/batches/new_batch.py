"""A batch as a caller asks for it."""

from dataclasses import dataclass, field
from enum import IntEnum

from ocr_grpc.extraction.options import ExtractOptions


class BatchPriority(IntEnum):
    """How urgent a batch is; the numbers are those in the database."""

    LOW = 0
    NORMAL = 1
    HIGH = 2

    @property
    def share(self) -> float:
        """Its share beside other callers: twice that of the next lower one."""
        return 2.0 ** (self - BatchPriority.NORMAL)

    @property
    def word(self) -> str:
        """What settings and messages call it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document of a new batch, with exactly one of `content`, `upload_id` and `url`.

    Attributes:
        number: its place in the batch, from 1.
        options: how to read it. None: as the batch says.
    """

    number: int
    file_name: str = ""
    options: ExtractOptions | None = None
    content: bytes = field(default=b"", repr=False)
    upload_id: str = ""
    url: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """Where it stands in the request, such as `documents[3]`."""
        return f"documents[{self.number - 1}]"


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What is asked for.

    Attributes:
        priority: None leaves it to the role.
        retention_hours: 0: as long as the server keeps batches.
        request_id: what makes a repetition return the first batch. Empty: nothing does.
        fingerprint: stands for everything else in the request but the bytes of uploads.
    """

    documents: tuple[NewDocument, ...]
    options: ExtractOptions
    display_name: str = ""
    priority: BatchPriority | None = None
    retention_hours: int = 0
    request_id: str = ""
    fingerprint: bytes = b""
