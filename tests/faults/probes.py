"""Calls that are made all the time, one of each kind, to see when the service is back."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.load.caller import Caller, Sent
from benchmarks.load.lasting import rest
from benchmarks.load.watchers import make_batch, watch

PROBE_SECONDS = 15.0
"""The deadline of a probe."""


KINDS = ("extract", "rest", "image", "batch")

MOST_WAITING = 4
"""Probes of a kind at a time: more would be the load that they are to look through."""


@dataclass(frozen=True)
class Answered:
    """A probe that was answered well: when it was sent, and when its answer was there."""

    kind: str
    began: float
    ended: float


@dataclass
class Probes:
    """One caller who asks for a small document again and again, in every way.

    `image` is what an engine must read; the others have their text with them.
    """

    caller: Caller
    every_seconds: float = 0.5
    image_seconds: float = 2.0
    batch_seconds: float = 4.0
    answered: list[Answered] = field(default_factory=list[Answered])
    _waiting: Counter[str] = field(default_factory=Counter[str])
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    async def run(self, over: asyncio.Event) -> None:
        """Ask until told that it is over, and wait for the answers."""
        kinds: dict[str, tuple[float, Callable[[], Awaitable[str]]]] = {
            "extract": (0.0, self._extract),
            "rest": (0.0, self._rest),
            "image": (self.image_seconds, self._image),
            "batch": (self.batch_seconds, self._batch),
        }
        last = dict.fromkeys(kinds, 0.0)
        while not over.is_set():
            for kind, (pause, way) in kinds.items():
                if time.monotonic() - last[kind] >= pause:
                    last[kind] = time.monotonic()
                    self._ask(kind, way)
            await asyncio.wait([asyncio.create_task(over.wait())], timeout=self.every_seconds)
        await asyncio.gather(*self._tasks)

    async def unanswered(self, since: float, seconds: float) -> list[str]:
        """Wait until questions of each kind that were put since then are answered well.

        Returns:
            The kinds of which none was in so many seconds.
        """
        given_up = time.monotonic() + seconds
        while True:
            missing = set(KINDS) - {each.kind for each in self.answered if each.began >= since}
            if not missing or time.monotonic() > given_up:
                return sorted(missing)
            await asyncio.sleep(self.every_seconds)

    def recovery(self, began: float, ended: float) -> dict[str, float]:
        """Return the seconds from the end of a fault to the first good answer of each kind.

        Of a fault that lasted, questions put meanwhile count as well, as they waited for its end;
        not those of its first second, which may have been answered before it took hold.
        """
        since = min(ended, began + 1)
        found: dict[str, float] = {}
        for each in self.answered:
            if each.began >= since and each.ended >= ended:
                seconds = each.ended - ended
                found[each.kind] = min(seconds, found.get(each.kind, seconds))
        return found

    def _ask(self, kind: str, way: Callable[[], Awaitable[str]]) -> None:
        if self._waiting[kind] >= MOST_WAITING:
            return
        self._waiting[kind] += 1

        async def asked() -> None:
            began = time.monotonic()
            try:
                status = await way()
            finally:
                self._waiting[kind] -= 1
            if status == "OK":
                self.answered.append(Answered(kind, began, time.monotonic()))

        task = asyncio.create_task(asked())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()

    def _sent(self, kind: str, name: str = "text-3") -> Sent:
        document = self.caller.corpus.documents[name]
        name = self.caller.begin(kind, document.name)
        return Sent(name, document, deadline_seconds=PROBE_SECONDS)

    async def _extract(self) -> str:
        return await self.caller.extract(self._sent("extract"))

    async def _image(self) -> str:
        return await self.caller.extract(self._sent("extract", "image"))

    async def _rest(self) -> str:
        return await rest(self.caller, self._sent("rest"))

    async def _batch(self) -> str:
        document = self.caller.corpus.documents["text-3"]
        request_id = f"{self.caller.prefix}-probe-{time.time_ns():x}"
        batch_id = await make_batch(self.caller, [document], request_id)
        if batch_id:
            await watch(self.caller, batch_id)
        return "OK" if batch_id else "FAILED"
