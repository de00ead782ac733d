"""Settles the documents of one answer together: all are charged as it leaves, or none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.metered import LedgerMeter


class PartMeter(LedgerMeter):
    """The meter of one document of an answer. How it ends is up to `settled_together`."""

    async def settle(self, error: OcrError | None) -> None:
        """Leave the row open: other documents may follow, and fail."""

    async def abandon(self) -> None:
        """Leave the row open."""


@asynccontextmanager
async def settled_together() -> AsyncGenerator[list[PartMeter], None]:
    """Yield a list for the meters of an answer, and settle them once the answer is ready.

    Each document has its row in the ledger, and all end alike. A block that is left with an error
    charges nothing.

    Raises:
        LedgerUnavailable: the pages cannot be charged, so the answer must not leave.
    """
    parts: list[PartMeter] = []
    try:
        yield parts
        await asyncio.gather(*(part.charge_held() for part in parts))
    except OcrError as error:
        await asyncio.gather(*(part.fail(error) for part in parts))
        raise
    except Exception:
        await _close(parts, "INTERNAL", "INTERNAL")
        raise
    except BaseException:
        await _close(parts, "CANCELLED")
        raise
    await _close(parts, "OK")


async def _close(parts: list[PartMeter], status: str, reason: str = "") -> None:
    await asyncio.gather(*(part.close(status, reason) for part in parts))
