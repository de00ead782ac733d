"""Tells every server that something about a user changed: role, limits, keys, sessions.

On PostgreSQL the news is a NOTIFY in the transaction of the change, so it is sent exactly if the
change is. On SQLite there is one server, which tells itself after the commit.
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

CHANNEL = "ocr_grpc_changes"
RETRY_SECONDS = 1.0
CHECK_SECONDS = 0.4
"""How often the connection is asked whether it is still one: changes must hold within a second."""
ANSWER_SECONDS = 0.5

_asyncpg: Any = asyncpg  # most of its types are unknown

Listener = Callable[[str | None], None]
"""Called with the id of the user, or None if news may have been missed."""


class Changes:
    """News about users. `start` it, then `subscribe`; `note` works without either."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._listening = database.is_sqlite

    @property
    def healthy(self) -> bool:
        """Whether news arrive. If not, what is remembered about users must not be trusted long."""
        return self._listening

    def subscribe(self, listener: Listener) -> None:
        """Have a function called with every piece of news."""
        self._listeners.append(listener)

    async def note(self, session: AsyncSession, user_id: str) -> None:
        """Say that something about a user changes, in the transaction that changes it."""
        if self._database.is_sqlite:

            def committed(_: Session) -> None:
                self._tell(user_id)

            event.listen(session.sync_session, "after_commit", committed, once=True)
        else:
            await session.execute(
                text("SELECT pg_notify(:channel, :user_id)"),
                {"channel": CHANNEL, "user_id": user_id},
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

    def _tell(self, user_id: str | None) -> None:
        for listener in self._listeners:
            listener(user_id)

    def _heard(self, _connection: object, _pid: int, _channel: str, user_id: str) -> None:
        self._tell(user_id)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("changes_not_heard", kind=type(error).__name__)
            finally:
                self._listening = False
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        url = self._database.url.set(drivername="postgresql")
        connection = await _asyncpg.connect(
            url.render_as_string(hide_password=False), timeout=WAIT_SECONDS
        )
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._listening = True
            self._tell(None)  # whatever happened while nobody listened
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                await connection.fetchval("SELECT 1", timeout=ANSWER_SECONDS)
        finally:
            connection.terminate()
