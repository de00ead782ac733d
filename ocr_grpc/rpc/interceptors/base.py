"""Wraps all four kinds of RPC once, so that an interceptor is only what happens around a call."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

from ocr_grpc.rpc.interceptors.received import Received, decoding

# Generic only in the stub files of grpc.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Call:
    """The call an interceptor stands around."""

    method: str
    """Such as `/ocr_grpc.v1.OcrService/Extract`."""
    context: Context


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Base of all interceptors: subclasses write `around`, a context manager that yields once."""

    def around(self, call: Call) -> AbstractAsyncContextManager[None]:
        """Return what happens before and after the call. Exceptions of the call pass through it."""
        raise NotImplementedError

    async def intercept_service(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        continuation: Callable[[grpc.HandlerCallDetails], "Awaitable[Handler | None]"],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the handler of the call with `around` about it.

        `continuation` returns before the call runs, so it is the handler that must be wrapped.
        """
        handler = await continuation(handler_call_details)
        if handler is None:
            return None  # grpc answers UNIMPLEMENTED; its types do not know that this happens
        return _wrapped(handler, handler_call_details.method, self.around)


Around = Callable[[Call], AbstractAsyncContextManager[None]]


def _wrapped(handler: Any, method: str, around: Around) -> Handler:
    """Return a handler of the same arity; grpc's types know handlers only from outside."""
    if handler.response_streaming:
        behaviour = _streaming(
            handler.stream_stream or _taking(handler.unary_stream), method, around
        )
        make: Any = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
    else:
        behaviour = _unary(handler.stream_unary or _taking(handler.unary_unary), method, around)
        make = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
    return make(
        behaviour,
        request_deserializer=decoding(handler.request_deserializer, handler.request_streaming),
        response_serializer=handler.response_serializer,
    )


def _taking(behaviour: Callable[..., Any]) -> Callable[..., Any]:
    def call(received: Received, context: Context) -> Any:
        return behaviour(received.take(), context)

    return call


def _unary(behaviour: Callable[..., Awaitable[Any]], method: str, around: Around) -> Any:
    async def call(request: Any, context: Context) -> Any:
        async with around(Call(method, context)):
            return await behaviour(request, context)

    return call


def _streaming(behaviour: Callable[..., Any], method: str, around: Around) -> Any:
    async def call(request: Any, context: Context) -> AsyncGenerator[Any, None]:
        async with around(Call(method, context)):
            responses: AsyncGenerator[Any, None] | Awaitable[None] = behaviour(request, context)
            if inspect.isawaitable(responses):
                # Written with `context.write`, as grpc's own health servicer is.
                await responses
                return
            # Closed here and not whenever it is collected: its work must stop with the call.
            async with aclosing(responses) as open_responses:
                async for response in open_responses:
                    yield response

    return call
