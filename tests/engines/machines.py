"""Engine machines inside the test, pools that use them, and pages that end when a test wants it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.endpoints import Endpoint
from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.errors import WorkerLost
from ocr_grpc.engines.fleet import FleetSettings
from ocr_grpc.engines.link import Link
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.engines.page_read import PageRead
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.model import PageGeometry, RenderedPage
from ocr_grpc.settings import Settings
from ocr_grpc.wiring.engine_machine import EngineMachine

PLAIN = Link(tls=False)
PATIENCE_SECONDS = 60

BLACK, WHITE = 0, 255
"""The first pixel: engines that fail on purpose fail on a black one."""


@asynccontextmanager
async def machine(folder: Path, **settings) -> AsyncIterator[EngineMachine]:
    values = {"engine": "null", "engine_workers": 1, "engine_port": 0, "engine_tls": False}
    values |= {"metrics_port": 0, "shutdown_grace_seconds": 0, "data_dir": folder / "machine"}
    running = EngineMachine(Settings(_env_file=None, **values | settings))
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


@asynccontextmanager
async def pool(
    folder: Path,
    *ports: int,
    engine: str = "null",
    local: int = 0,
    link: Link = PLAIN,
    start: bool = True,
    silence_seconds: float = 15,
    host: str = "localhost",
) -> AsyncIterator[EnginePool]:
    endpoints = tuple(Endpoint(host, port) for port in ports)
    fleet = FleetSettings(endpoints, link, 0.5, silence_seconds) if ports else None
    settings = WorkerSettings(EngineChoice(engine), folder, folder, 2**31, PATIENCE_SECONDS)
    made = EnginePool(settings, local, fleet)
    starting = asyncio.create_task(made.start())
    if start:
        await starting
    try:
        yield made
    finally:
        starting.cancel()
        await made.close()


def page(
    folder: Path,
    first: int = WHITE,
    caller: str = "a",
    timeout_seconds: float = PATIENCE_SECONDS,
    size: tuple[int, int] = (10, 10),
) -> PageRead:
    """Return a page in a file of its own."""
    path = folder / f"{time.monotonic_ns()}"
    path.write_bytes(bytes([first]) + bytes(size[0] * size[1] - 1))
    rendered = RenderedPage(path, PageGeometry(*size, 150), 1)
    return PageRead(rendered, ReadOptions(words=True), caller, "e", 1, timeout_seconds)


def files(folder: Path) -> list[Path]:
    """Return the files of the pages that a machine has now."""
    return list((folder / "machine" / "spool").glob("*/page-*"))


def whiten(path: Path) -> None:
    """Have an engine that hangs over the page in this file read on."""
    with path.open("r+b") as file:
        file.write(bytes([WHITE]))


async def read(pool: EnginePool, what: PageRead) -> list:
    async with aclosing(pool.read(what)) as parts:
        return [part async for part in parts]


async def read_at_last(pool: EnginePool, what: PageRead) -> list:
    """Read a page as extraction does: again when a worker is lost."""
    while True:
        with suppress(WorkerLost):
            return await read(pool, what)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - nothing tells of what other processes do
            await asyncio.sleep(0.02)
