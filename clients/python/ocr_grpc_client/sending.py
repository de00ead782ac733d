"""The side of a call that sends a stream of requests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine
from typing import Any, TypeVar

import grpc
import grpc.aio

T = TypeVar("T")

MADE_UP = "Internal error from Core"
"""What grpcio says of a call that ended while a request was on its way, whatever it ended with."""

STATUS_SECONDS = 1.0
"""How long the status is waited for then. It is in this process already."""


class Sender:
    """Sends requests in a task of its own, as fast as the other side takes them.

    Attributes:
        failure: what the source of the requests failed with. The call is cancelled then, so that
            whoever waits for responses wakes up.
    """

    def __init__(self, call: Any, requests: AsyncIterable[Any]) -> None:
        """Begin to send."""
        self.failure: Exception | None = None
        self._call = call
        self._status: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._keep_status)
        self._task = asyncio.create_task(self._send(requests))

    async def close(self) -> None:
        """Stop sending."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def status(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Return what the call ended with, where grpcio put `error` in its place.

        That happens before the status comes, or after.
        """
        ends_at = asyncio.get_running_loop().time() + STATUS_SECONDS
        while error.details() == MADE_UP and asyncio.get_running_loop().time() < ends_at:
            if self._status and self._status.details() != MADE_UP:
                return error if self._status.code() is grpc.StatusCode.OK else self._status
            await asyncio.sleep(0.01)
            self._keep_status(self._call)
        return error

    def _keep_status(self, call: Any) -> None:
        self._status = grpc.aio.AioRpcError(
            _at_once(call.code()),
            grpc.aio.Metadata(),
            _at_once(call.trailing_metadata()),
            _at_once(call.details()),
        )

    async def _send(self, requests: AsyncIterable[Any]) -> None:
        """Send all requests; a call that has ended takes no more, and its status says why."""
        iterator = aiter(requests)
        try:
            async for request in iterator:
                if not await self._is_taken(self._call.write(request)):
                    return
            await self._is_taken(self._call.done_writing())
        except BaseException as error:
            self.failure = error if isinstance(error, Exception) else None
            self._call.cancel()
            if self.failure is None:
                raise
        finally:
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()

    async def _is_taken(self, sending: Coroutine[Any, Any, None]) -> bool:
        try:
            await sending
        except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError):
            return False
        return True


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("the call has not ended")
