"""The one place where a domain error becomes a gRPC status."""

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.documents import errors as documents
from ocr_grpc.engines import errors as engines
from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction import errors as extraction
from ocr_grpc.rpc import errors as rpc

DOMAIN = "ocr_grpc"
DETAILS_KEY = "grpc-status-details-bin"

Code = grpc.StatusCode

CODES: dict[type[OcrError], grpc.StatusCode] = {
    InvalidOption: Code.INVALID_ARGUMENT,
    documents.DocumentError: Code.INVALID_ARGUMENT,
    documents.PasswordRequired: Code.FAILED_PRECONDITION,
    documents.SpoolFull: Code.RESOURCE_EXHAUSTED,
    documents.ReaderUnavailable: Code.UNAVAILABLE,
    documents.PageError: Code.INVALID_ARGUMENT,
    engines.EngineUnavailable: Code.UNAVAILABLE,
    engines.EngineCrashed: Code.INVALID_ARGUMENT,
    engines.EngineFailed: Code.INVALID_ARGUMENT,
    engines.PageTimedOut: Code.INVALID_ARGUMENT,
    extraction.QueueFull: Code.RESOURCE_EXHAUSTED,
    extraction.MemoryFull: Code.RESOURCE_EXHAUSTED,
    extraction.ShuttingDown: Code.UNAVAILABLE,
    extraction.DpiLowered: Code.INVALID_ARGUMENT,
    rpc.OptionsTooLate: Code.INVALID_ARGUMENT,
    rpc.UploadTruncated: Code.INVALID_ARGUMENT,
    rpc.UploadStalled: Code.INVALID_ARGUMENT,
    rpc.MalformedRequest: Code.INVALID_ARGUMENT,
    rpc.InternalError: Code.INTERNAL,
}
"""Errors that stand for a whole family cover the members that are not named themselves."""


def code_of(error: OcrError) -> grpc.StatusCode:
    """Return the status code of an error."""
    for kind in type(error).__mro__:
        if kind in CODES:
            return CODES[kind]
    return Code.INTERNAL


def status_of(error: OcrError) -> status_pb2.Status:
    """Return an error as `google.rpc.Status` with its details."""
    number: int = code_of(error).value[0]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    status = status_pb2.Status(code=number, message=error.message)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    ]
    if isinstance(error, InvalidOption):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.message, reason=error.reason
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after_seconds: float | None = getattr(error, "retry_after_seconds", None)
    if retry_after_seconds is not None:
        delay = Duration()
        delay.FromMilliseconds(round(retry_after_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status
