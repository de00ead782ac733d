"""Batches as rows, for tests of what works on them."""

from collections.abc import Sequence

from sqlalchemy import select

from ocr_grpc.accounts.principal import Limits, Principal, QuotaShare, Role
from ocr_grpc.extraction.kept_options import sealed_options
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.store.base import Base, new_id
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.sealing import Seal

SEAL = Seal(b"a secret that only tests have, of 32 bytes")


def person(pages_per_month: int = 0, user_id: str = "") -> Principal:
    user_id = user_id or new_id()
    share = QuotaShare(user_id, pages_per_month)
    return Principal(user_id, "ann", Role.USER, Limits(), share)


async def add_batch(
    database: Database, documents: int = 1, user_id: str = "ann", state: str = "queued", **fields
) -> tuple[BatchRow, list[ChunkRow]]:
    """Insert a batch with one chunk for each document, not opened yet; return it with them."""
    batch = BatchRow(
        batch_id=new_id(),
        user_id=user_id,
        options=sealed_options(SEAL, ExtractOptions()),
        retention_hours=24,
        documents=documents,
        **fields,
    )
    rows = [
        DocumentRow(
            document_id=new_id(),
            batch_id=batch.batch_id,
            user_id=user_id,
            number=number + 1,
            file_id=new_id(),
            file_name=f"{number + 1}.png",
        )
        for number in range(documents)
    ]
    chunks = [
        ChunkRow(batch_id=batch.batch_id, document_id=row.document_id, user_id=user_id, state=state)
        for row in rows
    ]
    async with database.write() as session:
        session.add(batch)
        await session.flush()
        session.add_all(rows)
        session.add_all(chunks)
    return batch, chunks


async def all_of(database: Database, kind: type[Base], *where, order=None) -> Sequence:
    """Return rows as they are now."""
    async with database.read() as session:
        asked = select(kind).where(*where)
        return (
            (await session.execute(asked if order is None else asked.order_by(order)))
            .scalars()
            .all()
        )


async def one_of(database: Database, kind: type[Base], *where):
    """Return the one row there is."""
    [row] = await all_of(database, kind, *where)
    return row
