"""One engine process of this machine: starts it, watches it, and starts it again when it ends."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import grpc.aio
import structlog

from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.client import Address, EngineClient
from ocr_grpc.engines.deadlines import ON_THIS_MACHINE
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import PageDropped, WorkerLost
from ocr_grpc.engines.page_read import PageRead, ReadBegan, ReadTimes
from ocr_grpc.engines.rest import Rest
from ocr_grpc.model import Line
from ocr_grpc.processes import private_bytes
from ocr_grpc.telemetry.process import told_to_children

log = structlog.get_logger()

STEADY_SECONDS = 10.0
"""A worker that lived this long did not fail at its start: it is started again at once."""

MAX_PAUSE_SECONDS = 10.0
STOP_SECONDS = 3.0

MEMORY_EXCESS = 1.5
"""How far beyond its bound a worker may grow while it reads a page."""

MEMORY_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker of a pool is started with."""

    choice: EngineChoice
    spool: Path
    run_dir: Path
    """Folder for the sockets; its path must be short, sockets allow some 100 bytes."""
    memory_bytes: int
    start_seconds: float


class LocalWorker:
    """Supervises one worker process and speaks to it while it is ready."""

    def __init__(
        self, number: int, settings: WorkerSettings, on_change: Callable[["LocalWorker"], None]
    ) -> None:
        # Pools of several engines may share the folder.
        self._socket = settings.run_dir / f"{settings.choice.engine}-{number}.sock"
        self._settings = settings
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._client: EngineClient | None = None
        self.description: EngineDescription | None = None
        self.ready = False
        self.number = number
        self.restarts = 0
        """How often it ended, or did not come up, and was started again."""
        self.in_flight = 0
        self._rest = Rest()

    @property
    def pid(self) -> int | None:
        """Return the process id of the present worker, if one runs."""
        return self._process.pid if self._process else None

    @property
    def slots(self) -> int:
        """Return how many pages it reads at a time."""
        return int(self.ready)

    @property
    def capacity(self) -> int:
        """Return how many pages it may be given: the next one is there at once, as a file."""
        return self.slots

    @property
    def has_room(self) -> bool:
        """Return whether it may be given a page now."""
        return self.ready and not self.in_flight and not self._rest.needed

    @property
    def crowding(self) -> tuple[float, int]:
        """Return how busy it is, for comparison: a page goes nowhere else if it is as free here."""
        return float(self.in_flight), 0

    def refused(self) -> None:
        """Give it no page for a moment: it said that it takes none."""
        self._rest.begin()

    async def run(self) -> None:
        """Keep a worker running until cancelled."""
        pause_seconds = 0.0
        while True:
            began = monotonic()
            try:
                await self._try_once()
            except Exception:
                # Nobody waits for this task: it would end unseen, and the worker with it.
                log.exception("engine_worker_failed", worker=self.number)
            steady = monotonic() - began > STEADY_SECONDS
            pause_seconds = 0.0 if steady else min(MAX_PAUSE_SECONDS, 2 * pause_seconds + 0.1)
            await asyncio.sleep(pause_seconds)
            self.restarts += 1

    async def read(self, page: PageRead) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
        """Yield what the worker reads; see `EngineClient.read`.

        A worker that was lost is out of service at once, and is ended if it was not dead already.
        """
        client = self._client
        if client is None:
            raise WorkerLost("It ended just before its turn.")
        try:
            async with aclosing(client.read(page)) as parts:
                async for part in parts:
                    yield part
        except PageDropped:
            raise
        except WorkerLost:
            if client is self._client:  # else another process runs already
                self._discard()
            raise
        self._rest.end()

    def _discard(self) -> None:
        """Take the worker out of service and end it; `run` starts another."""
        self._set_ready(False)
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _try_once(self) -> None:
        try:
            await self._run_once()
        except (OSError, TimeoutError, grpc.aio.AioRpcError) as error:
            log.error("engine_worker_failed", worker=self.number, error=repr(error))
        finally:
            await self._stop()

    async def _run_once(self) -> None:
        self._socket.unlink(missing_ok=True)
        with _told() as told:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=told,
                stdout=asyncio.subprocess.DEVNULL,
                env=_environment(),
                # A terminal's Ctrl-C must reach `serve` alone, which then lets running pages end.
                start_new_session=True,
            )
        address = Address(f"unix:{self._socket}")
        client = self._client = EngineClient(address, ON_THIS_MACHINE, shares_spool=True)
        ended = asyncio.ensure_future(process.wait())
        start_seconds = self._settings.start_seconds
        described = asyncio.ensure_future(client.describe(start_seconds, wait=True))
        bounded = asyncio.create_task(self._bound_memory(process.pid))
        try:
            await asyncio.wait({ended, described}, return_when=asyncio.FIRST_COMPLETED)
            if described.done():
                self.description = described.result()
                self._rest.end()
                self._set_ready(True)
            code = await ended
        finally:
            for task in (ended, described, bounded):
                task.cancel()
        log.warning("engine_worker_ended", worker=self.number, exit_code=code)

    async def _bound_memory(self, pid: int) -> None:
        """End the worker when one page makes it grow far beyond its bound.

        Otherwise the machine would run out of memory before the page ends. A little more is not
        worth the page: the worker ends itself after it.
        """
        bound = int(MEMORY_EXCESS * self._settings.memory_bytes)
        while True:
            await asyncio.sleep(MEMORY_LOOK_SECONDS)
            used = await asyncio.to_thread(private_bytes, pid)
            if used > bound and self.in_flight:
                break
        log.error("engine_worker_too_large", worker=self.number, used=used, bound=bound)
        self._discard()

    def _set_ready(self, ready: bool) -> None:
        if self.ready is not ready:
            self.ready = ready
            self._on_change(self)

    async def _stop(self) -> None:
        self._set_ready(False)
        if self._client:
            await self._client.close()
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._process = None

    def _command(self) -> list[str]:
        choice = self._settings.choice
        # -P: a module in the folder the service was started in must not pass for a library.
        command = [sys.executable, "-P", "-m", "ocr_grpc.engines.worker"]
        command += ["--socket", str(self._socket), "--spool", str(self._settings.spool)]
        command += ["--parent", str(os.getpid()), "--engine", choice.engine]
        command += ["--backend", choice.backend, "--precision", choice.precision]
        command += ["--binary", choice.binary]
        command += ["--memory-bytes", str(self._settings.memory_bytes), "--told"]
        return command


@contextmanager
def _told() -> Generator[int]:
    """Yield an open file in which a worker finds what to log, report and trace, and to whom."""
    reading, writing = os.pipe()
    try:
        # It fits into the pipe, so this waits for nobody.
        os.write(writing, told_to_children())
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _environment() -> dict[str, str]:
    """Return what a worker needs to know of ours: no secret does it need."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")
    names += ("TESSDATA_PREFIX",)
    kept = {name: os.environ[name] for name in names if name in os.environ}
    # One core each: threads of a numeric library that spin beside the engine only take from it.
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
