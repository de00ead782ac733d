"""One trial: load, probes and samples beside a schedule of faults, and the judgement of it all."""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.load.books import read_books
from benchmarks.load.caller import Caller
from benchmarks.load.corpus import Corpus, corpus
from benchmarks.load.findings import Finding
from benchmarks.load.generator import Load, Plan
from benchmarks.load.history import History, Recorder
from benchmarks.load.learning import learn, make_users
from benchmarks.load.validate import findings, told
from tests.faults.faults import Fault, faults_of
from tests.faults.parts import Part
from tests.faults.probes import Probes
from tests.faults.resources import Resources
from tests.faults.stage import Stage

BOUND_SECONDS = 5.0
"""Within which the service is back after PostgreSQL or Redis are."""

BOUND_BY = ("PostgreSQL", "Redis")
BOUND_KINDS = ("extract", "rest")

BACK_SECONDS = 120.0
"""Within which all kinds of calls are answered again after the last fault: parts start anew."""

LEFT_SECONDS = 60.0
"""What processes that a killed part left behind get to notice, and files to go."""


@dataclass(frozen=True)
class Happened:
    """A fault that was done, with the moments of its begin and end."""

    fault: str
    whom: str
    began: float
    ended: float


@dataclass
class Trial:
    """What is under load and what is done to it. Make it by `opened`."""

    stage: Stage
    plan: Plan
    recorder: Recorder
    probes: Probes
    resources: Resources
    dice: random.Random
    happened: list[Happened] = field(default_factory=list[Happened])
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def folder(self) -> Path:
        """Where history and books are."""
        return self.stage.folder

    async def run(self, schedule: "AsyncIterator[Fault]") -> None:
        """Have callers call while faults of a schedule are done, and judge what they saw."""
        load, over = Load(self.plan, self.recorder), asyncio.Event()
        calling = asyncio.create_task(load.run())
        probing = asyncio.create_task(self.probes.run(over))
        sampling = asyncio.create_task(self.resources.run())
        doing: set[asyncio.Task[None]] = set()
        try:
            async for fault in schedule:
                if calling.done():
                    break
                task = asyncio.create_task(self.do(fault))
                doing.add(task)
            await asyncio.gather(*doing)
            load.stop()
            await calling
            await self._judge_back()
            over.set()
            await probing
        finally:
            for task in (calling, probing, sampling, *doing):
                task.cancel()
            await asyncio.gather(calling, probing, sampling, *doing, return_exceptions=True)
        await self._judge()

    async def do(self, fault: Fault) -> None:
        """Do something, and write down when."""
        seconds, began = self.dice.uniform(*fault.seconds), time.monotonic()
        for part in self.stage.parts.values():
            part.members()  # who is killed now leaves these behind
        whom = await fault.hit(self.stage, self.dice, seconds)
        self.happened.append(Happened(fault.name, whom, began, time.monotonic()))
        lines = [{"at": time.time() - seconds, **vars(each)} for each in self.happened[-1:]]
        with (self.folder / "faults.jsonl").open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        print(f"     fault: {fault.name} ({whom})", flush=True)

    async def _judge_back(self) -> None:
        """Look whether all is back for good: what never comes back has no time to be judged."""
        over = max((each.ended for each in self.happened), default=0.0)
        for kind in await self.probes.unanswered(over, BACK_SECONDS):
            last = [each.fault for each in self.happened][-1:]
            finding = Finding("back", kind, f"never answered after the last fault, {last}")
            self.findings.append(finding)
            print(f"MISS {finding}")

    async def _judge(self) -> None:
        for part in self.stage.parts.values():
            async with asyncio.timeout(120):
                await part.ready.wait()
        books = await read_books(self.stage.database_url)
        books.keep(self.folder)
        self.recorder.close()
        history = await asyncio.to_thread(History.read, self.folder)
        wrong = findings(history, books)
        self.findings += wrong
        told(history, books, wrong)
        self._judge_recovery()
        await self._judge_leftovers()
        for level in self.resources.levels():
            print(f"{'    ' if level.good else 'MISS'} {level}")
            if not level.good:
                self.findings.append(Finding("level", level.role, str(level)))

    def _judge_recovery(self) -> None:
        slowest: dict[str, dict[str, float]] = defaultdict(dict)
        for each in self.happened:
            for kind, seconds in self.probes.recovery(each.began, each.ended).items():
                known = slowest[each.fault].get(kind, 0.0)
                slowest[each.fault][kind] = max(known, seconds)
                late = each.fault.startswith(BOUND_BY) and not self._others(each)
                if late and seconds > BOUND_SECONDS and kind in BOUND_KINDS:
                    words = f"{kind} after {seconds:.1f} s"
                    self.findings.append(Finding("recovery", each.fault, words))
                    print(f"MISS recovery: {each.fault}: {words}")
        counts = Counter(each.fault for each in self.happened)
        for fault, kinds in sorted(slowest.items()):
            words = ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in sorted(kinds.items()))
            print(f"     {counts[fault]} × {fault}: answered again after {words} s at most")

    def _others(self, one: Happened) -> bool:
        """Return whether something else was broken while the service recovered."""
        end = one.ended + BOUND_SECONDS
        return any(
            each is not one and each.began < end and each.ended > one.began - BOUND_SECONDS
            for each in self.happened
        )

    async def _judge_leftovers(self) -> None:
        """Look for processes and files that nobody needs any more."""
        parts, patience = list(self.stage.parts.values()), time.monotonic() + LEFT_SECONDS
        while _orphans(parts) or self._files():
            if time.monotonic() > patience:
                break
            await asyncio.sleep(1)
        for each in _orphans(parts):
            words = " ".join(each.cmdline())[:120]
            self.findings.append(Finding("left behind", "process", words))
        for path in self._files():
            self.findings.append(Finding("left behind", "file", path.name))
        for each in self.findings:
            if each.rule == "left behind":
                print(f"MISS {each}")

    def _files(self) -> list[Path]:
        """Return documents and pages in spools; no call is under way any more."""
        spools = self.folder.glob("*/spool/*/*")
        return [path for path in spools if path.name.startswith(("document-", "page-"))]


