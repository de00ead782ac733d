"""The one place where a domain error becomes a gRPC status."""

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.accounts import errors as accounts
from ocr_grpc.batches import errors as batches
from ocr_grpc.documents import errors as documents
from ocr_grpc.engines import errors as engines
from ocr_grpc.engines.vlm import errors as vlm
from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction import errors as extraction
from ocr_grpc.fetching import errors as fetching
from ocr_grpc.metering import errors as metering
from ocr_grpc.resumption import errors as resumption
from ocr_grpc.rpc import errors as rpc
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.store import errors as store
from ocr_grpc.webhooks import errors as webhooks

DOMAIN = "ocr_grpc"
DETAILS_KEY = "grpc-status-details-bin"

Code = grpc.StatusCode

CODES: dict[type[OcrError], grpc.StatusCode] = {
    InvalidOption: Code.INVALID_ARGUMENT,
    documents.DocumentError: Code.INVALID_ARGUMENT,
    documents.PasswordRequired: Code.FAILED_PRECONDITION,
    documents.PasswordWrong: Code.FAILED_PRECONDITION,
    documents.SpoolFull: Code.RESOURCE_EXHAUSTED,
    documents.ReaderUnavailable: Code.UNAVAILABLE,
    documents.PageError: Code.INVALID_ARGUMENT,
    engines.EngineUnavailable: Code.UNAVAILABLE,
    engines.EngineCrashed: Code.INVALID_ARGUMENT,
    engines.EngineFailed: Code.INVALID_ARGUMENT,
    engines.PageTimedOut: Code.INVALID_ARGUMENT,
    vlm.VisionFailed: Code.INVALID_ARGUMENT,
    vlm.UpstreamUnavailable: Code.UNAVAILABLE,
    vlm.UpstreamTimedOut: Code.UNAVAILABLE,
    extraction.QueueFull: Code.RESOURCE_EXHAUSTED,
    extraction.MemoryFull: Code.RESOURCE_EXHAUSTED,
    extraction.ShuttingDown: Code.UNAVAILABLE,
    extraction.DpiLowered: Code.INVALID_ARGUMENT,
    extraction.PictureUnreadable: Code.INVALID_ARGUMENT,
    extraction.PicturesLeftOut: Code.INVALID_ARGUMENT,
    accounts.Unauthenticated: Code.UNAUTHENTICATED,
    accounts.Denied: Code.PERMISSION_DENIED,
    accounts.NotFound: Code.NOT_FOUND,
    accounts.AlreadyExists: Code.ALREADY_EXISTS,
    accounts.NotNow: Code.FAILED_PRECONDITION,
    accounts.TooManyKeys: Code.RESOURCE_EXHAUSTED,
    accounts.LoginThrottled: Code.RESOURCE_EXHAUSTED,
    accounts.MailThrottled: Code.RESOURCE_EXHAUSTED,
    accounts.MailTokenInvalid: Code.INVALID_ARGUMENT,
    metering.RateLimited: Code.RESOURCE_EXHAUSTED,
    metering.TooManyStreams: Code.RESOURCE_EXHAUSTED,
    metering.QuotaExceeded: Code.RESOURCE_EXHAUSTED,
    metering.LedgerUnavailable: Code.UNAVAILABLE,
    batches.TooManyBatches: Code.RESOURCE_EXHAUSTED,
    batches.UploadsFull: Code.RESOURCE_EXHAUSTED,
    batches.BatchDeleted: Code.ABORTED,
    webhooks.TooManyWebhooks: Code.RESOURCE_EXHAUSTED,
    webhooks.TooManyVerifications: Code.RESOURCE_EXHAUSTED,
    resumption.KeptFull: Code.RESOURCE_EXHAUSTED,
    batches.WorkerCrashed: Code.INVALID_ARGUMENT,
    batches.GivenUp: Code.UNAVAILABLE,
    resumption.ExtractionResumed: Code.ABORTED,
    store.DatabaseUnavailable: Code.UNAVAILABLE,
    store.BlobsUnavailable: Code.UNAVAILABLE,
    store.BlobMissing: Code.DATA_LOSS,
    store.SealBroken: Code.DATA_LOSS,
    fetching.UrlUnreachable: Code.FAILED_PRECONDITION,
    rpc.OptionsTooLate: Code.INVALID_ARGUMENT,
    rpc.UploadTruncated: Code.INVALID_ARGUMENT,
    rpc.UploadStalled: Code.INVALID_ARGUMENT,
    rpc.AnswerTooLarge: Code.INVALID_ARGUMENT,
    rpc.MalformedRequest: Code.INVALID_ARGUMENT,
    rpc.TextRevised: Code.ABORTED,
    rpc.InternalError: Code.INTERNAL,
}
"""Errors that stand for a whole family cover the members that are not named themselves."""


def code_of(error: OcrError) -> grpc.StatusCode:
    """Return the status code of an error."""
    for kind in type(error).__mro__:
        if kind in CODES:
            return CODES[kind]
    return Code.INTERNAL


def status_name(context: Context) -> str:
    """Return the name of the status a call ends with, such as `OK`."""
    code = context.code()
    if not code:
        return Code.OK.name
    # Once a call was aborted, grpc.aio gives the number here.
    by_number = {each.value[0]: each.name for each in Code}
    return by_number.get(code, str(code)) if isinstance(code, int) else code.name


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
    if isinstance(error, metering.QuotaExceeded):
        spent = error_details_pb2.QuotaFailure.Violation(
            subject=error.subject, description=error.message
        )
        details.append(error_details_pb2.QuotaFailure(violations=[spent]))
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
