"""The quotas that a transaction touches: locked once, changed in memory, written at the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.metering import QuotaRow
from ocr_grpc.store.new_rows import insert_absent, table_of

OwnerPeriod: TypeAlias = tuple[str, str]
"""Who, and in which month."""


@dataclass(slots=True)
class Pages:
    """Pages of one owner in one month."""

    used: int = 0
    reserved: int = 0

    def left_of(self, limit: int) -> int:
        """Return how many more may be asked for."""
        return max(0, limit - self.used - self.reserved)


class QuotaBook:
    """Quotas that nobody else can change until the transaction ends."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._pages: dict[OwnerPeriod, Pages] = {}
        self._changed: set[OwnerPeriod] = set()

    async def lock(self, wanted: Iterable[OwnerPeriod]) -> None:
        """Read the quotas and keep others from them; once, with all that will be needed.

        All writers ask in one order, so none waits for one that waits for it.
        """
        keys = sorted(set(wanted))
        if not keys:
            return
        rows = [{"owner_id": owner, "period": period} for owner, period in keys]
        await insert_absent(self._session, QuotaRow, rows)
        statement = (
            select(QuotaRow.owner_id, QuotaRow.period, QuotaRow.used_pages, QuotaRow.reserved_pages)
            .where(tuple_(QuotaRow.owner_id, QuotaRow.period).in_(keys))
            .order_by(QuotaRow.owner_id, QuotaRow.period)
            .with_for_update()
        )
        for owner, period, used, reserved in await self._session.execute(statement):
            self._pages[owner, period] = Pages(used, reserved)

    def __getitem__(self, key: OwnerPeriod) -> Pages:
        return self._pages[key]

    def change(self, owner_ids: Iterable[str], period: str, used: int, reserved: int) -> None:
        """Add to what is used and reserved; negative values give back."""
        if not used and not reserved:
            return
        for owner_id in owner_ids:
            pages = self._pages[owner_id, period]
            pages.used = max(0, pages.used + used)
            pages.reserved = max(0, pages.reserved + reserved)
            self._changed.add((owner_id, period))

    async def write(self) -> None:
        """Write what was changed."""
        if not self._changed:
            return
        table = table_of(QuotaRow)
        statement = (
            update(table)
            .where(table.c.owner_id == bindparam("owner"), table.c.period == bindparam("month"))
            .values(used_pages=bindparam("used"), reserved_pages=bindparam("reserved"))
        )
        values = [
            {
                "owner": owner_id,
                "month": period,
                "used": self._pages[owner_id, period].used,
                "reserved": self._pages[owner_id, period].reserved,
            }
            for owner_id, period in sorted(self._changed)
        ]
        await self._session.execute(statement, values)
