"""What a stream costs that is held for minutes: memory of the server, and whether any is lost.

    python -m benchmarks.held                    2,000 streams, 5 minutes, waiting and slow
    python -m benchmarks.held --streams 500 --seconds 30 --only slow

Two ways in which streams last: `waiting`, where every document was opened, its caller told its
place in the queue, and the only engine is busy all the time; and `slow`, where callers take an
event now and then, of documents that have more text than networks hold. After that time the engine
is free, or callers read on, and every stream must come to its good end, gapless.

Memory is what the process of the server has written to and shares with nobody, most over the time,
less what it had before, a stream; not the code of libraries, which counts or not as other processes
come and go. The server is as it is shipped, with its cache of results, and every document another
one. The run ends with exit code 1 if that is more than 64 KiB (160 KiB where each stream has a page
of text waiting for its caller), or a stream was lost.
"""

import argparse
import asyncio
import contextlib
import io
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache

import grpc
import grpc.aio
import httpx
import psutil
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.documents import small_image, text_document
from benchmarks.served import Served, served
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

KIB = 1024
MOST_KIB = {"waiting": 64.0, "slow": 160.0}
"""Whoever reads slowly has a page of text waiting, with the places of its lines."""
PER_CONNECTION = 100
SMALL_WINDOWS = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16 * KIB))
"""Otherwise gRPC takes megabytes ahead of those who read slowly, and the server is soon done."""

OPENING_AT_ONCE = 50
SLOW_PAGES = 16
"""Some 160 KB of events: more than is read, and the windows of a stream hold."""
READS = 10
"""Events that a slow caller takes of each stream while it is held."""
WARM_UP = 100
BITS = 14
"""Of a picture, in which it differs from others."""
SAMPLE_SECONDS = 1.0
END_SECONDS = 900.0


class Held:
    """One stream, read on when told to."""

    def __init__(self, call: "grpc.aio.UnaryStreamCall") -> None:
        self._call = call
        self._events = aiter(call)
        self.sequence = 0
        self.last: pb.StreamExtractResponse | None = None

    async def next(self) -> bool:
        """Read an event; return whether there was one.

        Raises:
            AssertionError: the numbers have a gap.
        """
        try:
            event = await anext(self._events)
        except StopAsyncIteration:
            return False
        self.sequence += 1
        assert event.sequence == self.sequence, (event.sequence, self.sequence)
        self.last = event
        return True

    async def finished(self) -> bool:
        """Read on to the end; return whether it is a good one."""
        while await self.next():
            pass
        return bool(self.last and self.last.HasField("finished"))


class Memory:
    """The most memory that a process had of its own, looked at each second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.before = self.most = 0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.most = max(self.most, await asyncio.to_thread(self._written))
            await asyncio.sleep(SAMPLE_SECONDS)

    def start(self) -> None:
        """Take what is there as the beginning."""
        self.before = self.most = self._written()

    def per_stream_kib(self, streams: int) -> float:
        """Return how far it grew for each stream."""
        return (self.most - self.before) / streams / KIB

    def _written(self) -> int:
        return sum(part.private_dirty for part in self._process.memory_maps())


Wanted = Callable[[int], pb.StreamExtractRequest]
"""Makes the request of that number."""


def image(number: int, first_pixel: int = 255) -> pb.StreamExtractRequest:
    """Return a request for a picture like no other; over black ones the engine `hang` hangs."""
    with Image.open(io.BytesIO(small_image())) as picture:
        picture.putpixel((0, 0), first_pixel)
        for bit in range(BITS):
            picture.putpixel((2 + bit, 1), 255 * (number >> bit & 1))
        sink = io.BytesIO()
        picture.save(sink, "PNG")
    return pb.StreamExtractRequest(
        content=sink.getvalue(), options={"mode": options_pb2.MODE_FORCE_OCR}
    )


@cache
def slow_document() -> bytes:
    """Return a document whose events are more than callers take of them, and networks hold."""
    return text_document(SLOW_PAGES)


def pages(number: int) -> pb.StreamExtractRequest:
    """Return a request for a document with text of its own, like no other."""
    content = slow_document() + b"%% %d\n" % number
    return pb.StreamExtractRequest(
        content=content, options={"mode": options_pb2.MODE_TEXT_LAYER_ONLY}
    )


async def busy_engine(stub: OcrServiceStub) -> "grpc.aio.UnaryStreamCall":
    """Keep the only engine busy until the call that is returned is cancelled."""
    call = stub.StreamExtract(image(0, first_pixel=0))
    async for event in call:
        if event.HasField("delta"):
            return call
    raise RuntimeError("The engine did not hang.")


async def opened(server: Served, wanted: Wanted, count: int, stack: AsyncExitStack) -> list[Held]:
    """Open streams on connections of a hundred each, and wait for the first event of all."""
    stubs = [
        await stack.enter_async_context(server.stub(*SMALL_WINDOWS))
        for _ in range(-(-count // PER_CONNECTION))
    ]
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def opening(number: int) -> Held:
        stub: OcrServiceStub = stubs[number % len(stubs)]
        async with gate:
            held = Held(stub.StreamExtract(wanted(number)))
            assert await held.next(), "The stream ended before it began."
        return held

    return await asyncio.gather(*(opening(number) for number in range(count)))


async def stand(streams: list[Held], seconds: float) -> None:
    """Read nothing."""
    await asyncio.sleep(seconds)


async def read_slowly(streams: list[Held], seconds: float) -> None:
    """Read an event of each stream some times in all."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        await asyncio.gather(*(stream.next() for stream in streams))
        await asyncio.sleep(max(0.0, min(began + seconds / READS, until) - time.monotonic()))


