"""How much of batches waits to be read."""

from dataclasses import dataclass

from sqlalchemy import func, select

from ocr_grpc.store.batches import UNDER_WAY, BatchRow, ChunkRow
from ocr_grpc.store.database import Database


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits at a moment, over all servers.

    Attributes:
        chunks: not ended and not being read.
        age_seconds: since the oldest batch that is under way was made; 0: there is none.
    """

    chunks: int
    age_seconds: float


async def read_backlog(database: Database) -> Backlog:
    """Return what waits now.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    async with database.read() as session:
        now = await database.now(session)
        waiting = ChunkRow.state.in_(("waiting", "queued"))
        chunks = await session.execute(select(func.count()).select_from(ChunkRow).where(waiting))
        under_way = BatchRow.state.in_(UNDER_WAY), BatchRow.delete_time.is_(None)
        oldest = await session.execute(select(func.min(BatchRow.create_time)).where(*under_way))
        made = oldest.scalar_one()
        return Backlog(chunks.scalar_one(), (now - made).total_seconds() if made else 0.0)
