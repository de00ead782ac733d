"""The ledger and the batches as the database has them, read past the servers."""

import asyncio
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select

from ocr_grpc.store.batches import DocumentRow, PageRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, QuotaRow, RequestPageRow, UsageRow

BOOKS_NAME = "books.json"

QUIET_SECONDS = 120.0
"""What killed servers left open is closed when their lease of 15 s is over."""

Row = dict[str, Any]


@dataclass
class Books:
    """Rows, each as its columns, of what the validator looks at.

    Attributes:
        usage: the ledger.
        quotas: pages of each owner, used and reserved.
        request_pages: pages that were paid under a request id.
        batch_documents: documents of batches.
        batch_pages: how many pages each of those has, and how many different ones.
    """

    usage: list[Row] = field(default_factory=list[Row])
    quotas: list[Row] = field(default_factory=list[Row])
    request_pages: list[Row] = field(default_factory=list[Row])
    batch_documents: list[Row] = field(default_factory=list[Row])
    batch_pages: list[Row] = field(default_factory=list[Row])

    @classmethod
    def read(cls, folder: Path) -> "Books":
        """Return the books that were kept in a folder."""
        return cls(**json.loads((folder / BOOKS_NAME).read_text()))

    def keep(self, folder: Path) -> None:
        """Write them to a folder."""
        (folder / BOOKS_NAME).write_text(json.dumps(asdict(self)))


async def read_books(url: str) -> Books:
    """Wait until nothing is open any more, two minutes at most, and return what there is."""
    database = Database(url)
    try:
        await _quiet(database)
        async with database.read() as session:

            async def rows(statement: Select[Any]) -> list[Row]:
                return [dict(row) for row in (await session.execute(statement)).mappings()]

            usage, document = UsageRow, DocumentRow
            return Books(
                usage=await rows(
                    select(
                        usage.call_id,
                        usage.user_id,
                        usage.key_id,
                        usage.method,
                        usage.status,
                        usage.reason,
                        usage.pages,
                        usage.pages_reserved,
                        usage.quota_owner_id,
                        usage.extraction_id,
                    )
                ),
                quotas=await rows(
                    select(QuotaRow.owner_id, QuotaRow.used_pages, QuotaRow.reserved_pages)
                ),
                request_pages=await rows(
                    select(
                        RequestPageRow.user_id,
                        RequestPageRow.request_id,
                        RequestPageRow.page_number,
                    )
                ),
                batch_documents=await rows(
                    select(
                        document.batch_id,
                        document.document_id,
                        document.number,
                        document.state,
                        document.reason,
                        document.page_count,
                        document.pages_ok,
                        document.pages_degraded,
                        document.pages_failed,
                    )
                ),
                batch_pages=await rows(
                    select(PageRow.document_id, func.count().label("pages")).group_by(
                        PageRow.document_id
                    )
                ),
            )
    finally:
        await database.close()


async def _quiet(database: Database) -> None:
    patience = time.monotonic() + QUIET_SECONDS
    open_rows = select(func.count()).select_from(UsageRow).where(UsageRow.status == OPEN)
    while time.monotonic() < patience:
        async with database.read() as session:
            if not (await session.execute(open_rows)).scalar_one():
                return
        await asyncio.sleep(1)
