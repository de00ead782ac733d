"""Calls about batches that go on when a connection breaks or a server is started again."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.commands.addresses import find_server
from ocr_grpc.commands.calls import CALL_SECONDS, Metadata, told
from ocr_grpc.commands.channels import open_async_channel
from ocr_grpc.commands.credentials import Credentials, credentials_for
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.tables import note
from ocr_grpc.rpc.status import DETAILS_KEY
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceStub
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

if TYPE_CHECKING:  # types of the stub files alone
    from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceAsyncStub
    from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceAsyncStub

PATIENCE_SECONDS = 300.0
"""How long a server may be away: time enough to start it anew, and its machine."""

FIRST_WAIT_SECONDS, MOST_WAIT_SECONDS = 0.25, 2.0

FULL_SECONDS = 60.0

CHANNEL_OPTIONS = [
    # grpc's own waits grow to two minutes, long after the server is back.
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.min_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A machine that vanished without a word is noticed within a minute.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
]

BROKEN = ("INTERNAL", "UNKNOWN", "CANCELLED")
"""What grpc itself may say when a connection breaks; no reason of the service stands there then."""

MOST_BROKEN = 5
"""So many of these in a row are no broken connection any more, but a fault."""

LATER = ("SHUTTING_DOWN", "RATE_LIMITED", "TOO_MANY_STREAMS")
"""What the service says when the same call will do a little later."""

FULL = "TOO_MANY_BATCHES"
"""What it says when batches of the caller must end first, which may take hours."""

Response = TypeVar("Response")
Detail = TypeVar("Detail", bound=Message)


class Retries:
    """Waits before the next attempt, for as long as that makes sense."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self.good()

    def good(self) -> None:
        """Take note that the server answers."""
        self._since = time.monotonic()
        self._wait_seconds = FIRST_WAIT_SECONDS
        self._broken = 0

    async def wait(self, error: grpc.RpcError) -> None:
        """Wait a moment after a call that failed; without end for batches of the caller's own.

        Raises:
            CommandFailed: it would fail again, or has failed for too long.
        """
        reason, sentence = told(error)
        if reason == FULL and _may_have_room(error):
            self.good()
            await _wait_for_room(error)
            return
        self._broken += reason in BROKEN
        passes = (
            error.code() is grpc.StatusCode.UNAVAILABLE
            or reason in LATER
            or (reason in BROKEN and self._broken < MOST_BROKEN)
        )
        if not passes or time.monotonic() - self._since > self._patience_seconds:
            raise CommandFailed(sentence, reason) from error
        # Not all who lost a server come back in the same moment.
        await asyncio.sleep(self._wait_seconds * random.uniform(0.5, 1))  # noqa: S311 - no secret
        self._wait_seconds = min(2 * self._wait_seconds, MOST_WAIT_SECONDS)


def _may_have_room(error: grpc.RpcError) -> bool:
    """Return whether something of the caller's can end, so that there is more room then."""
    info = _detail(error, error_details_pb2.ErrorInfo())
    return info.metadata.get("waiting") != "0"


async def _wait_for_room(error: grpc.RpcError) -> None:
    note("The server has as many documents waiting as it takes; this goes on when some have ended.")
    delay = _detail(error, error_details_pb2.RetryInfo()).retry_delay
    await asyncio.sleep(delay.ToTimedelta().total_seconds() or FULL_SECONDS)


def _detail(error: grpc.RpcError, wanted: Detail) -> Detail:
    """Return the detail of its kind that a failed call has; as it was given, if there is none."""
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            any(each.Unpack(wanted) for each in status_pb2.Status.FromString(value).details)
    return wanted


class BatchLink:
    """A server, with a credential for each call."""

    def __init__(self, channel: grpc.aio.Channel, credentials: Credentials) -> None:
        self.batches: BatchServiceAsyncStub = BatchServiceStub(channel)
        self.ocr: OcrServiceAsyncStub = OcrServiceStub(channel)
        self._credentials = credentials

    async def metadata(self) -> Metadata:
        """Return the credential for the next call. A token may have run out since the last.

        Raises:
            CommandFailed: it is no good.
        """
        credential = await asyncio.to_thread(self._credentials.find)
        return credential.metadata if credential else ()

    async def ask(
        self,
        method: Callable[..., Awaitable[Response]],
        request: Any,
        *,
        seconds: float = CALL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Response:
        """Return what a method answers that may be called twice, should the connection break.

        Args:
            method: of one of the stubs.
            request: what it takes.
            seconds: how long one attempt may take.
            patience_seconds: how long to try. 0: once.

        Raises:
            CommandFailed: it failed for good.
        """
        retries = Retries(patience_seconds)
        while True:
            try:
                return await method(request, metadata=await self.metadata(), timeout=seconds)
            except grpc.aio.AioRpcError as error:
                if not patience_seconds:
                    reason, sentence = told(error)
                    raise CommandFailed(sentence, reason) from error
                await retries.wait(error)


@asynccontextmanager
async def linked(address: str) -> AsyncGenerator[BatchLink, None]:
    """Yield a link to a server; without an address, to this machine's own."""
    server = find_server(address)
    credentials = credentials_for(server)
    async with open_async_channel(server, CHANNEL_OPTIONS) as channel:
        yield BatchLink(channel, credentials)


def first_failure(
    failures: BaseExceptionGroup[CommandFailed | BrokenPipeError],
) -> BaseException:
    """Return one failure of several that happened together: a command says one line.

    Or none, if what takes its output has gone: `typer` ends without a word then.
    """
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
