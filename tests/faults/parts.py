"""A process of the trial: started again whenever it is gone, and broken in all ways there are."""

import asyncio
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

START_SECONDS = 120.0
STOP_SECONDS = 60.0
AGAIN_SECONDS = 0.5


class Part:
    """One process with all its children, in a session of its own."""

    def __init__(
        self, name: str, command: Sequence[str], environment: dict[str, str], folder: Path
    ) -> None:
        """Start nothing yet.

        Args:
            name: such as `serve-1`; what stands before the last dash is its role.
            command: says `ready` in a line once it is.
            environment: all of it.
            folder: where its log goes, and where it runs.
        """
        self.name, self.role = name, name.rpartition("-")[0] or name
        self.log = folder / f"{name}.log"
        self._command, self._environment, self._folder = command, environment, folder
        self._says_ready = True
        self._keeping: asyncio.Task[None] | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.ready = asyncio.Event()
        self.family: set[psutil.Process] = set()
        """Every process seen below it so far; sandboxes have sessions of their own."""
        self.starts: list[float] = []
        """Seconds each start took."""

    @classmethod
    def silent(
        cls, name: str, command: Sequence[str], environment: dict[str, str], folder: Path
    ) -> "Part":
        """Return a part that never says that it is ready."""
        part = cls(name, command, environment, folder)
        part._says_ready = False
        return part

    async def start(self) -> None:
        """Start it, wait until it is ready, and keep it running from now on."""
        await self._start()
        if not self.ready.is_set():
            raise RuntimeError(f"{self.name} did not start: {self.log.read_text()[-2000:]}")
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it for good."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self.process and self.process.returncode is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
            except TimeoutError:
                self.send(signal.SIGKILL)
                await self.process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there; its children get none."""
        with suppress(ProcessLookupError):
            if self.process and self.process.returncode is None:
                self.process.send_signal(number)

    async def say(self, word: str) -> None:
        """Write a line to its standard input."""
        if self.process and self.process.stdin:
            self.process.stdin.write(f"{word}\n".encode())
            await self.process.stdin.drain()

    def children(self, word: str) -> list[psutil.Process]:
        """Return the processes below it that have a word in their command."""
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            if self.process:
                for each in psutil.Process(self.process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        if word in " ".join(each.cmdline()):
                            found.append(each)
        return found

    def members(self) -> list[psutil.Process]:
        """Return the process and all below it, and remember them."""
        with suppress(psutil.NoSuchProcess):
            if self.process and self.process.returncode is None:
                itself = psutil.Process(self.process.pid)
                found = [itself, *itself.children(recursive=True)]
                self.family.update(found)
                return found
        return []

    def orphans(self) -> list[psutil.Process]:
        """Return processes that were left behind by one that was killed."""
        now = set(self.members())
        self.family = set(alive(self.family))
        return [each for each in self.family if each not in now]

    async def _keep(self) -> None:
        while self.process:
            await self.process.wait()
            self.ready.clear()
            await self._start()
            if not self.ready.is_set():
                await asyncio.sleep(AGAIN_SECONDS)

    async def _start(self) -> None:
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                cwd=self._folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE if self._says_ready else log,
                stderr=log,
                start_new_session=True,
            )
        if self._says_ready and not await self._is_ready():
            return
        self.starts.append(time.monotonic() - began)
        self.ready.set()

    async def _is_ready(self) -> bool:
        assert self.process
        assert self.process.stdout
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while line := await self.process.stdout.readline():
                    if line.split()[:1] == [b"ready"]:
                        return True
        return False  # it was killed before, or did not start: its log says why


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run, zombies aside."""
    found: list[psutil.Process] = []
    for each in processes:
        with suppress(psutil.Error):
            if each.is_running() and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
    return found
