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


PACKAGE = "/ocr_grpc.v1."


def short_name(method: str) -> str:
    """Return an RPC as people write it, such as `OcrService/Extract`."""
    return method.removeprefix(PACKAGE)


@dataclass(frozen=True, slots=True)
class Call:
    """The call an interceptor stands around."""

    method: str
    """Such as `/ocr_grpc.v1.OcrService/Extract`."""
    context: Context


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Base of all interceptors: subclasses write `around`, a context manager that yields once."""

    def __init__(self) -> None:
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    def around(self, call: Call) -> AbstractAsyncContextManager[None]:
        """Return what happens before and after the call. Exceptions of the call pass through it."""
        raise NotImplementedError

    async def before_first_response(self, call: Call) -> None:
        """Do something when the call turns out to have an answer; called before it leaves."""

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
        method = handler_call_details.method
        # Wrapped once and not at every call: there are as many as there are methods.
        inner, wrapped = self._wrapped.get(method, (None, None))
        if inner is not handler or wrapped is None:
            wrapped = _wrapped(handler, method, self)
            self._wrapped[method] = (handler, wrapped)
        return wrapped


def _wrapped(handler: Any, method: str, interceptor: CallInterceptor) -> Handler:
    """Return a handler of the same arity; grpc's types know handlers only from outside."""
    if handler.response_streaming:
        behaviour = _streaming(
            handler.stream_stream or _taking(handler.unary_stream), method, interceptor
        )
        make: Any = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
    else:
        behaviour = _unary(
            handler.stream_unary or _taking(handler.unary_unary), method, interceptor
        )
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


def _unary(
    behaviour: Callable[..., Awaitable[Any]], method: str, interceptor: CallInterceptor
) -> Any:
    async def handle(request: Any, context: Context) -> Any:
        call = Call(method, context)
        async with interceptor.around(call):
            response = await behaviour(request, context)
            await interceptor.before_first_response(call)
            return response

    return handle


def _streaming(behaviour: Callable[..., Any], method: str, interceptor: CallInterceptor) -> Any:
    async def handle(request: Any, context: Context) -> AsyncGenerator[Any, None]:
        call = Call(method, context)
        async with interceptor.around(call):
            responses: AsyncGenerator[Any, None] | Awaitable[None] = behaviour(request, context)
            if inspect.isawaitable(responses):
                # Written with `context.write`, as grpc's own health servicer is.
                await responses
                return
            # Closed here and not whenever it is collected: its work must stop with the call.
            first = True
            async with aclosing(responses) as open_responses:
                async for response in open_responses:
                    if first:
                        await interceptor.before_first_response(call)
                        first = False
                    yield response

    return handle
