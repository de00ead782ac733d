"""What relaying a language model costs: many streams at once, and the delay added to each delta.

    python -m benchmarks.vlm                 through the engine
    python -m benchmarks.vlm --whole         through a whole server, over gRPC

A server in a process of its own writes the time into every delta, by the clock that all processes
of a machine share. The delay is what that time is behind when the delta comes out on our side, so
it counts the writing server's own work and two sockets as well. The run ends with exit code 1 if
their median is over the bound. Nothing is recognized: there is no model.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
import uvloop

from benchmarks.documents import small_image
from benchmarks.served import PeakMemory, served
from benchmarks.service import missed, report, request
from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.vlm.engine import VisionEngine
from ocr_grpc.engines.vlm.parts import Piece, VisionRead
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.model import PageGeometry, RenderedPage
from tests.engines.vlm.server import Answer, Exchange, serving

MIB = 2**20
STREAMS = 256
TOKENS_PER_SECOND = 2_500
BOUND_MS = 5.0
SETTLE_SECONDS = 2.0
"""After the first delta, which comes when all pages are with the model."""
CALM_SECONDS = 600.0
STAMP = re.compile(r"\|(\d+\.\d+)\|")
WORDS = [f"{a}{b}{c}" for a in "bdfglmnprst" for b in "aeiou" for c in "bdfglmnprst"]


def answers(seconds: float) -> Answer:
    """Return an answer of so many seconds, of deltas that say when they were written.

    All begin together, once all calls are there.
    """
    pause = STREAMS / TOKENS_PER_SECOND
    all_there = asyncio.Barrier(STREAMS)

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        await all_there.wait()
        at = time.monotonic() + random.uniform(0, pause)
        end = at + seconds
        while at < end:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            await exchange.say(f"|{time.monotonic():.6f}| {random.choice(WORDS)} ")
            at += pause
        await exchange.finish(usage={"prompt_tokens": 1, "completion_tokens": 1})

    return answer


def write(ours: Connection, seconds: float) -> None:
    """Serve a model until the other side closes."""

    async def run() -> None:
        async with serving(answers(seconds)) as server:
            ours.send(server.url)
            while not ours.poll():  # noqa: ASYNC110 - a pipe has no event
                await asyncio.sleep(0.2)

    uvloop.run(run())


@dataclass
class Delays:
    """Delays of deltas in seconds, and the processor time of who relays them, once all is calm."""

    process: psutil.Process
    seconds: list[float] = field(default_factory=list)
    from_time: float = float("inf")
    cpu_before: float = 0.0

    def take(self, text: str) -> None:
        """Note text that came this moment."""
        now = time.monotonic()
        for stamp in map(float, STAMP.findall(text)):
            if self.from_time == float("inf"):
                self.from_time = now + SETTLE_SECONDS
            elif stamp >= self.from_time:
                self.cpu_before = self.cpu_before or self.cpu_seconds()
                self.seconds.append(now - stamp)

    def cpu_seconds(self) -> float:
        """Return the processor time that was used so far."""
        times = self.process.cpu_times()
        return times.user + times.system


Texts = Callable[[int], AsyncIterator[str]]


@asynccontextmanager
async def through_engine(url: str, folder: Path) -> AsyncIterator[tuple[psutil.Process, Texts]]:
    """Read pages by an engine in this process."""
    settings = VisionSettings(
        llm_base_url=url,
        llm_concurrency=STREAMS,
        llm_retries=10,
        llm_first_token_seconds=CALM_SECONDS,
        llm_idle_seconds=CALM_SECONDS,
    )
    path = folder / "page"
    np.full((600, 400), 255, np.uint8).tofile(path)
    page = RenderedPage(path, PageGeometry(400, 600, 144), 1)
    engine = VisionEngine(settings, failures=10 * STREAMS)
    await engine.start()

    async def texts(number: int) -> AsyncIterator[str]:
        read = VisionRead(page, ReadOptions(), "", None, f"{number}", "x", 1, CALM_SECONDS)
        async with aclosing(engine.read(read)) as parts:
            async for part in parts:
                if isinstance(part, Piece):
                    yield part.text

    try:
        yield psutil.Process(), texts
    finally:
        await engine.close()


@asynccontextmanager
async def through_server(url: str, folder: Path) -> AsyncIterator[tuple[psutil.Process, Texts]]:
    """Have documents extracted by a server of ours."""
    settings = {
        "engine": "vlm",
        "engine_workers": 1,
        "llm_base_url": url,
        "llm_concurrency": STREAMS,
        "llm_retries": 10,
        "llm_first_token_seconds": CALM_SECONDS,
        "llm_idle_seconds": CALM_SECONDS,
        "page_timeout_seconds": CALM_SECONDS,
        "anonymous_calls_per_minute": 0,
    }
    with served(**settings) as server:
        async with server.stub() as stub:

            async def texts(number: int) -> AsyncIterator[str]:
                async for event in stub.StreamExtract(request(small_image())):
                    if event.HasField("delta"):
                        yield event.delta.text

            yield server.process, texts


async def relay(url: str, whole: bool) -> None:
    """Relay all streams at once and report."""
    through = through_server if whole else through_engine
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
        async with through(url, Path(folder)) as (process, texts):
            delays = Delays(process)

            async def follow(number: int) -> None:
                async for text in texts(number):
                    delays.take(text)

            with PeakMemory(process) as memory:
                await asyncio.gather(*(follow(number) for number in range(STREAMS)))
                cpu_seconds = delays.cpu_seconds() - delays.cpu_before
    tell(delays.seconds, cpu_seconds, memory)


def tell(delays: list[float], cpu_seconds: float, memory: PeakMemory) -> None:
    """Print the figures."""
    percentiles = statistics.quantiles(delays, n=100)
    p50, p99 = percentiles[49] * 1000, percentiles[98] * 1000
    mean, per_delta = statistics.fmean(delays) * 1000, cpu_seconds / len(delays)
    print(f"     {STREAMS} streams, {TOKENS_PER_SECOND} tokens/s in total; {len(delays)} deltas")
    print(f"     delay: mean {mean:.2f} ms, p99 {p99:.2f} ms, most {max(delays) * 1000:.1f} ms")
    cores_used = per_delta * TOKENS_PER_SECOND
    print(f"     processor: {per_delta * 1e6:.0f} µs a delta, {cores_used:.2f} cores")
    print(f"     memory: {memory.before / MIB:.0f} MiB before, {memory.peak / MIB:.0f} at most")
    print(f"     load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    report("median delay of a delta", f"{p50:.2f} ms", p50 <= BOUND_MS, f"{BOUND_MS:g} ms")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--whole", action="store_true", help="through a whole server, over gRPC")
    parser.add_argument("--seconds", type=float, default=20, help="how long each stream is")
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    writer = multiprocessing.get_context("spawn").Process(
        target=write, args=(theirs, arguments.seconds)
    )
    writer.start()
    try:
        uvloop.run(relay(ours.recv(), arguments.whole))
    finally:
        ours.send("enough")
        writer.join(10)
        writer.terminate()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
