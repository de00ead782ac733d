"""Many callers at a time, each with its own dice: what they call, how they behave, when."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from benchmarks.load.caller import SLOW_SECONDS, Caller, Doors, Sent
from benchmarks.load.corpus import Corpus, LoadDocument
from benchmarks.load.history import Recorder
from benchmarks.load.lasting import rest, resumable
from benchmarks.load.watchers import whole_batch

SUMMARY_SECONDS = 10.0
LAST_SECONDS = 300.0
"""What calls that are under way at the end get to end."""

MOST_AGAIN = 20
"""How often a call under a request id is made again until it is answered."""

WEIGHTS = {
    "extract": 20,
    "stream": 25,
    "upload": 10,
    "rest": 15,
    "resumable": 12,
    "slow": 5,
    "twice": 5,
    "batch": 3,
}
"""How often which kind of call is made, beside the others."""

LEAVING, HURRYING, WITH_REQUEST_ID, FROM_CACHE = 0.12, 0.06, 0.5, 0.1
"""Shares of the calls that are hung up, that have a short deadline, and so on."""


@dataclass(frozen=True)
class Plan:
    """How much load, and which.

    Attributes:
        users: names of users and their API keys.
        doors: where the service is.
        corpus: what is read.
        seconds: how long calls are begun.
        calls_per_second: of all callers together.
        seed: makes two runs choose the same.
        prefix: of all ids, so that several runs on one database are told apart.
        weights: how often which kind of call is made.
    """

    users: Sequence[tuple[str, str]]
    doors: Doors
    corpus: Corpus
    seconds: float
    calls_per_second: float = 4.0
    seed: int = 1
    prefix: str = "load"
    weights: dict[str, int] = field(default_factory=lambda: dict(WEIGHTS))


class Load:
    """The callers at work. `run` it once."""

    def __init__(self, plan: Plan, recorder: Recorder) -> None:
        self._plan, self._recorder = plan, recorder
        self._stop = asyncio.Event()
        self.ends: Counter[tuple[str, str]] = Counter()
        self.under_way = 0

    def stop(self) -> None:
        """Begin no more calls."""
        self._stop.set()

    async def run(self) -> None:
        """Call until the time is over, and wait for what is under way then."""
        plan = self._plan
        async with AsyncExitStack() as stack:
            callers: list[Caller] = []
            for number, (user, key) in enumerate(plan.users):
                dice = random.Random(f"{plan.seed} {number}")
                caller = Caller(
                    user, key, plan.doors, plan.corpus, self._recorder, dice, plan.prefix
                )
                callers.append(await stack.enter_async_context(caller))
            calling = [asyncio.create_task(self._call_on(caller)) for caller in callers]
            telling = asyncio.create_task(self._tell())
            try:
                await asyncio.wait([asyncio.create_task(self._stop.wait())], timeout=plan.seconds)
                self._stop.set()
                _, late = await asyncio.wait(calling, timeout=LAST_SECONDS)
                for task in (*late, telling):  # the validator tells of calls that never ended
                    task.cancel()
                await asyncio.gather(*calling, return_exceptions=True)
            finally:
                for task in (*calling, telling):
                    task.cancel()
                await asyncio.gather(*calling, telling, return_exceptions=True)
        for task in calling:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _call_on(self, caller: Caller) -> None:
        dice, pace = caller.dice, self._plan.calls_per_second / len(self._plan.users)
        kinds, weights = list(self._plan.weights), list(self._plan.weights.values())
        background: set[asyncio.Task[None]] = set()
        while not self._stop.is_set():
            kind = dice.choices(kinds, weights)[0]
            task = asyncio.create_task(self._made(kind, caller))
            background.add(task)
            pause = asyncio.create_task(self._stop.wait())
            await asyncio.wait([pause], timeout=min(20.0, dice.expovariate(pace)))
            pause.cancel()
            # A caller has two calls under way at most, and batches beside them.
            while sum(not task.done() for task in background) > 1 and kind != "batch":
                await asyncio.wait(background, return_when=asyncio.FIRST_COMPLETED)
                for done in [task for task in background if task.done()]:
                    background.discard(done)
                    done.result()
        await asyncio.gather(*background)

    async def _made(self, kind: str, caller: Caller) -> None:
        self.under_way += 1
        try:
            await self._make(kind, caller)
        finally:
            self.under_way -= 1

    async def _make(self, kind: str, caller: Caller) -> None:
        """Make one call as the dice have it, and again under its request id if it failed."""
        if kind == "batch":
            sent = Sent(self._recorder.new_call(), caller.corpus.small()[0])
            self.ends[kind, await whole_batch(caller, sent)] += 1
            return
        sent = self._dressed(kind, caller)
        if kind == "twice":
            again = replace(sent, name=caller.begin("extract", sent.document.name, sent.request_id))
            ends = await asyncio.gather(caller.stream(sent), caller.extract(again))
            self.ends.update((kind, end) for end in ends)
            return
        for attempt in range(MOST_AGAIN):
            if attempt:
                name = caller.begin(kind, sent.document.name, sent.request_id)
                sent = replace(sent, name=name)
            end = await _way(kind)(caller, sent)
            self.ends[kind, end] += 1
            passing = end in ("UNAVAILABLE", "BROKEN", "RESOURCE_EXHAUSTED")
            if not (sent.request_id and passing) or kind == "resumable" or self._stop.is_set():
                return
            await asyncio.sleep(caller.dice.uniform(0.5, 2))

    def _dressed(self, kind: str, caller: Caller) -> Sent:
        """Return a call of a kind, with whatever else its caller does to it."""
        dice = caller.dice
        documents = list(caller.corpus.documents.values())
        if kind in ("extract", "stream", "slow", "twice"):
            documents = caller.corpus.small()
        document: LoadDocument = dice.choices(documents, [each.weight for each in documents])[0]
        request_id = ""
        # Where nobody heard `started`, all is sent again, and that must not cost twice.
        if kind in ("resumable", "twice") or dice.random() < WITH_REQUEST_ID:
            request_id = f"{caller.prefix}-{caller.user}-{dice.getrandbits(48):012x}"
        told_kind = "stream" if kind == "twice" else kind
        sent = Sent(caller.begin(told_kind, document.name, request_id), document, request_id)
        if kind == "slow":
            sent.pause_seconds = SLOW_SECONDS
        elif dice.random() < LEAVING:
            sent.cancel_seconds = dice.uniform(0, 2)
        elif dice.random() < HURRYING:
            sent.deadline_seconds = dice.uniform(0.1, 2)
        sent.skip_cache = dice.random() >= FROM_CACHE
        return sent

    async def _tell(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(SUMMARY_SECONDS)
            good = sum(count for (_, end), count in self.ends.items() if end == "OK")
            others = Counter[str]()
            for (_, end), count in self.ends.items():
                others[end] += count if end != "OK" else 0
            rest_of_them = ", ".join(f"{count} {end}" for end, count in sorted((+others).items()))
            seconds = time.monotonic() - began
            words = f"     {seconds:4.0f} s: {good} OK, {rest_of_them or 'no other'}"
            print(f"{words}; {self.under_way} under way", flush=True)


Way = Callable[[Caller, Sent], Awaitable[str]]


def _way(kind: str) -> Way:
    ways: dict[str, Way] = {
        "extract": Caller.extract,
        "stream": Caller.stream,
        "slow": Caller.stream,
        "upload": Caller.upload,
        "resumable": resumable,
        "rest": rest,
    }
    return partial(ways[kind])
