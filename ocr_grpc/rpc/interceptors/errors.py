"""Answers every error of a call with a status that a caller can act on, and with nothing else."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import structlog

from ocr_grpc.errors import OcrError
from ocr_grpc.rpc.caller import current_caller, with_left
from ocr_grpc.rpc.errors import InternalError
from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor
from ocr_grpc.rpc.status import DETAILS_KEY, code_of, status_of
from ocr_grpc.telemetry.call_record import current_call

log = structlog.get_logger()

RETRY_AFTER_KEY = "retry-after"
"""Seconds, for HTTP; `RetryInfo` says the same in the status."""

PUSHBACK_KEY = "grpc-retry-pushback-ms"
"""Milliseconds after which gRPC's own retries, where a caller's service config asks for any, come
again; -1 ends them. See gRFC A6."""

MAX_PUSHBACK_SECONDS = 20.0
"""Whoever must wait longer shall hear it, not wait for it."""


class ErrorInterceptor(CallInterceptor):
    """Turns domain errors into their status; logs all others whole and answers `INTERNAL`."""

    def __init__(self, refused: Callable[[str], None] = lambda _: None) -> None:
        """Take what counts the reasons."""
        super().__init__()
        self._refused = refused

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Translate what the call raises."""
        try:
            yield
        except OcrError as error:
            self._refused(error.reason)
            await _abort(call, error)
        except (grpc.aio.AbortError, grpc.aio.UsageError):
            raise  # already answered
        except NotImplementedError:
            await call.context.abort(grpc.StatusCode.UNIMPLEMENTED, "Not implemented.")
        except Exception:
            # Left alone, grpc would send the text of the exception to the caller.
            log.exception("unexpected_error", method=call.method)
            self._refused(InternalError.reason)
            await _abort(call, InternalError())


async def _abort(call: Call, error: OcrError) -> None:
    current_call().facts["reason"] = error.reason
    if call.incoming:
        await call.incoming.linger()
    retry_after_seconds: float | None = getattr(error, "retry_after_seconds", None)
    retry_after = () if retry_after_seconds is None else (str(math.ceil(retry_after_seconds)),)
    trailing = (
        *with_left(call.context, current_caller()),
        *((RETRY_AFTER_KEY, value) for value in retry_after),
        *((PUSHBACK_KEY, value) for value in _pushback(call, error, retry_after_seconds)),
        (DETAILS_KEY, status_of(error).SerializeToString()),
    )
    await call.context.abort(code_of(error), error.message, trailing)


def _pushback(call: Call, error: OcrError, delay_seconds: float | None) -> tuple[str, ...]:
    """Return when it is worth to send the call again; nothing where the caller may decide."""
    if delay_seconds is None:
        return ("-1",) if code_of(error) is grpc.StatusCode.RESOURCE_EXHAUSTED else ()
    left_seconds: Any = call.context.time_remaining()  # None without a deadline
    bound = min(MAX_PUSHBACK_SECONDS, math.inf if left_seconds is None else left_seconds)
    return (str(math.ceil(delay_seconds * 1000)),) if delay_seconds < bound else ("-1",)
