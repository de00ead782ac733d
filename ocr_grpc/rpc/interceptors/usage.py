"""Writes one row into the ledger for each call, and tells callers what they have left."""

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Container
from contextlib import asynccontextmanager
from datetime import datetime
from time import perf_counter

from ocr_grpc.metering.entries import CallEntry
from ocr_grpc.metering.errors import RateLimited
from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.rpc.caller import Caller, current_caller, left_of, with_left
from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor, short_name
from ocr_grpc.rpc.status import status_name
from ocr_grpc.store.base import utc_now
from ocr_grpc.telemetry.call_record import current_call


class UsageInterceptor(CallInterceptor):
    """Opens an empty record; the inner parts fill it in; it is written whatever happens."""

    def __init__(self, ledger: Ledger, counted: Container[str]) -> None:
        """Take the ledger, and the methods that get a row: health and reflection do not."""
        super().__init__()
        self._ledger = ledger
        self._counted = counted

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Write down how the call ended."""
        if call.method not in self._counted:
            yield
            return
        # Held, because the end may run in another task, where there is no current call.
        record, caller = current_call(), current_caller()
        create_time, began = utc_now(), perf_counter()
        status = ""
        try:
            yield
        except (CancelledError, GeneratorExit):
            status = "CANCELLED"
            raise
        finally:
            status = status or status_name(call.context)
            seconds = perf_counter() - began
            reason = str(record.facts.get("reason", ""))
            if caller.meter and caller.meter.has_row:
                # A net: whoever reads pages has closed it already, before the last words left.
                await caller.meter.close(status, reason)
            elif caller.principal or reason != RateLimited.reason:
                # Rows of strangers are as many as their address may make calls, and no more.
                self._ledger.record(_entry(call, caller, status, reason, create_time, seconds))
            if status == "OK":
                call.context.set_trailing_metadata(with_left(call.context, caller))

    async def before_first_response(self, call: Call) -> None:
        """Send what is left with the first message: over REST, successes show no other metadata.

        Never earlier: a call that is refused after its headers were sent cannot get its HTTP code.
        """
        left = left_of(current_caller())
        if left:
            await call.context.send_initial_metadata(tuple(left.items()))


def _entry(
    call: Call, caller: Caller, status: str, reason: str, create_time: datetime, seconds: float
) -> CallEntry:
    principal = caller.principal
    return CallEntry(
        method=short_name(call.method),
        status=status,
        reason=reason,
        duration_seconds=seconds,
        user_id=principal.user_id if principal else None,
        organization_id=principal.organization_id if principal else None,
        key_id=principal.key.key_id if principal and principal.key else None,
        call_id=caller.call_id,
        create_time=create_time,
    )
