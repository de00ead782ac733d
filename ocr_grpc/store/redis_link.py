"""A connection to Redis that no call waits for: when it is gone, callers decide by themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

log = structlog.get_logger()

ANSWER_SECONDS = 0.25
"""What a question waits for an answer. A Redis nearby answers in less than a millisecond."""

RETRY_SECONDS = 1.0
"""How often a Redis that was gone is asked whether it is back."""

STEPS = 10
"""The wait is made of so many short ones, see `RedisLink._answered`."""

QUESTIONS_AT_ONCE = 8
"""More would only queue for this process's own CPU and look like a Redis that is slow."""

Answer = TypeVar("Answer")


class RedisGone(Exception):
    """Redis does not answer. Never shown to callers: each limiter has an answer of its own."""


class RedisLink:
    """Redis behind a breaker. Close it at the end."""

    def __init__(self, url: str, on_change: Callable[[bool], None]) -> None:
        """Open nothing yet.

        Args:
            url: such as `redis://host:6379/0`.
            on_change: called with True when Redis is gone, and with False when it is back.
        """
        pool: Any = redis.asyncio.ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            max_connections=QUESTIONS_AT_ONCE + 2,
            socket_timeout=None,  # `ask` has a deadline for all of it
            socket_connect_timeout=None,
            # Once more at once, for a pooled connection that the other side has closed meanwhile.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self.pool = pool
        self.client: Any = redis.asyncio.Redis(connection_pool=pool)
        self._on_change = on_change
        self._gone = False
        self._slots = asyncio.Semaphore(QUESTIONS_AT_ONCE)
        self._recovery: asyncio.Task[None] | None = None

    @property
    def gone(self) -> bool:
        """Whether Redis did not answer when it was last asked."""
        return self._gone

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer to a question, which may be put a second time if the first was lost.

        Raises:
            RedisGone: at once if Redis is known to be gone, else after 0.25 s at most.
        """
        if self._gone:
            raise RedisGone
        async with self._slots:
            if self._gone:  # it went while this waited for its turn
                raise RedisGone
            try:
                return await self._answered(question)
            except (RedisError, OSError, TimeoutError) as error:
                self._lost(error)
                raise RedisGone from error

    async def ping(self) -> None:
        """Ask Redis for nothing in particular, whatever the breaker says.

        Raises:
            RedisGone: it does not answer.
        """
        try:
            await self._answered(self.client.ping)
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)
            raise RedisGone from error

    async def close(self) -> None:
        """Close all connections."""
        if self._recovery:
            self._recovery.cancel()
            with suppress(asyncio.CancelledError):
                await self._recovery
        await self.client.aclose()
        await self.pool.aclose()

    async def _answered(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer, or raise `TimeoutError`.

        A server that is busy itself must not take that for a slow Redis: for a second it would
        count alone, and let too many calls through. So the clock stands still while the event loop
        does something else: each step is 25 ms or one round of the loop, whichever is longer.
        """
        loop = asyncio.get_running_loop()
        steps_left = STEPS

        def step() -> None:
            nonlocal steps_left, timer
            steps_left -= 1
            if steps_left:
                timer = loop.call_later(ANSWER_SECONDS / STEPS, step)
            else:
                deadline.reschedule(loop.time())

        async with asyncio.timeout(None) as deadline:
            timer = loop.call_later(ANSWER_SECONDS / STEPS, step)
            try:
                return await question()
            finally:
                timer.cancel()

    def _lost(self, error: Exception) -> None:
        if self._gone:
            return
        self._gone = True
        log.warning("redis_gone", kind=type(error).__name__)
        self._on_change(True)
        self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        while self._gone:
            await asyncio.sleep(RETRY_SECONDS)
            with suppress(RedisGone):
                await self.ping()
                self._gone = False
        log.info("redis_back")
        self._on_change(False)
