"""The one error of this client: what a call ended with, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc
import grpc.aio

from .messages import BadRequest, ErrorInfo, QuotaFailure, RetryInfo, Status

DOMAIN = "ocr_grpc"
"""The domain of the errors that the service itself makes."""

DETAILS_KEY = "grpc-status-details-bin"
REQUEST_ID_KEY = "x-request-id"

CODES = {code.value[0]: code for code in grpc.StatusCode}

BREAKS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
"""What gRPC and proxies say of a connection that broke; with our details it means otherwise."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field of a request.

    Attributes:
        field: its path, such as `documents[3].url`.
        description: a sentence for people.
    """

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """Which quota is spent.

    Attributes:
        subject: whose it is, such as `user:…`.
        description: a sentence for people.
    """

    subject: str
    description: str


@dataclass(eq=False)
class OcrError(Exception):
    """A call that failed.

    Attributes:
        code: the code of gRPC.
        message: a sentence for people.
        reason: the stable word of the service, such as `QUOTA_EXCEEDED`. Empty if the error is not
            the service's own, such as that of a connection that broke.
        retry_delay_seconds: after how many seconds a repetition may succeed. None if the service
            does not say.
        field_violations: which fields of the request are wrong.
        quota_violations: which quotas are spent.
        metadata: everything variable in the message, by name.
        request_id: names the call in the logs of the service. Empty if it was never reached.
    """

    code: grpc.StatusCode
    message: str
    reason: str = ""
    retry_delay_seconds: float | None = None
    field_violations: tuple[FieldViolation, ...] = ()
    quota_violations: tuple[QuotaViolation, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    request_id: str = ""

    def __str__(self) -> str:
        words = " ".join(word for word in (self.code.name, self.reason) if word)
        return f"{words}: {self.message}"

    @property
    def is_broken_connection(self) -> bool:
        """Whether the connection ended and not the work: a stream that can be resumed may go on."""
        if self.reason:
            return self.code is grpc.StatusCode.UNAVAILABLE
        return self.code in BREAKS


def from_rpc_error(error: grpc.aio.AioRpcError) -> OcrError:
    """Return what a call of gRPC ended with."""
    trailing = dict(error.trailing_metadata() or ())
    details = trailing.get(DETAILS_KEY, b"")
    status = _status(details.encode() if isinstance(details, str) else details)
    made = from_status(status)
    # The status line counts: a proxy may have changed it, and details may be missing.
    made.code, made.message = error.code(), error.details() or made.message
    made.request_id = str(trailing.get(REQUEST_ID_KEY, ""))
    return made


def from_status(status: Status, request_id: str = "") -> OcrError:
    """Return an error for a status, such as that of a `failed` event."""
    code = CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    error = OcrError(code, status.message, request_id=request_id)
    for detail in status.details:
        _add(error, detail.type_url.rpartition("/")[2], detail.value)
    return error


def _status(details: bytes) -> Status:
    """Return the status in the trailing metadata; an empty one if it cannot be read."""
    try:
        return Status.parse(details)
    except Exception:  # whatever a stranger between us and the service put there
        return Status()


def _add(error: OcrError, kind: str, value: bytes) -> None:
    if kind == "google.rpc.ErrorInfo":
        info = ErrorInfo.parse(value)
        if info.domain == DOMAIN:
            error.reason, error.metadata = info.reason, dict(info.metadata)
    elif kind == "google.rpc.RetryInfo":
        delay = RetryInfo.parse(value).retry_delay
        error.retry_delay_seconds = None if delay is None else delay.total_seconds()
    elif kind == "google.rpc.BadRequest":
        error.field_violations = tuple(
            FieldViolation(each.field, each.description)
            for each in BadRequest.parse(value).field_violations
        )
    elif kind == "google.rpc.QuotaFailure":
        error.quota_violations = tuple(
            QuotaViolation(each.subject, each.description)
            for each in QuotaFailure.parse(value).violations
        )
