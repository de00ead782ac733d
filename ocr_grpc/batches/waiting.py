"""Asks the tables which chunks wait and which are in flight, at a price that does not grow.

A hundred thousand chunks may wait. No query here looks at more than it returns: all follow the
index over state, user, priority and chunk.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.shares import Flight
from ocr_grpc.store.base import UtcTime
from ocr_grpc.store.batches import ChunkRow

IN_FLIGHT = ("queued", "running")

_ANY = select(ChunkRow.chunk_id).where(ChunkRow.state == "waiting").limit(1)

_FLYING = (
    select(
        ChunkRow.user_id,
        func.count(),
        func.avg(ChunkRow.weight),
        func.count().filter(ChunkRow.alone),
    )
    .where(ChunkRow.state.in_(IN_FLIGHT))
    .group_by(ChunkRow.user_id)
)

_USERS = text("""
    WITH RECURSIVE line(user_id) AS (
        SELECT min(user_id) FROM batch_chunks WHERE state = 'waiting' AND user_id > :after
        UNION ALL
        SELECT (
            SELECT min(user_id) FROM batch_chunks
            WHERE state = 'waiting' AND user_id > line.user_id
        )
        FROM line WHERE line.user_id IS NOT NULL
    )
    SELECT user_id FROM line WHERE user_id IS NOT NULL LIMIT :most
""")
"""A step through the index for each user; DISTINCT would look at every chunk."""


_FIRST = """
    SELECT * FROM (
        SELECT chunk_id FROM batch_chunks
        WHERE state = 'waiting' AND user_id = :user_id AND priority = {}
            AND (run_after IS NULL OR run_after <= :now) AND (:with_alone OR NOT alone)
        ORDER BY chunk_id LIMIT :most
    ) AS p{}
"""
# Each priority by itself, as the index is not in the order of both together.
_READY = f"""
    SELECT chunk_id, alone, weight, attempt FROM batch_chunks
    WHERE state = 'waiting'
        AND chunk_id IN ({" UNION ALL ".join(_FIRST.format(each, each) for each in (2, 1, 0))})
    ORDER BY priority DESC, chunk_id LIMIT :most
"""  # noqa: S608 - nothing from outside
_NOW = bindparam("now", type_=UtcTime)
_READY_SQLITE = text(_READY).bindparams(_NOW)
# Who has some of them locked is about to cancel them.
_READY_POSTGRESQL = text(_READY + "FOR UPDATE SKIP LOCKED").bindparams(_NOW)

_QUEUE = text("""
    UPDATE batch_chunks SET state = 'queued', progress_time = :now WHERE chunk_id IN :chunk_ids
""").bindparams(_NOW, bindparam("chunk_ids", expanding=True))


@dataclass(frozen=True, slots=True)
class WaitingChunk:
    """A chunk that could be handed out."""

    chunk_id: int
    alone: bool
    weight: float
    attempt: int


async def anything_waits(session: AsyncSession) -> bool:
    """Return whether there is anything to hand out, now or later."""
    return await session.scalar(_ANY) is not None


async def in_flight(session: AsyncSession) -> tuple[dict[str, Flight], bool]:
    """Return what users have in flight, and whether a chunk that runs alone is among it."""
    rows = (await session.execute(_FLYING)).all()
    flying = {user_id: Flight(count, float(weight)) for user_id, count, weight, _ in rows}
    return flying, any(alone for *_, alone in rows)


async def users_waiting(session: AsyncSession, after: str, most: int) -> list[str]:
    """Return users with chunks that wait, in the order of their ids, beginning after one of them.

    At the end it begins anew, so that everybody comes first in turn.
    """
    found = list((await session.execute(_USERS, {"after": after, "most": most})).scalars())
    if len(found) < most and after:
        again = await session.execute(_USERS, {"after": "", "most": most - len(found)})
        found += [user_id for user_id in again.scalars() if user_id <= after]
    return found


async def chunks_ready(
    session: AsyncSession, user_id: str, most: int, now: datetime, with_alone: bool
) -> list[WaitingChunk]:
    """Return the next chunks of a user that need not wait any longer, and lock them.

    Args:
        session: in a transaction that writes.
        user_id: whose.
        most: how many.
        now: by the clock of the database.
        with_alone: whether they may run alone.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    asked = {"user_id": user_id, "most": most, "now": now, "with_alone": with_alone}
    rows = await session.execute(_READY_SQLITE if is_sqlite else _READY_POSTGRESQL, asked)
    return [WaitingChunk(*row) for row in rows]


async def mark_queued(session: AsyncSession, chunk_ids: list[int], now: datetime) -> None:
    """Note that chunks, locked before, are on their way."""
    await session.execute(_QUEUE, {"chunk_ids": chunk_ids, "now": now})


async def chunks_without_progress(
    session: AsyncSession, before: datetime, most: int
) -> list[tuple[int, bool]]:
    """Return chunks in flight of which nothing was heard since, and whether they run alone."""
    still = (
        select(ChunkRow.chunk_id, ChunkRow.alone)
        .where(ChunkRow.state.in_(IN_FLIGHT), ChunkRow.progress_time < before)
        .order_by(ChunkRow.progress_time, ChunkRow.chunk_id)
        .limit(most)
    )
    return [(chunk_id, alone) for chunk_id, alone in await session.execute(still)]
