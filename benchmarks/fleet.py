"""What more engine workers bring, and what becomes of pages when workers are killed.

    python -m benchmarks.fleet               both parts
    python -m benchmarks.fleet --kills 0     the first alone
    python -m benchmarks.fleet --kills 50    the second alone, some five minutes

First, pages/s of two worker processes over those of one, in turns, on dense scans. Second, a server
with workers of its own and with an engine machine (another process of this machine) reads documents
of three callers, while random workers are killed at random moments: processes of the server, those
of the machine, and the machine itself, which is then started again. Every page must come, once,
with the text that it has when nobody is killed. Else the exit code is 1. The first
part needs two cores that nobody else uses; the CPU-seconds it prints hold anyway.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.documents import image_document
from benchmarks.pages import pages, pixels
from benchmarks.served import Served, launched
from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.model import PageGeometry, RenderedPage
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2

FORCE_OCR = options_pb2.ExtractOptions(mode=options_pb2.MODE_FORCE_OCR)

ROUNDS, PAGES_A_ROUND = 3, 8
LEAST_GAIN = 1.8

CALLERS, PAGES_A_DOCUMENT = 3, 12
LEAST_PAGES, MOST_PAGES = 5, 10
"""So many pages end between two kills, however fast the machine is. With fewer, the same page would
be hit again and again by us, and be given up: three workers died over it."""


async def gain() -> bool:
    """Print pages/s of one and of two workers, and return whether the second one is worth it."""
    with tempfile.TemporaryDirectory(prefix="ocr-") as name:
        folder = Path(name)
        page = _dense(folder)
        settings = WorkerSettings(EngineChoice("ppocr"), folder, folder, 2**31, 120)
        pools = {count: EnginePool(settings, count) for count in (1, 2)}
        for pool in pools.values():
            await pool.start()
        while any(pool.ready_workers < count for count, pool in pools.items()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        ratios = []
        for number in range(ROUNDS + 1):
            one, two = [await _speed(pools[count], count, page) for count in (1, 2)]
            if number:  # the first round warms up
                print(f"     {one:.2f} pages/s by one worker, {two:.2f} by two", flush=True)
                ratios.append(two / one)
        for pool in pools.values():
            await pool.close()
    ratio = statistics.median(ratios)
    good = ratio >= LEAST_GAIN
    print(
        f"{'ok  ' if good else 'MISS'} two workers over one: {ratio:.2f}  (bound: >= {LEAST_GAIN})"
    )
    return good


def _dense(folder: Path) -> RenderedPage:
    dense = next(page for page in pages() if page.name == "dense")
    image = pixels(dense, 150)
    path = folder / "dense"
    path.write_bytes(image.tobytes())
    height, width = image.shape[:2]
    return RenderedPage(path, PageGeometry(width, height, 150), 1 if image.ndim == 2 else 3)


async def _speed(pool: EnginePool, count: int, page: RenderedPage) -> float:
    """Return the pages/s of a pool; each worker reads as many."""

    async def read(number: int) -> float:
        order = PageRead(page, ReadOptions(), "bench", "bench", number, 600)
        async with aclosing(pool.read(order)) as parts:
            times = [part async for part in parts if isinstance(part, ReadTimes)]
        return times[0].cpu_seconds

    began, work = time.perf_counter(), PAGES_A_ROUND * count
    cpu_seconds = sum(await asyncio.gather(*map(read, range(work))))
    seconds = time.perf_counter() - began
    print(f"     {count} at work: {cpu_seconds / work:.2f} CPU-s a page", flush=True)
    return work / seconds


class Machine:
    """`ocr-grpc engine`, started again whenever it is gone."""

    def __init__(self, folder: Path, engine: str, workers: int) -> None:
        self._environment = os.environ | {
            "DATA_DIR": str(folder / "machine"),
            "ENGINE": engine,
            "ENGINE_WORKERS": str(workers),
            "ENGINE_PORT": "0",
            "ENGINE_TLS": "false",
            "LOG_LEVEL": "error",
        }
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Start it, and keep it running."""
        await self._start()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it for good."""
        if self._keeping and self._process:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """Return its workers, and itself."""
        with suppress(psutil.NoSuchProcess):
            if self._process and self._process.returncode is None:
                itself = psutil.Process(self._process.pid)
                return [*itself.children(), itself]
        return []

    async def _keep(self) -> None:
        while self._process:
            await self._process.wait()
            await self._start()

    async def _start(self) -> None:
        command = Path(sys.executable).parent / "ocr-grpc"
        process = self._process = await asyncio.create_subprocess_exec(
            command, "engine", env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        words = (await process.stdout.readline()).decode().split()
        if words[:1] == ["ready"]:  # else it was killed before
            self.port = int(words[2].rpartition(":")[2])
            # The same from now on: that is where the server looks for it.
            self._environment["ENGINE_PORT"] = str(self.port)


@dataclass
class Trial:
    """A server under load, whose workers are killed."""

    server: Served
    machine: Machine
    content: bytes
    dice: random.Random
    expected: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    ended: int = 0
    pages: int = 0
    begun_anew: int = 0
    wrong: list[str] = field(default_factory=list)

    async def run(self, kills: int) -> None:
        """Kill so many workers while callers read."""
        self.expected = (await self._read())[0]
        over = asyncio.Event()
        callers = [asyncio.create_task(self._read_on(over)) for _ in range(CALLERS)]
        while self.killed.total() < kills and not any(caller.done() for caller in callers):
            await self._some_pages(callers)
            await asyncio.sleep(self.dice.uniform(0, 1))
            self._kill()
            if self.killed.total() % 10 == 0:
                print(f"     {self.killed.total()} kills, {self.ended} pages", flush=True)
        over.set()
        await asyncio.gather(*callers)

    async def _some_pages(self, callers: list["asyncio.Task[None]"]) -> None:
        enough = self.ended + self.dice.randint(LEAST_PAGES, MOST_PAGES)
        while self.ended < enough and not any(caller.done() for caller in callers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _kill(self) -> None:
        with suppress(psutil.NoSuchProcess):  # one that ended by itself just now
            victims = [("worker of the server", each) for each in self.server.engine_workers()]
            *children, itself = self.machine.processes() or [None]
            victims += [("worker of the machine", each) for each in children if each]
            if itself:
                victims.append(("engine machine", itself))
            kind, victim = self.dice.choice(victims)
            victim.kill()
            self.killed[kind] += 1

    async def _read_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            texts, anew = await self._read()
            self.pages += len(texts)
            self.begun_anew += anew
            if texts != self.expected:
                same = sum(ours == good for ours, good in zip(texts, self.expected, strict=False))
                self.wrong.append(f"{same} of {len(self.expected)} pages as expected")

    async def _read(self) -> tuple[list[str], int]:
        """Return the texts of the pages, put together as clients do, and how many began anew."""
        ends, anew = Counter[int](), 0
        parts: dict[int, str] = {}
        async with self.server.stub() as stub:
            request = pb.StreamExtractRequest(content=self.content, options=FORCE_OCR)
            async for event in stub.StreamExtract(request, timeout=600):
                match event.WhichOneof("event"):
                    case "delta":
                        number = event.delta.page_number
                        parts[number] = parts.get(number, "") + event.delta.text
                    case "retract":
                        number = event.retract.page_number
                        parts[number] = parts[number][: event.retract.offset]
                        anew += 1
                    case "page_finished":
                        number = event.page_finished.page_number
                        ends[number] += 1
                        self.ended += 1
                        if parts.get(number, "") != event.page_finished.text:
                            self.wrong.append(f"page {number}: its deltas make another text")
                    case _:
                        pass
        if ends != Counter(range(1, PAGES_A_DOCUMENT + 1)):
            self.wrong.append(f"pages that ended: {dict(ends)}")
        return [parts.get(number, "") for number in sorted(ends)], anew


async def kill_workers(kills: int, engine: str, seed: int) -> bool:
    """Print what a trial saw, and return whether nothing was lost and nothing read twice."""
    with tempfile.TemporaryDirectory(prefix="ocr-") as name:
        folder = Path(name)
        machine = Machine(folder, engine, workers=2)
        await machine.start()
        settings = {"engine": engine, "engine_workers": 2, "engine_tls": "false"}
        settings["tesseract_workers"] = 0
        settings["engine_endpoints"] = f"localhost:{machine.port}"
        try:
            with launched(folder / "data", **settings) as (process, address):
                served = Served(psutil.Process(process.pid), address)
                content = image_document(["invoice-en"] * PAGES_A_DOCUMENT, 100)
                trial = Trial(served, machine, content, random.Random(seed))
                await trial.run(kills)
        finally:
            await machine.stop()
    killed = ", ".join(f"{count} × {kind}" for kind, count in trial.killed.items())
    print(f"     killed: {killed}")
    print(f"     {trial.pages} pages read meanwhile, {trial.begun_anew} began anew")
    for line in trial.wrong:
        print(f"MISS {line}")
    if not trial.wrong:
        print(f"ok   {kills} kills: no page lost, none read into the result twice")
    return not trial.wrong


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, help="so many, and the other part is left out")
    parser.add_argument("--engine", default="ppocr", help="that reads while workers are killed")
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    good = True
    if not arguments.kills:
        print("\n## two workers", flush=True)
        good = asyncio.run(gain())
    if arguments.kills != 0:
        print("\n## killed workers", flush=True)
        kills = arguments.kills or 50
        good &= asyncio.run(kill_workers(kills, arguments.engine, arguments.seed))
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
