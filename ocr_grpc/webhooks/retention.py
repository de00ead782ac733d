"""How long webhooks' messages stay."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ocr_grpc.store.database import Database
from ocr_grpc.store.retention import Portion
from ocr_grpc.webhooks.deliveries import MOST_OF_A_SWEEP, sweep


class OldDeliveries:
    """Messages that are over, and webhooks of users who were deleted."""

    kinds: Sequence[str] = ("webhook_deliveries",)

    def __init__(self, database: Database, delivered: timedelta, failed: timedelta) -> None:
        """Take how long messages stay that were delivered, and those that were not."""
        self._database = database
        self._delivered = delivered
        self._failed = failed

    async def remove(self, now: datetime) -> Portion:
        """See `Rule`."""
        async with self._database.write() as session:
            count = await sweep(session, now, self._delivered, self._failed)
        return Portion({self.kinds[0]: count}, more=count >= MOST_OF_A_SWEEP)

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`; no more than one step removes."""
        async with self._database.write() as session:
            count = await sweep(session, now, self._delivered, self._failed)
            await session.rollback()
        return {self.kinds[0]: count}
