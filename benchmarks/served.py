"""A real server process for benchmarks, and the few calls they make to it."""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import psutil

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Served:
    """A server process and where it listens."""

    process: psutil.Process
    address: str

    @asynccontextmanager
    async def stub(self, *more: tuple[str, int]) -> AsyncIterator[OcrServiceStub]:
        """Yield a stub on a connection of its own, which makes it a caller of its own.

        Args:
            more: channel arguments.
        """
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        options += more
        async with grpc.aio.insecure_channel(self.address, options=options) as channel:
            yield OcrServiceStub(channel)

    def engine_workers(self) -> list[psutil.Process]:
        """Return the processes of the engine."""
        return [
            child
            for child in self.process.children()
            if "ocr_grpc.engines.worker" in " ".join(child.cmdline())
        ]


@contextmanager
def launched(data_dir: Path, **settings: object) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `ocr-grpc serve` and yield its process and its address, until the block is left."""
    environment = {
        "DATA_DIR": str(data_dir),
        "GRPC_PORT": "0",
        "METRICS_PORT": "0",
        "HTTP_ENABLED": "false",
        "LOG_LEVEL": "error",
        # Without accounts each connection is a caller of its own.
        "AUTH_ENABLED": "false",
        # Many read the same document again and again, and want it read.
        "RESULT_CACHE_BYTES": "0",
    }
    environment |= {name.upper(): str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [Path(sys.executable).parent / "ocr-grpc", "serve"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, _address(process)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _address(process: "subprocess.Popen[str]") -> str:
    """Wait until the server says that it is ready, and where."""
    for line in process.stdout or ():
        words = line.split()
        if words[:1] == ["ready"]:
            return words[1].removeprefix("grpc=")
    raise RuntimeError("The server did not start; its messages stand above.")


@contextmanager
def served(**settings: object) -> Iterator[Served]:
    """Run a server on a folder of its own until the block is left."""
    with (
        tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder,
        launched(Path(folder) / "data", **settings) as (process, address),
    ):
        yield Served(psutil.Process(process.pid), address)


@dataclass
class Timed:
    """The events of a call, each with the seconds since the call began."""

    events: list[tuple[float, pb.StreamExtractResponse]] = field(default_factory=list)

    def times(self, kind: str) -> list[float]:
        """Return when the events of one kind came."""
        return [at for at, event in self.events if event.HasField(kind)]

    def last(self) -> pb.StreamExtractResponse:
        """Return the last event."""
        return self.events[-1][1]


async def timed(call: AsyncIterator[pb.StreamExtractResponse]) -> Timed:
    """Read a stream to its end."""
    began, result = time.perf_counter(), Timed()
    async for event in call:
        result.events.append((time.perf_counter() - began, event))
    return result


class PeakMemory:
    """Samples the resident memory of a process in a thread, for the time of a `with`."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.before = self.peak = process.memory_info().rss

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def growth_mib(self) -> float:
        """Return how far the process grew, at most, in MiB."""
        return (self.peak - self.before) / 2**20

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self._process.memory_info().rss)


async def uploaded(stub: OcrServiceStub, chunks: AsyncIterator[bytes]) -> Timed:
    """Upload a document in pieces and read its events."""

    async def requests() -> AsyncIterator[pb.UploadExtractRequest]:
        async for chunk in chunks:
            yield pb.UploadExtractRequest(content={"data": chunk})
            await asyncio.sleep(0)

    return await timed(stub.UploadExtract(requests()))
