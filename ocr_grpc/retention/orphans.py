"""Finds documents in the blob store that no row leads to.

Rows are written before their documents and deleted after them, so there are none, unless somebody
restored an older database, or lost rows by hand.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from ocr_grpc.store.batches import FileRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.resumption import KeptExtractionRow
from ocr_grpc.store.retention import Portion

GRACE = timedelta(days=1)
"""How old a document must be: the clock of a store may be another one."""


class Orphans:
    """A `Rule`: documents that no row leads to."""

    kinds: Sequence[str] = ("orphans",)

    def __init__(self, database: Database, blobs: Blobs, every: timedelta = timedelta(0)) -> None:
        """Take both sides; `every`: how long to wait before the store is listed again."""
        self._database = database
        self._blobs = blobs
        self._every = every
        self._next: datetime | None = None

    async def remove(self, now: datetime) -> Portion:
        """See `Rule`."""
        if self._next and now < self._next:
            return Portion()
        removed = 0
        async for keys in self._blobs.listed(now - GRACE):
            orphans = await self._orphans(keys)
            await self._blobs.delete(orphans)
            removed += len(orphans)
        self._next = now + self._every
        return Portion({self.kinds[0]: removed})

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`."""
        count = 0
        async for keys in self._blobs.listed(now - GRACE):
            count += len(await self._orphans(keys))
        return {self.kinds[0]: count}

    async def _orphans(self, keys: Sequence[str]) -> list[str]:
        """Return keys that are of no file and of no extraction."""
        files = select(FileRow.file_id).where(FileRow.file_id.in_(keys))
        streams = select(KeptExtractionRow.extraction_id)
        streams = streams.where(KeptExtractionRow.extraction_id.in_(keys))
        async with self._database.read() as session:
            known = {*await session.scalars(files), *await session.scalars(streams)}
        return [key for key in keys if key not in known]
