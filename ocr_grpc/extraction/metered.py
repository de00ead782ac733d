"""Charges the pages of an extraction to whoever asked for it."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from time import monotonic

from ocr_grpc.accounts.principal import Principal
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.events import (
    Delta,
    Event,
    PageFinished,
    PageOutcome,
    Retract,
    Started,
    Usage,
)
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.metering.charge import NO_PAGES, Charge
from ocr_grpc.metering.entries import PageUsage, Reservation
from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.store.base import utc_now

SETTLE_SECONDS = 0.5
"""What the last word of a call that failed waits for its row to be closed."""


@dataclass(frozen=True, slots=True)
class MeteredCall:
    """The call an extraction is charged under.

    Attributes:
        method: the RPC, such as `OcrService/Extract`.
        call_id: as in `x-request-id`.
        request_id: what makes a repetition free. Empty: nothing does.
        fingerprint: stands for the document and the options. Only with `request_id`.
    """

    principal: Principal
    method: str
    call_id: str
    request_id: str = ""
    fingerprint: bytes = b""
    create_time: datetime = field(default_factory=utc_now)


class LedgerMeter:
    """The meter of one extraction; see `Meter`."""

    def __init__(
        self,
        ledger: Ledger,
        call: MeteredCall,
        status_of: Callable[[OcrError], str],
        streamed: bool = True,
    ) -> None:
        """Take what is needed.

        Args:
            ledger: where to charge.
            call: who is charged.
            status_of: names the status of an error.
            streamed: whether pages reach the caller one by one; else all at the end, or none.
        """
        self._ledger = ledger
        self._call = call
        self._status_of = status_of
        self._began = monotonic()
        self._under_way: dict[int, PageUsage] = {}
        """Pages of which text was sent, but not their end."""
        self._held: dict[int, PageUsage] = {}
        """Pages that are charged at the end, because they reach the caller no sooner."""
        self._streamed = streamed
        self._charge: Charge | None = None

    @property
    def has_row(self) -> bool:
        """Whether the call has its row in the ledger: from the reservation on."""
        return self._charge is not None

    @property
    def remaining_pages(self) -> int | None:
        """Pages left this month, as last seen. None if that is not known, or there is no limit."""
        return self._charge.remaining_pages if self._charge else None

    async def reserve(self, started: Started, pages: list[range]) -> None:
        """Put the pages aside.

        Raises:
            QuotaExceeded: fewer are left.
            RequestIdReused: the id stands for something else.
            LedgerUnavailable: it cannot be written down.
        """
        call = self._call
        self._charge = await self._ledger.reserve(
            Reservation(
                principal=call.principal,
                pages=tuple(pages),
                method=call.method,
                kind=started.kind.value,
                call_id=call.call_id,
                extraction_id=started.extraction_id,
                request_id=call.request_id,
                fingerprint=call.fingerprint,
                create_time=call.create_time,
            )
        )

    async def charge(self, page: PageFinished) -> None:
        """Charge a page, durably; one that failed costs nothing.

        Raises:
            LedgerUnavailable: it cannot be written down, so the page must not leave.
        """
        if self._charge is None:
            return
        if page.outcome is PageOutcome.FAILED:
            self._charge.failed_page()
        elif self._streamed:
            await self._charge.page(page.page_number, page_usage(page.usage))
        else:
            self._held[page.page_number] = page_usage(page.usage)

    def delivered(self, event: Event) -> None:
        """Keep account of the pages of which text is on its way."""
        if not self._streamed:
            return
        match event:
            case Delta():
                sent = self._under_way.get(event.page_number, PageUsage())
                more = PageUsage(completion_chars=len(event.text))
                self._under_way[event.page_number] = sent + more
            case Retract() if event.offset == 0:
                self._under_way.pop(event.page_number, None)
            case PageFinished():
                self._under_way.pop(event.page_number, None)
            case _:
                pass

    async def settle(self, error: OcrError | None) -> None:
        """Close the row.

        Raises:
            LedgerUnavailable: pages that were to be charged at the end cannot be.
        """
        if error is None:
            await self.charge_held()
            await self.close("OK", "")
        else:
            await self.fail(error)

    async def fail(self, error: OcrError) -> None:
        """Close the row with an error, unless it is closed.

        Whoever ends the call by giving up the credential, or by resuming it, has hung up.
        """
        partial = self._under_way if error.by_caller else NO_PAGES
        # The last word must not wait long for a slow database; the ledger goes on by itself.
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self.close(self._status_of(error), error.reason, partial)

    async def charge_held(self) -> None:
        """Charge the pages that reach the caller at the end, which is now.

        Raises:
            LedgerUnavailable: they cannot be charged.
        """
        if self._charge:
            charge = self._charge
            await asyncio.gather(*(charge.page(page, used) for page, used in self._held.items()))
            self._held.clear()

    async def close(
        self, status: str, reason: str, partial_pages: Mapping[int, PageUsage] = NO_PAGES
    ) -> None:
        """Close the row if nothing else did."""
        if self._charge:
            seconds = monotonic() - self._began
            await self._charge.close(status, reason, seconds, partial_pages)

    async def abandon(self) -> None:
        """Close the row of a caller who hung up, charging the pages whose text was on its way."""
        await self.close("CANCELLED", "", self._under_way)


async def fingerprint_of(document: Path, options: ExtractOptions) -> bytes:
    """Return 32 bytes that stand for a document and the way it is to be read."""

    def digest() -> bytes:
        with document.open("rb") as file:
            content = hashlib.file_digest(file, "sha256")
        content.update("\n".join(_chosen(options)).encode())
        return content.digest()

    return await asyncio.to_thread(digest)


def _chosen(options: ExtractOptions) -> Iterator[str]:
    """Yield what was chosen. No defaults: an option that is added later must not change it."""
    for each in fields(options):
        value = getattr(options, each.name)
        if value != each.default:
            yield f"{each.name}={value!r}"


def page_usage(usage: Usage) -> PageUsage:
    """Return what a page consumed, for the ledger."""
    return PageUsage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.prompt_chars,
        usage.completion_chars,
        usage.input_bytes,
    )
