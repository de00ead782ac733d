"""What is written to the ledger: ordinary calls, and reservations of extractions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ocr_grpc.accounts.principal import Principal
from ocr_grpc.metering.errors import InvalidRequestId
from ocr_grpc.store.base import new_id, utc_now

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")


@dataclass(frozen=True, slots=True)
class PageUsage:
    """What reading pages consumed, as in `usage.proto`; how many pages, the ledger counts."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_chars: int = 0
    completion_chars: int = 0
    input_bytes: int = 0

    def __add__(self, other: "PageUsage") -> "PageUsage":
        return PageUsage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.prompt_chars + other.prompt_chars,
            self.completion_chars + other.completion_chars,
            self.input_bytes + other.input_bytes,
        )

    def __sub__(self, other: "PageUsage") -> "PageUsage":
        return PageUsage(
            self.prompt_tokens - other.prompt_tokens,
            self.completion_tokens - other.completion_tokens,
            self.prompt_chars - other.prompt_chars,
            self.completion_chars - other.completion_chars,
            self.input_bytes - other.input_bytes,
        )

    def as_columns(self) -> dict[str, int]:
        """Return the values by column."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "prompt_chars": self.prompt_chars,
            "completion_chars": self.completion_chars,
            "input_bytes": self.input_bytes,
        }


NOTHING = PageUsage()


def total(usages: Iterable[PageUsage]) -> PageUsage:
    """Return the sum."""
    return sum(usages, NOTHING)


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A call that is over and charged nothing.

    Attributes:
        method: the RPC, such as `OcrService/Extract`.
        status: such as `OK` or `RESOURCE_EXHAUSTED`.
        reason: why it is not `OK`.
        kind: the format of the document, the value of a `DocumentKind`. Empty without one.
        call_id: as in `x-request-id`.
    """

    method: str
    status: str
    reason: str = ""
    duration_seconds: float = 0.0
    user_id: str | None = None
    organization_id: str | None = None
    key_id: str | None = None
    kind: str = ""
    call_id: str = ""
    extraction_id: str = ""
    usage: PageUsage = NOTHING
    create_time: datetime = field(default_factory=utc_now)
    usage_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Reservation:
    """An extraction that is about to begin.

    Attributes:
        pages: the numbers of the pages asked for, in ranges that do not overlap.
        request_id: the caller's name for it, so that a repetition is not charged twice.
        fingerprint: 32 bytes that stand for the document and the options. Only with `request_id`.
    """

    principal: Principal
    pages: tuple[range, ...]
    method: str
    kind: str = ""
    call_id: str = ""
    extraction_id: str = ""
    request_id: str = ""
    fingerprint: bytes = b""
    create_time: datetime = field(default_factory=utc_now)

    @property
    def page_count(self) -> int:
        """The number of pages asked for."""
        return sum(len(part) for part in self.pages)

    @property
    def request(self) -> tuple[str, str] | None:
        """Whose request id it is, and which. None without one."""
        return (self.principal.user_id, self.request_id) if self.request_id else None

    @property
    def key_id(self) -> str | None:
        """The API key in use."""
        return self.principal.key.key_id if self.principal.key else None

    @property
    def owner_ids(self) -> tuple[str, ...]:
        """Whose pages are counted: those who share the quota, and the API key in use."""
        owner = self.principal.quota.owner_id
        return (owner, self.key_id) if self.key_id else (owner,)

    @property
    def limits(self) -> list[tuple[str, str, int]]:
        """The quotas it must fit in: subject for errors, owner and pages."""
        quota, key = self.principal.quota, self.principal.key
        kind = "organization" if quota.shared else "user"
        limits = [(f"{kind}:{quota.owner_id}", quota.owner_id, quota.pages)]
        if key:
            limits.append((f"key:{key.key_id}", key.key_id, key.limits.pages_per_month or 0))
        return [limit for limit in limits if limit[2]]


def require_request_id(request_id: str) -> None:
    """Refuse a request id that could never be kept. An empty one is none at all.

    Raises:
        InvalidRequestId: it is too long or has other characters.
    """
    if request_id and not _REQUEST_ID.fullmatch(request_id):
        raise InvalidRequestId
