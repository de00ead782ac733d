"""When a page has taken too long, and whose fault that is: the page's, or the worker's."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from ocr_grpc.engines.errors import PageDropped, PageTimedOut, WorkerLost


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What a page may take beside the time that the engine has for it, in seconds.

    Attributes:
        begin: until the engine turns to it.
        others: how many pages may be read before it there, each for as long as it may take itself.
        slack: beyond the time for the page, so that a worker with workers of its own, which knows
            better what is wrong, is the first to say so.
        answer: until the worker has said that it is there, once it is asked.
        not_begun: what it means if the engine does not turn to it.
    """

    begin: float
    others: int
    slack: float
    answer: float
    not_begun: type[WorkerLost]

    def begin_seconds(self, page_seconds: float) -> float:
        """Return how long a page may wait for the engine."""
        return self.begin + self.others * (page_seconds + self.slack)


PROBE_SECONDS = 10.0
"""A worker that has not turned to a page for so long is asked whether it is there."""

# A worker process is given one page at a time: it turns to it at once, or when the engine has left
# the one before, which was cancelled.
ON_THIS_MACHINE = Deadlines(begin=30.0, others=0, slack=0.0, answer=5.0, not_begun=WorkerLost)

# The page may wait for another one there. Its other pages go on. A question may stand behind the
# pixels of other pages; meanwhile the machine tells its load every five seconds.
ON_ANOTHER_MACHINE = Deadlines(begin=30.0, others=1, slack=15.0, answer=8.0, not_begun=PageDropped)


class PageClock:
    """Ends the call of a page that takes too long, once it has asked whether the worker is there.

    An engine that is slow, or that never ends, has a worker that answers: that is the page's fault.
    A worker that does not answer is stopped, or its machine is: the page can be read elsewhere.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        page_seconds: float,
        answers: Callable[[], Awaitable[bool]],
        end_call: Callable[[], object],
    ) -> None:
        self._deadlines = deadlines
        self._page_seconds = page_seconds
        self._answers = answers
        self._end_call = end_call
        self._begun = asyncio.Event()
        self._moved = False
        self.verdict: PageTimedOut | WorkerLost | None = None
        """Why the call was ended; None while it was not."""
        self._task = asyncio.create_task(self._run())

    @property
    def began(self) -> bool:
        """Whether the engine turned to the page."""
        return self._begun.is_set()

    def begin(self) -> None:
        """Say that the engine turned to the page; from now on its time counts."""
        self._begun.set()

    def move(self) -> None:
        """Say that something of the page has left: the engine cannot turn to it before all has."""
        self._moved = True

    def stop(self) -> None:
        """Say that the call is over."""
        self._task.cancel()

    async def _run(self) -> None:
        try:
            self.verdict = await self._late_begin()
            if self.verdict is None:
                await asyncio.sleep(self._page_seconds + self._deadlines.slack)
                self.verdict = await self._judged()
        finally:
            self._end_call()  # even if asking fails in a new way: nobody else ends it

    async def _late_begin(self) -> WorkerLost | None:
        """Wait until the engine turns to the page; return why it is to be waited for no longer.

        The time counts from the last pixels on: how fast they must come, the machine says.
        """
        begin_seconds = left_seconds = self._deadlines.begin_seconds(self._page_seconds)
        while left_seconds > 0:
            pause_seconds = min(PROBE_SECONDS, self._page_seconds, left_seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._begun.wait(), pause_seconds)
                return None
            if self._moved:
                self._moved, left_seconds = False, begin_seconds
                continue
            left_seconds -= pause_seconds
            if not await self._answers():
                return WorkerLost("The worker does not answer.")
        return self._deadlines.not_begun("The worker did not turn to the page.")

    async def _judged(self) -> PageTimedOut | WorkerLost:
        if await self._answers():
            return PageTimedOut(
                f"The engine took longer than {self._page_seconds:g} s over this page.",
                timeout_seconds=self._page_seconds,
            )
        return WorkerLost("The worker does not answer.", began=True)
