"""What an extraction tells whoever counts the pages."""

from typing import Protocol

from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.events import Event, PageFinished, Started


class Meter(Protocol):
    """Counts the pages of one extraction; `metered.LedgerMeter` charges them."""

    async def reserve(self, started: Started, pages: list[range]) -> None:
        """Put the pages aside before the work begins, or refuse it by raising."""
        ...

    async def charge(self, page: PageFinished) -> None:
        """Charge a page; when this returns the charge is durable and the event may leave."""
        ...

    def delivered(self, event: Event) -> None:
        """Notice that an event is on its way to the caller."""
        ...

    async def settle(self, error: OcrError | None) -> None:
        """Say that the extraction ended, and how. What was put aside and not charged is free again.

        Called before the last event leaves, and once more when all is over; the first call counts.
        """
        ...

    async def abandon(self) -> None:
        """Say that the caller has hung up. Pages whose text was on its way are charged."""
        ...
