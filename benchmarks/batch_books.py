"""The database of batches, read past the servers."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.batch_parts import Member

LEARN_SECONDS = 60.0

HELD = "SELECT chunk_id, attempt FROM batch_chunks WHERE state = 'running'"
QUEUED = "SELECT state, count(*) FROM batch_chunks GROUP BY state"
OPEN = "SELECT count(*) FROM usage WHERE status = 'OPEN'"
RESERVED = "SELECT coalesce(sum(reserved_pages), 0) FROM quotas"
CHARGED = "SELECT coalesce(sum(pages), 0) FROM usage"
USED = (
    "SELECT coalesce(sum(used_pages), 0) FROM quotas "
    "WHERE owner_id IN (SELECT quota_owner_id FROM usage)"  # keys have quotas of their own
)


class Books:
    """What both databases have in common.

    Attributes:
        embedded: whether there is one process alone.
        faults: what can be done to whom; a kind that stands twice comes twice as often.
        most_seconds: within which somebody must go on.
    """

    embedded = False
    faults: list[str]

    def __init__(self, most_seconds: float) -> None:
        self.most_seconds = most_seconds
        self._workers: dict[Member, str] = {}
        self._seen: set[str] = set()
        self._learning = asyncio.Lock()

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        raise NotImplementedError

    async def cut_off(self, dice: random.Random) -> None:
        """End a connection of one of the processes, whichever it is."""
        raise NotImplementedError

    async def running(self) -> set[tuple[int, int]]:
        """Return the chunks that are being worked on, with their attempts."""
        return {(row[0], row[1]) for row in await self.rows(HELD)}

    async def held_by(self, worker_id: str) -> set[tuple[int, int]]:
        """Return those that one process works on."""
        rows = await self.rows(f"{HELD} AND worker_id = '{worker_id}'")
        return {(row[0], row[1]) for row in rows}

    async def chunk_states(self) -> dict[str, int]:
        """Return how many chunks stand where."""
        return {row[0]: row[1] for row in await self.rows(QUEUED)}

    async def left_open(self) -> dict[str, int]:
        """Return what is open or reserved; empty if nothing is."""
        found = {"rows": await self._number(OPEN), "pages": await self._number(RESERVED)}
        return {name: count for name, count in found.items() if count}

    async def charged(self) -> tuple[int, int]:
        """Return the pages in the ledger and those in the quota."""
        return await self._number(CHARGED), await self._number(USED)

    def worker_of(self, member: Member) -> str:
        """Return under which id a process works on batches; empty if it is not known."""
        return self._workers.get(member, "")

    async def learn(self, member: Member) -> None:
        """Wait until a process that is being started has its id. One at a time starts then."""
        self._workers.pop(member, None)
        async with self._learning, asyncio.timeout(LEARN_SECONDS):
            await member.ready.wait()
            while True:
                newest = "SELECT worker_id FROM batch_workers ORDER BY start_time DESC LIMIT 1"
                rows = await self.rows(newest)
                if rows and rows[0][0] not in self._seen:
                    self._workers[member] = rows[0][0]
                    self._seen.add(rows[0][0])
                    return
                await asyncio.sleep(0.1)

    async def _number(self, query: str) -> int:
        return int((await self.rows(query))[0][0])


class SqliteBooks(Books):
    """A file."""

    embedded = True

    def __init__(self, path: Path, most_seconds: float) -> None:
        super().__init__(most_seconds)
        self.faults = ["kill serve"] * 5 + ["stop serve"]
        self._path = path

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See `Books`."""
        return await asyncio.to_thread(self._rows, query)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path, timeout=10)) as connection:
            return connection.execute(query).fetchall()


class PostgresqlBooks(Books):
    """A connection of its own, which is never cut off."""

    def __init__(self, connection: "asyncpg.Connection[Any]", most_seconds: float) -> None:
        super().__init__(most_seconds)
        self.faults = ["kill worker"] * 4 + ["kill serve"] * 2 + ["stop worker"] * 2
        self.faults += ["lost connection"] * 2
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, most_seconds: float) -> "AsyncIterator[PostgresqlBooks]":
        """Yield the books of a database."""
        connection = await asyncpg.connect(url)
        try:
            yield cls(connection, most_seconds)
        finally:
            await connection.close()

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See `Books`."""
        async with self._one_at_a_time:
            return [tuple(row) for row in await self._connection.fetch(query)]

    async def cut_off(self, dice: random.Random) -> None:
        """See `Books`."""
        others = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        if rows := await self.rows(others):
            await self.rows(f"SELECT pg_terminate_backend({dice.choice(rows)[0]})")
