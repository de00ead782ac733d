"""Charges a later part of an extraction, whose earlier part may not have let go of its pages."""

import asyncio
from time import monotonic

from ocr_grpc.extraction.events import Started
from ocr_grpc.extraction.metered import LedgerMeter
from ocr_grpc.metering.errors import QuotaExceeded

PATIENCE_SECONDS = 25.0
"""What a server that was killed keeps pages put aside: its lease, and the sweep after it."""

RETRY_SECONDS = 0.5


class ResumedMeter(LedgerMeter):
    """The meter of a later part."""

    async def reserve(self, started: Started, pages: list[range]) -> None:
        """Put the pages that are left aside; see `LedgerMeter.reserve`.

        They may be put aside still, by the part before: a quota that is not enough is asked again.
        """
        end = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await super().reserve(started, pages)
            except QuotaExceeded:
                if monotonic() > end:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return
