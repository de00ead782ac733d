"""One call of a command to a server: what it answers, or a sentence about why it did not."""

from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.commands.failure import CommandFailed, printable
from ocr_grpc.rpc.status import DETAILS_KEY

CALL_SECONDS = 30.0
"""What a command waits for one answer."""

Metadata = tuple[tuple[str, str], ...]
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

ADVICE = {
    "CREDENTIALS_MISSING": (
        "The server wants to know who is calling: run `ocr-grpc login`, or set OCR_API_KEY."
    ),
}
"""What a person at a shell can do, where the server's sentence speaks to programs."""

TLS_ADVICE = {
    "CERTIFICATE_VERIFY_FAILED": (
        "The server's certificate is expired, or of nobody whom this machine trusts. OCR_CA_FILE "
        "names a file with the certificates to trust."
    ),
    "Hostname Verification Check failed": (
        "The server's certificate is for another name than the address has. Use one of its names."
    ),
    "WRONG_VERSION_NUMBER": "The server speaks no TLS there. Leave https:// out, if you may.",
}
"""What the words mean that grpc has from its TLS library."""


def ask(
    method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    metadata: Metadata = (),
    seconds: float = CALL_SECONDS,
) -> Response:
    """Return what a method answers. Blocks.

    Raises:
        CommandFailed: it answered with an error, or not in time.
    """
    try:
        return method(request, metadata=metadata, timeout=seconds)
    except grpc.RpcError as error:
        reason, sentence = told(error)
        raise CommandFailed(sentence, reason) from error


def error_text(error: grpc.RpcError) -> str:
    """Return a failed call as `REASON: sentence`."""
    reason, sentence = told(error)
    return f"{reason}: {printable(sentence)}"


def told(error: grpc.RpcError) -> tuple[str, str]:
    """Return the reason of a failed call, else its code, and the sentence about it."""
    reason = _reason(error) or error.code().name
    details = error.details() or ""
    for words, advice in TLS_ADVICE.items():
        if words in details and error.code() is grpc.StatusCode.UNAVAILABLE:
            return reason, advice
    return reason, ADVICE.get(reason) or details or "The server gives no details."


def _reason(error: grpc.RpcError) -> str:
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""
