"""Sends the messages that are due, a few at a time. Any number of senders share a database.

Each message is sent at least once. One that was sent and could not be recorded, because its sender
was killed in between, is sent again with the same `webhook-id`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.errors import InvalidOption
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable, SealBroken
from ocr_grpc.store.sealing import Seal
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.webhooks.attempts import Due, Ending, due_rows, record, switch_off, take_due
from ocr_grpc.webhooks.load import Load
from ocr_grpc.webhooks.messages import headers_of
from ocr_grpc.webhooks.posting import Answer, Poster
from ocr_grpc.webhooks.webhook_rows import WAITING, signing_secrets

log = structlog.get_logger()

POLL_SECONDS = 1.5
GRACE_SECONDS = 3.0

Now = Callable[[AsyncSession], Awaitable[datetime]]


class Sender:
    """The sender of a process. `start` it, `wake` it when something is due, then `close`."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        poster: Poster,
        metrics: Metrics | None = None,
        now: Now | None = None,
        poll_seconds: float = POLL_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Send nothing yet.

        Args:
            database: where the messages are.
            seal: opens the secrets that sign them.
            poster: sends them.
            metrics: told what became of them.
            now: says what is due; None: the time of the database.
            poll_seconds: how often to look, beside being woken.
            grace_seconds: what attempts under way have when it is closed.
        """
        self._database = database
        self._seal = seal
        self._poster = poster
        self._metrics = metrics or Metrics()
        self._now = now or database.now
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._under_way: dict[asyncio.Task[None], Due] = {}
        self._load = Load()

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._send_for_ever())

    async def close(self) -> None:
        """Stop; attempts under way have some seconds. What is not recorded is sent again."""
        if not self._task:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        tasks = list(self._under_way)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def wake(self) -> None:
        """Say that something may be due; for after the commit that makes it so."""
        self._woken.set()

    async def _send_for_ever(self) -> None:
        while True:
            self._woken.clear()
            try:
                for due in await self._take():
                    task = asyncio.create_task(self._send(due))
                    self._under_way[task] = due
                    self._load.begin(due.webhook)
                    task.add_done_callback(self._ended)
            except DatabaseUnavailable:
                self._metrics.database_errors.inc()
            except Exception as error:
                # Nobody else sends what this one does not: go on, whatever it was.
                self._metrics.database_errors.inc()
                log.error("webhooks_not_taken", error=str(getattr(error, "orig", error))[:200])
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._load.end(self._under_way.pop(task).webhook)
        self.wake()  # there is room again

    async def _take(self) -> list[Due]:
        if self._load.room <= 0:
            return []
        async with self._database.read() as session:
            now = await self._now(session)
            some = due_rows(now, self._load).limit(1)
            if (await session.execute(some)).first() is None:
                return []  # most of the time; nobody is kept from writing
        async with self._database.write() as session:
            return await take_due(session, now, self._load)

    async def _send(self, due: Due) -> None:
        began = asyncio.get_running_loop().time()
        answer = await self._answer(due)
        seconds = asyncio.get_running_loop().time() - began
        self._metrics.webhook_attempts.labels(answer.outcome).inc()
        ending = Ending(answer.status, answer.problem, seconds)
        try:
            await self._record(due, answer, ending)
        except DatabaseUnavailable:
            self._metrics.database_errors.inc()  # it is sent again when its lease is over
        except Exception as error:
            self._metrics.database_errors.inc()
            log.error("webhook_not_recorded", error=str(getattr(error, "orig", error))[:200])

    async def _record(self, due: Due, answer: Answer, ending: Ending) -> None:
        async with self._database.write() as session:
            now = await self._now(session)
            state = await record(session, due, ending, now)
        self._load.answered(due.webhook.webhook_id, at_all=bool(answer.status), now=now)
        if answer.status == HTTPStatus.GONE:
            async with self._database.write() as session:
                await switch_off(session, due.webhook)
        if answer.problem:
            said = log.info if state == WAITING else log.warning
            said(
                "webhook_attempt_failed",
                webhook_id=due.webhook.webhook_id,
                delivery_id=due.delivery_id,
                attempt=due.attempt,
                outcome=answer.outcome,
                status=answer.status,
                state=state,
            )

    async def _answer(self, due: Due) -> Answer:
        try:
            signing = signing_secrets(due.webhook, self._seal, due.take_time)
            headers = headers_of(due.delivery_id, due.body, signing, utc_now())
            return await self._poster.post(due.webhook.url, headers, due.body)
        except InvalidOption as error:
            return Answer("not_allowed", problem=error.message)
        except SealBroken as error:
            log.error("webhook_secret_unreadable", webhook_id=due.webhook.webhook_id)
            return Answer("unsigned", problem=error.message)
        except Exception as error:
            # An attempt must end, or its place would be gone for the others.
            log.error("webhook_attempt_broke", kind=type(error).__name__)
            return Answer("broken", problem="Something went wrong in this server.")
