"""Tells every process on one database that something changed.

On PostgreSQL the news is a NOTIFY in the transaction of the change, so it is sent exactly if the
change is. On SQLite there is one process, which tells itself after the commit.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg
import structlog
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ocr_grpc.store.database import WAIT_SECONDS, Database

log = structlog.get_logger()

RETRY_SECONDS = 1.0
CHECK_SECONDS = 0.4
"""How often the connection is asked whether it is still one: changes must hold within a second."""
ANSWER_SECONDS = 0.5

_asyncpg: Any = asyncpg  # most of its types are unknown

Listener = Callable[[str | None], None]
"""Called with the news, or None if some may have been missed."""


class News:
    """News of one kind. `start` it, then `subscribe`; `note` works without either."""

    def __init__(self, database: Database, channel: str) -> None:
        """Listen to nothing yet.

        Args:
            database: where processes meet.
            channel: the kind of news, a name for PostgreSQL.
        """
        self._database = database
        self._channel = channel
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._listening = database.is_sqlite

    @property
    def healthy(self) -> bool:
        """Whether news arrive. If not, what is remembered must not be trusted long."""
        return self._listening

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have a function called with every piece of news; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def note(self, session: AsyncSession, news: str) -> None:
        """Tell something, in the transaction that makes it true."""
        if self._database.is_sqlite:

            def committed(_: Session) -> None:
                self._tell(news)

            event.listen(session.sync_session, "after_commit", committed, once=True)
        else:
            await session.execute(
                text("SELECT pg_notify(:channel, :news)"),
                {"channel": self._channel, "news": news},
            )

    async def start(self) -> None:
        """Begin to listen; returns at once, `healthy` tells when news arrive."""
        if not self._database.is_sqlite:
            self._task = asyncio.create_task(self._listen_for_ever())

    async def close(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _tell(self, news: str | None) -> None:
        for listener in tuple(self._listeners):
            listener(news)

    def _heard(self, _connection: object, _pid: int, _channel: str, news: str) -> None:
        self._tell(news)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("news_not_heard", channel=self._channel, kind=type(error).__name__)
            finally:
                self._listening = False
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        url = self._database.url.set(drivername="postgresql")
        connection = await _asyncpg.connect(
            url.render_as_string(hide_password=False), timeout=WAIT_SECONDS
        )
        try:
            await connection.add_listener(self._channel, self._heard)
            self._listening = True
            self._tell(None)  # whatever happened while nobody listened
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                await connection.fetchval("SELECT 1", timeout=ANSWER_SECONDS)
        finally:
            connection.terminate()
