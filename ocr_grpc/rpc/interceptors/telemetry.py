"""Gives each call a request id, a log line, and a place in the metrics."""

import re
import secrets
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter

import structlog

from ocr_grpc.rpc.caller import Caller, address_of, set_current_caller
from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor
from ocr_grpc.rpc.origin import origin_of
from ocr_grpc.rpc.status import status_name
from ocr_grpc.settings_http import Network
from ocr_grpc.telemetry.call_metrics import CallMetrics, Method
from ocr_grpc.telemetry.call_record import CallRecord, set_current_call

log = structlog.get_logger()

REQUEST_ID_KEY = "x-request-id"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")
_QUIET = ("/grpc.health.v1.Health/", "/grpc.reflection.")


class TelemetryInterceptor(CallInterceptor):
    """Opens the record of a call; logs and counts it when the call is over."""

    def __init__(
        self, trusted_networks: Sequence[Network] = (), metrics: CallMetrics | None = None
    ) -> None:
        """Take what it needs.

        Args:
            trusted_networks: of sidecars, whose word about their callers is believed.
            metrics: what counts calls.
        """
        super().__init__()
        self._trusted = trusted_networks
        self._metrics = metrics

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Time the call and log its end, whatever it is."""
        origin = origin_of(call.context, self._trusted)
        record = CallRecord(call.method, _request_id(call), caller=origin.peer)
        set_current_call(record)
        address = address_of(origin.peer)
        set_current_caller(Caller(address, record.request_id, retry_id=origin.retry_id))
        call.context.set_trailing_metadata(((REQUEST_ID_KEY, record.request_id),))
        method = Method(call.method, _kind(call))
        if self._metrics:
            self._metrics.began(method)
        began = perf_counter()
        cancelled = False
        try:
            yield
        except (CancelledError, GeneratorExit):
            cancelled = True
            raise
        finally:
            seconds = perf_counter() - began
            status = "CANCELLED" if cancelled else status_name(call.context)
            if self._metrics:
                received = call.incoming.received if call.incoming else 1
                self._metrics.ended(method, status, seconds, received, call.sent)
            write = log.debug if call.method.startswith(_QUIET) else log.info
            write(
                "call",
                method=call.method,
                status=status,
                duration_ms=round(seconds * 1000, 1),
                request_id=record.request_id,
                caller=record.caller,
                **record.facts,
            )


def _kind(call: Call) -> str:
    """Return what kind of RPC it is, as it is labelled."""
    if call.incoming:
        return "bidi_stream" if call.streams_answers else "client_stream"
    return "server_stream" if call.streams_answers else "unary"


def _request_id(call: Call) -> str:
    """Return the caller's own id, if it cannot forge a log line, else a new one."""
    for key, value in call.context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return secrets.token_hex(12)
