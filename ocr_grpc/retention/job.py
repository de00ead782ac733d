"""The one job that removes what is over. Of all servers on one database one does it at a time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic

import structlog

from ocr_grpc.errors import OcrError
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.retention import JobLease, Rule
from ocr_grpc.store.wal import truncate_wal
from ocr_grpc.telemetry.retention_metrics import RetentionMetrics

log = structlog.get_logger()

JOB = "retention"
LEASE = timedelta(seconds=60)
"""How long the job rests when the process that does it dies."""

RENEW_SECONDS = 15.0
PORTIONS_OF_A_RULE = 20
"""In one round, so that a rule with much to do does not keep the others waiting."""

PAUSE_SECONDS = 1.0
"""The least between two rounds."""

STOP_SECONDS = 5.0
"""What stopping waits for the database."""


class RetentionJob:
    """Applies rules, again and again. `start` it, `close` it at the end."""

    def __init__(
        self,
        database: Database,
        rules: Sequence[Rule],
        metrics: RetentionMetrics,
        interval_seconds: float = 30.0,
    ) -> None:
        """Start nothing yet.

        Args:
            database: where the rows are, and the lease.
            rules: what goes when, in this order.
            metrics: told what went.
            interval_seconds: between two rounds, unless there is more to do.
        """
        self._database = database
        self._rules = rules
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._lease = JobLease(database, JOB, new_id(), LEASE)
        self._renewed = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        metrics.expect(kind for rule in rules for kind in rule.kinds)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run_for_ever())

    async def close(self) -> None:
        """Stop; what is left is removed later, by any server."""
        if not self._task:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        with suppress(DatabaseUnavailable, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._lease.give_back()

    def wake(self) -> None:
        """Have the next round begin now: something was deleted."""
        self._wake.set()

    async def run_once(self) -> bool:
        """Do one round, if no other server does it; return whether there is more to do now.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        now = await self._lease.take()
        if now is None:
            self._note(await self._lease.last_success())
            return False
        self._renewed = monotonic()
        done = await apply(self._rules, now, self._portion_done)
        if any(done.removed.values()):
            log.info("retention_removed", **{k: n for k, n in done.removed.items() if n})
        # What is deleted, by whomever, stays in the log of SQLite until that is written anew. In
        # every round: somebody who reads may have been in the way in the last one.
        await truncate_wal(self._database)
        if not done.failed:
            await self._lease.succeeded()
        self._note(await self._lease.last_success())
        return done.more

    async def _portion_done(self, removed: Mapping[str, int]) -> None:
        self._metrics.removed(removed)
        if monotonic() - self._renewed > RENEW_SECONDS:
            await self._lease.take()
            self._renewed = monotonic()

    def _note(self, success: datetime | None) -> None:
        if success:
            self._metrics.succeeded(success.timestamp())

    async def _run_for_ever(self) -> None:
        while True:
            more = False
            try:
                more = await self.run_once()
            except DatabaseUnavailable:
                pass  # logged where it was met
            except Exception as error:
                # Without this nothing would ever be removed again: go on, whatever it was.
                log.error("retention_failed", error=str(getattr(error, "orig", error))[:200])
            await asyncio.sleep(PAUSE_SECONDS)
            if not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, self._interval_seconds - PAUSE_SECONDS)):
                        await self._wake.wait()
            self._wake.clear()


class Round:
    """What one round did.

    Attributes:
        removed: how much of each kind.
        more: whether there is more to do now.
        failed: how many rules could not do all that was theirs.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self.removed: Counter[str] = Counter()
        self.more = False
        self.failed = 0


async def apply(
    rules: Sequence[Rule],
    now: datetime,
    portion_done: Callable[[Mapping[str, int]], object],
    portions: int = PORTIONS_OF_A_RULE,
) -> Round:
    """Apply rules one after the other; one that fails holds up no other.

    Args:
        rules: what goes when.
        now: the time of the database.
        portion_done: told what went, after each transaction or few; may return an awaitable.
        portions: of one rule at most.
    """
    done = Round()
    for rule in rules:
        try:
            for _ in range(portions):
                portion = await rule.remove(now)
                done.removed.update(portion.removed)
                done.failed += portion.failed > 0
                told = portion_done(portion.removed)
                if asyncio.iscoroutine(told):
                    await told
                if not portion.more:
                    break
            else:
                done.more = True
        except OcrError as error:
            done.failed += 1
            log.warning("retention_rule_failed", kind=rule.kinds[0], reason=error.reason)
        except Exception as error:
            done.failed += 1
            cause = str(getattr(error, "orig", error))[:200]
            log.error("retention_rule_failed", kind=rule.kinds[0], error=cause)
    if done.failed and not any(done.removed.values()):
        done.more = False  # at once it would only fail again
    return done
