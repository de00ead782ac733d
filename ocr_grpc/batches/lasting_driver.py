"""A connection for PgQueuer that is made anew when it is lost.

PgQueuer takes a lost connection for the end: it waits for what runs, which may be a minute, without
a sign of life to others, and stops. Over this one it goes on, and chunks under way with it: only
statements wait until the database is back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import Relay
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import NotifyCallback

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,  # it stops, or starts
    asyncpg.InsufficientResourcesError,  # it has too many connections
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until the address leads elsewhere
)
"""After these the same statement may do on a new connection. All of PgQueuer's may run twice."""


class LastingDriver:
    """A `Driver` of PgQueuer. Set `shutdown` to have it give up; `close` it at the end."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        """Connect when asked for the first time.

        Args:
            connect: opens a connection of asyncpg that does not wait for ever for an answer.
        """
        self._connect = connect
        self._connection: Any = None
        self._listeners: list[tuple[str, NotifyCallback]] = []
        self._lock = asyncio.Lock()
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()

    @property
    def shutdown(self) -> asyncio.Event:
        """Return what makes it give up."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """Return the tasks of the driver; it has none."""
        return self._tasks

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Return the rows of a query."""
        return [dict(row) for row in await self._ask("fetch", query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement."""
        return await self._ask("execute", query, *args)

    async def notify(self, channel: str, payload: str) -> None:
        """Send a NOTIFY."""
        await self._ask("execute", "SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Have a function called with the payloads of a channel, over whatever connection."""
        self._listeners.append((channel, callback))
        await self._ask("add_listener", channel, Relay(callback))

    async def __aenter__(self) -> Self:
        """Return itself; it is opened when asked."""
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Close the connection, without a word to the other side."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _ask(self, method: str, *args: object) -> Any:
        pause = FIRST_PAUSE_SECONDS
        async with self._lock:
            while True:
                try:
                    return await getattr(await self._connected(), method)(*args)
                except LOST as error:
                    if self._shutdown.is_set() or not self._is_lost(error):
                        raise
                    if self._connection is not None:
                        log.warning("dispatcher_connection_lost", kind=type(error).__name__)
                    self.close()
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _is_lost(self, error: Exception) -> bool:
        """Tell a lost connection from a mistake: asyncpg has one kind of error for both."""
        is_open = self._connection is not None and not self._connection.is_closed()
        return not (is_open and isinstance(error, asyncpg.InterfaceError))

    async def _connected(self) -> Any:
        if self._connection is None:
            connection = await self._connect()
            try:
                for channel, callback in self._listeners:
                    await connection.add_listener(channel, Relay(callback))
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection
