"""Makes calls over gRPC: adds credentials, renews a token once, turns failures into `OcrError`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import betterproto2
import grpc.aio

from .credentials import TOKEN_EXPIRED, Credentials, Metadata
from .errors import OcrError, from_rpc_error

Response = TypeVar("Response", bound=betterproto2.Message)


class GrpcCaller:
    """Makes calls on a channel, which is opened by the first of them.

    gRPC retries by itself as its service config says. Deadlines come from there too; `timeout`, in
    seconds, can only make them shorter. Every call may be cancelled: streams by closing them.
    """

    def __init__(
        self, open_channel: Callable[[], grpc.aio.Channel], credentials: Credentials
    ) -> None:
        """Take what opens the channel, because that must happen in the event loop of the calls."""
        self.credentials = credentials
        self._open_channel = open_channel
        self._channel: grpc.aio.Channel | None = None
        self._closed = False

    async def close(self) -> None:
        """Close the channel; calls that are under way are cancelled."""
        self._closed = True
        if self._channel:
            await self._channel.close()

    async def unary_unary(
        self,
        path: str,
        request: betterproto2.Message,
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
        *,
        credentials: Credentials | None = None,
    ) -> Response:
        """Make a call with one request and one response."""
        credentials = credentials or self.credentials
        method = self._open().unary_unary(path, bytes, response.FromString)
        shown = await credentials.metadata()
        try:
            return await self._answer(
                method(request, timeout=timeout, metadata=(*shown, *metadata))
            )
        except OcrError as error:
            if error.reason != TOKEN_EXPIRED or not await credentials.renew(shown):
                raise
        shown = await credentials.metadata()
        return await self._answer(method(request, timeout=timeout, metadata=(*shown, *metadata)))

    async def unary_stream(
        self,
        path: str,
        request: betterproto2.Message,
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> AsyncGenerator[Response, None]:
        """Make a call with one request and a stream of responses."""
        method = self._open().unary_stream(path, bytes, response.FromString)
        for renewed in (False, True):
            shown = await self.credentials.metadata()
            call = method(request, timeout=timeout, metadata=(*shown, *metadata))
            began = False
            try:
                async with aclosing(_responses(call)) as responses:
                    async for each in responses:
                        began = True
                        yield each
                return
            except OcrError as error:
                if began or renewed or error.reason != TOKEN_EXPIRED:
                    raise
                if not await self.credentials.renew(shown):
                    raise

    async def stream_unary(
        self,
        path: str,
        request: AsyncIterable[betterproto2.Message],
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> Response:
        """Make a call with a stream of requests and one response.

        A stream of requests cannot be sent again: where the token turns out to be expired it is
        renewed for the next call, and this one fails.
        """
        method = self._open().stream_unary(path, bytes, response.FromString)
        shown = await self.credentials.metadata()
        call = method(timeout=timeout, metadata=(*shown, *metadata))
        sender = asyncio.create_task(_send(call, request))
        try:
            return await self._answer(call)
        except asyncio.CancelledError:
            await _raise_failure_of(sender)
            raise
        except OcrError as error:
            await self._renew_if_expired(error, shown)
            raise
        finally:
            await _end(sender)

    async def stream_stream(
        self,
        path: str,
        request: AsyncIterable[betterproto2.Message],
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> AsyncGenerator[Response, None]:
        """Make a call with streams both ways. Expired tokens are as in `stream_unary`."""
        method = self._open().stream_stream(path, bytes, response.FromString)
        shown = await self.credentials.metadata()
        call = method(timeout=timeout, metadata=(*shown, *metadata))
        sender = asyncio.create_task(_send(call, request))
        try:
            async with aclosing(_responses(call)) as responses:
                async for each in responses:
                    yield each
        except asyncio.CancelledError:
            await _raise_failure_of(sender)
            raise
        except OcrError as error:
            await self._renew_if_expired(error, shown)
            raise
        finally:
            await _end(sender)

    def _open(self) -> grpc.aio.Channel:
        if self._closed:
            raise RuntimeError("The client is closed.")
        if self._channel is None:
            self._channel = self._open_channel()
        return self._channel

    async def _answer(self, call: Any) -> Any:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def _renew_if_expired(self, error: OcrError, shown: Metadata) -> None:
        if error.reason == TOKEN_EXPIRED:
            await self.credentials.renew(shown)


async def _responses(call: Any) -> AsyncGenerator[Any, None]:
    """Yield the responses of a call; cancel it where the reader stops."""
    try:
        async for response in call:
            yield response
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
    finally:
        call.cancel()  # changes nothing in a call that has ended


async def _send(call: Any, requests: AsyncIterable[Any]) -> None:
    """Send requests as fast as the other side takes them.

    A source that fails cancels the call, so that whoever waits for responses wakes up. A call that
    has ended takes no more requests; its status says why.
    """
    iterator = aiter(requests)
    try:
        async for request in iterator:
            await call.write(request)
        await call.done_writing()
    except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError):
        return
    except BaseException:
        call.cancel()
        raise
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


async def _raise_failure_of(sender: "asyncio.Task[None]") -> None:
    """Raise what a source failed with, if that is why the call was cancelled."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return  # somebody cancelled the reader
    await asyncio.wait([sender])
    if not sender.cancelled() and (failure := sender.exception()):
        raise failure


async def _end(sender: "asyncio.Task[None]") -> None:
    sender.cancel()
    await asyncio.wait([sender])
    if not sender.cancelled():
        sender.exception()  # seen; else asyncio would complain of it