def documents_under_way(metrics_url: str) -> int:
    """Return how many documents the server says that it is reading."""
    families = text_string_to_metric_families(httpx.get(metrics_url, timeout=30).text)
    return sum(
        int(sample.value)
        for family in families
        if family.name == "ocr_in_progress"
        for sample in family.samples
    )


def free_port() -> int:
    """Return a port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


Hold = Callable[[list[Held], float], Awaitable[None]]


async def measure(
    name: str,
    server: Served,
    metrics_url: str,
    wanted: Wanted,
    hold: Hold,
    count: int,
    seconds: float,
) -> bool:
    """Hold streams, print what they cost, and return whether that is good."""
    memory = Memory(server.process)
    async with AsyncExitStack() as stack:
        if name == "waiting":
            stub = await stack.enter_async_context(server.stub())
            blocker = await busy_engine(stub)
        memory.start()
        watching = asyncio.create_task(memory.watch())
        began = time.monotonic()
        streams = await opened(server, wanted, count, stack)
        print(f"     {count} streams open after {time.monotonic() - began:.1f} s", flush=True)
        await hold(streams, seconds)
        under_way = await asyncio.to_thread(documents_under_way, metrics_url)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        if name == "waiting":
            blocker.cancel()
        async with asyncio.timeout(END_SECONDS):
            ends = await asyncio.gather(
                *(stream.finished() for stream in streams), return_exceptions=True
            )
    under_way -= name == "waiting"  # the one that keeps the engine busy
    good = sum(end is True for end in ends)
    for error in {repr(end)[:200] for end in ends if isinstance(end, BaseException)}:
        print(f"     {error}")
    kib = memory.per_stream_kib(count)
    ok = good == under_way == count and kib <= MOST_KIB[name]
    print(
        f"{'ok  ' if ok else 'MISS'} {name}: {under_way} of {count} streams under way after "
        f"{seconds:g} s, {good} came to a good end; {kib:.1f} KiB of server memory each "
        f" (bounds: all, <= {MOST_KIB[name]:g} KiB)",
        flush=True,
    )
    return ok


async def warm_up(server: Served, wanted: Wanted) -> None:
    """Have everything loaded that the first streams load."""
    async with AsyncExitStack() as stack:
        streams = await opened(server, lambda number: wanted(~number), WARM_UP, stack)
        await asyncio.gather(*(stream.finished() for stream in streams))


def run(name: str, count: int, seconds: float) -> bool:
    """Measure one way of holding streams on a server of its own."""
    if name == "waiting":
        wanted, hold = image, stand
    else:
        wanted, hold = pages, read_slowly
    settings = {"engine": "hang", "engine_workers": 1, "tesseract_workers": 0}
    limit = seconds + END_SECONDS
    port = free_port()
    settings |= {"page_timeout_seconds": limit, "document_timeout_seconds": 2 * limit}
    settings |= {"metrics_port": port}
    settings |= {"result_cache_bytes": Settings.model_fields["result_cache_bytes"].default}
    with served(**settings) as server:
        asyncio.run(warm_up(server, wanted))
        url = f"http://127.0.0.1:{port}/metrics"
        return asyncio.run(measure(name, server, url, wanted, hold, count, seconds))


def main() -> None:
    """Run the ways asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--only", default="waiting,slow")
    arguments = parser.parse_args()
    verdicts = [
        run(name, arguments.streams, arguments.seconds) for name in arguments.only.split(",")
    ]
    if not all(verdicts):
        sys.exit(1)


if __name__ == "__main__":
    main()