def _orphans(parts: list[Part]) -> list[psutil.Process]:
    return [each for part in parts for each in part.orphans()]


@asynccontextmanager
async def opened(
    stage: Stage, seed: int, seconds: float, callers: int, calls_per_second: float
) -> AsyncIterator[Trial]:
    """Make users, learn the texts of all documents, and yield what can be run."""
    documents: Corpus = await asyncio.to_thread(lambda: corpus(with_model=True))
    recorder, prefix = Recorder(stage.folder), f"t{seed}"
    async with AsyncExitStack() as stack:
        stack.callback(recorder.close)
        port = int(stage.doors.grpc[0].rpartition(":")[2])
        users = await make_users(port, stage.admin_key, callers + 1, "user")
        await learn(stage.doors, stage.admin_key, documents, recorder)
        plan = Plan(users[:-1], stage.doors, documents, seconds, calls_per_second, seed, prefix)
        dice = random.Random(seed)
        name, key = users[-1]
        prober = Caller(name, key, stage.doors, documents, recorder, random.Random(seed), prefix)
        probes = Probes(await stack.enter_async_context(prober))
        resources = Resources(list(stage.parts.values()))
        yield Trial(stage, plan, recorder, probes, resources, dice)


async def random_faults(trial: Trial, seconds: float, every_seconds: float) -> AsyncIterator[Fault]:
    """Yield a fault of those that can be done, at a fixed pace, until the time is over."""
    can, _ = faults_of(trial.stage)
    began, number = time.monotonic(), 0
    while True:
        number += 1
        due = began + number * every_seconds
        if due - began > seconds:
            return
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        yield trial.dice.choices(can, [fault.weight for fault in can])[0]
