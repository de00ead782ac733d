"""How fast events leave through all interceptors, over a bare grpc.aio server, in one run.

    python -m benchmarks.events

Three server processes stream the same events, a line of text with its place each: one bare, one
with the interceptors of the product (an API key, limits in memory, the ledger on SQLite), and one
where `StreamExtract` itself makes them from the lines of pages too. The same client reads them in
turn, by one stream and by sixteen. The run ends with exit code 1 if the second or the third has
less than half of the first's events/s.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import psutil
import uvloop

from benchmarks.calls import KEY_FILE, be_server
from ocr_grpc.extraction.events import Delta, Event
from ocr_grpc.model import Line, box
from ocr_grpc.rpc.access import declared_access
from ocr_grpc.rpc.ocr import OcrServicerImpl
from ocr_grpc.rpc.responses import event_to_proto
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceServicer, add_OcrServiceServicer_to_server

METHOD = "/ocr_grpc.v1.OcrService/StreamExtract"
KINDS = ("bare", "interceptors", "servicer")
ROUNDS, EVENTS = 7, 20_000
LEAST = 0.5
TEXT = "Such a line stands in letters, reports and books; it has some eighty characters."


def delta(number: int) -> Delta:
    """Return the event of one line."""
    top = float(number % 60 * 20)
    return Delta(1 + number // 60, TEXT, (Line(TEXT, box(0, top, 1200, top + 18), 0.98),))


class Prepared(OcrServiceServicer):
    """Sends messages that were made before."""

    def __init__(self) -> None:
        self._messages = [
            event_to_proto(pb.StreamExtractResponse, number, delta(number), lambda _: 1)
            for number in range(1, 1001)
        ]

    async def StreamExtract(  # noqa: N802 - the name in the proto
        self, request: pb.StreamExtractRequest, context: object
    ) -> AsyncGenerator[pb.StreamExtractResponse, None]:
        """Send as many as the request's file name says."""
        for number in range(int(request.file_name)):
            yield self._messages[number % 1000]


class Intake:
    """Stands where documents are read; gives the events of lines."""

    def __init__(self) -> None:
        self._events = [delta(number) for number in range(1000)]

    async def events(self, arriving: Any) -> AsyncGenerator[Event, None]:
        """Yield as many as the file name says."""
        for number in range(int(arriving.wanted().file_name)):
            yield self._events[number % 1000]


class Engines:
    """Stands where engines are; no event of a line asks for any."""

    def ready_workers_of(self, name: str) -> int:
        """Return one."""
        return 1


class Limits:
    """What the servicer asks about."""

    max_inline_bytes = 2**20


class Kept:
    """Stands where resumable streams are."""

    def begun(self, *_: object) -> None:
        """Never called: nothing asks for it."""


def servicer(kind: str) -> OcrServiceServicer:
    """Return what answers in a server of this kind."""
    if kind != "servicer":
        return Prepared()
    parts: tuple[Any, ...] = (Intake(), Engines(), "0", Limits(), None, Kept())
    return OcrServicerImpl(*parts)


def run(folder: str, kind: str, pipe: Connection) -> None:
    """Be one of the three."""
    access = None if kind == "bare" else declared_access()
    be_server(
        folder,
        access,
        lambda server: add_OcrServiceServicer_to_server(servicer(kind), server),
        pipe,
    )


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, tuple[int, str, psutil.Process]]]:
    """Run the servers; yield the port, the key and the process of each."""
    spawning = multiprocessing.get_context("spawn")
    pipes, processes, found = [], [], {}
    try:
        for kind in KINDS:
            data_dir = folder / kind
            data_dir.mkdir()
            pipe, theirs = spawning.Pipe()
            process = spawning.Process(target=run, args=(str(data_dir), kind, theirs))
            process.start()
            theirs.close()  # so that one that does not start is noticed
            pipes.append(pipe)
            processes.append(process)
            port = pipe.recv()
            key = "" if kind == "bare" else (data_dir / KEY_FILE).read_text().strip()
            found[kind] = port, key, psutil.Process(process.pid)
        yield found
    finally:
        for pipe in pipes:
            with suppress(OSError):  # it has ended
                pipe.send("stop")
        for process in processes:
            process.join()


async def streamed(port: int, key: str, streams: int) -> float:
    """Return the seconds that `EVENTS` events take, by so many streams at once."""
    metadata = (("x-api-key", key),) if key else ()
    request = pb.StreamExtractRequest(file_name=str(EVENTS // streams), content=b"x")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_stream(  # what is compared are servers: the client decodes nothing
            METHOD, request_serializer=pb.StreamExtractRequest.SerializeToString
        )

        async def read() -> int:
            return sum([1 async for _ in call(request, metadata=metadata)])

        await channel.channel_ready()
        began = time.perf_counter()
        counts = await asyncio.gather(*(read() for _ in range(streams)))
        seconds = time.perf_counter() - began
    assert sum(counts) == EVENTS // streams * streams, counts
    return seconds


async def compare(found: dict[str, tuple[int, str, psutil.Process]], streams: int) -> bool:
    """Print events/s and the CPU of each; return whether all are good."""
    rates: dict[str, list[float]] = {kind: [] for kind in found}
    spent: dict[str, float] = {}
    for number in range(ROUNDS + 1):
        for kind, (port, key, process) in found.items():
            before = sum(process.cpu_times()[:2])
            seconds = await streamed(port, key, streams)
            if number:  # the first round warms up
                rates[kind].append(EVENTS / seconds)
                spent[kind] = spent.get(kind, 0) + sum(process.cpu_times()[:2]) - before
    good = True
    for kind, values in rates.items():
        micros = spent[kind] / ROUNDS / EVENTS * 1e6
        print(
            f"     {kind}: {statistics.median(values):,.0f} events/s, {micros:.0f} µs of CPU each"
        )
    for kind in KINDS[1:]:
        share = statistics.median(
            ours / bare for ours, bare in zip(rates[kind], rates["bare"], strict=True)
        )
        good &= share >= LEAST
        verdict = "ok  " if share >= LEAST else "MISS"
        print(
            f"{verdict} events/s, {streams} streams, {kind} over bare grpc.aio: {share:.2f}"
            f"  (bound: >= {LEAST})",
            flush=True,
        )
    return good


def main() -> None:
    """Start the servers, compare them, and judge."""
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder, servers(Path(folder)) as found:
        verdicts = [uvloop.run(compare(found, streams)) for streams in (1, 16)]
    if not all(verdicts):
        sys.exit(1)


if __name__ == "__main__":
    main()
