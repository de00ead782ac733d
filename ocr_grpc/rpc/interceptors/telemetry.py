"""Gives each call a request id, a log line, a span, and a place in the metrics."""

import re
import secrets
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from time import perf_counter

import structlog
from grpc import StatusCode

from ocr_grpc.accounts.principal import Principal
from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.rpc.caller import Caller, address_of, set_current_caller
from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor
from ocr_grpc.rpc.origin import origin_of
from ocr_grpc.rpc.status import status_name
from ocr_grpc.settings_http import Network
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.call_metrics import CallMetrics, Method
from ocr_grpc.telemetry.call_record import CallRecord, current_call, set_current_call
from ocr_grpc.telemetry.scrubbing import scrubbed_text
from ocr_grpc.telemetry.tracing import Span, exemplar

log = structlog.get_logger()

REQUEST_ID_KEY = "x-request-id"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")
SERVERS_FAULT = (
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
)
"""What OpenTelemetry's conventions count as a failure of the server."""

_KINDS = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}
"""What kind of RPC it is, as it is labelled, by who streams: the caller, the server."""

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
        if metrics:
            metrics.expect(_public_methods())

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Time and trace the call, and log its end, whatever it is."""
        origin = origin_of(call.context, self._trusted)
        record = CallRecord(call.method, _request_id(call), caller=origin.peer)
        set_current_call(record)
        caller = Caller(address_of(origin.peer), record.request_id, retry_id=origin.retry_id)
        set_current_caller(caller)
        call.context.set_trailing_metadata(((REQUEST_ID_KEY, record.request_id),))
        method = Method(call.method, _kind(call))
        if self._metrics:
            self._metrics.began(method)
        began = perf_counter()
        status = ""
        with _span(call, record) as span:
            try:
                yield
            except (CancelledError, GeneratorExit):
                status = "CANCELLED"
                raise
            finally:
                seconds = perf_counter() - began
                status = status or status_name(call.context)
                _tell(span, status, record, caller.principal)
                if self._metrics:
                    received = call.incoming.received if call.incoming else 1
                    found = exemplar(span.trace_id)
                    self._metrics.ended(method, status, seconds, received, call.sent, found)
                _log(record, status, seconds, caller.principal, span.trace_id)

    async def before_first_response(self, call: Call) -> None:
        """Note when the first answer leaves."""
        record = current_call()
        record.first_message_ms = round((perf_counter() - record.began) * 1000, 1)


def _log(
    record: CallRecord, status: str, seconds: float, principal: Principal | None, trace_id: str
) -> None:
    """Write the one line of a call.

    Who, when, what and how long, and no more: nothing of documents, not even their names.
    """
    fields: dict[str, object] = {
        "method": record.method,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "request_id": record.request_id,
        "caller": record.caller,
    }
    if principal:
        fields["user"] = principal.user_name
        if principal.organization_id:
            fields["organization_id"] = principal.organization_id
        if principal.key:
            fields["key_id"] = principal.key.key_id
    if record.first_message_ms is not None:
        fields["first_message_ms"] = record.first_message_ms
    if trace_id:
        fields["trace_id"] = trace_id
    write = log.debug if record.method.startswith(_QUIET) else log.info
    write("call", **fields, **record.facts)


def _span(call: Call, record: CallRecord) -> AbstractContextManager[Span]:
    """Return the span of a call, named as OpenTelemetry's conventions for RPCs want it."""
    if not tracing.is_on() or call.method.startswith(_QUIET):
        return tracing.OFF
    name = call.method.removeprefix("/")
    service, _, rpc = name.rpartition("/")
    about = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": rpc}
    # The caller's own word, and perhaps a key of theirs; logs and reports scrub it by themselves.
    about["ocr.request_id"] = scrubbed_text(record.request_id)
    return tracing.span_of(call.context.invocation_metadata(), name, about, reports=False)


def _tell(span: Span, status: str, record: CallRecord, principal: Principal | None) -> None:
    if not tracing.is_on():
        return
    span.set({"rpc.grpc.status_code": StatusCode[status].value[0]})
    if principal:
        span.set({"enduser.id": principal.user_id})
    if reason := record.facts.get("reason"):
        span.set({"ocr.reason": str(reason)})
    if status in SERVERS_FAULT:
        span.failed(status)


def _kind(call: Call) -> str:
    return _KINDS[call.incoming is not None, call.streams_answers]


def _public_methods() -> Iterator[Method]:
    for service in SERVICES:
        for method in service.methods:
            kind = _KINDS[bool(method.client_streaming), bool(method.server_streaming)]
            yield Method(f"/{service.full_name}/{method.name}", kind)


def _request_id(call: Call) -> str:
    """Return the caller's own id, if it cannot forge a log line, else a new one."""
    for key, value in call.context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return secrets.token_hex(12)
