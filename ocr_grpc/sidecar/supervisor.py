"""Runs Envoy: starts it, watches it, starts it again when it ends, and lets it drain."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import httpx
import structlog
from google.protobuf.descriptor import ServiceDescriptor

from ocr_grpc.sidecar.admin import EnvoyAdmin
from ocr_grpc.sidecar.bootstrap import bootstrap
from ocr_grpc.sidecar.envoy import command, validate
from ocr_grpc.sidecar.errors import SidecarFailed
from ocr_grpc.sidecar.http_log import HttpCall, read_line
from ocr_grpc.sidecar.plan import SidecarPlan

log = structlog.get_logger()

START_SECONDS = 20.0
POLL_SECONDS = 0.02
WATCH_SECONDS = 2.0
SILENT_CHECKS = 3
"""After so many unanswered questions, one each `WATCH_SECONDS`, it is taken for hung."""

MIN_LIFE_SECONDS = 0.2
"""One that was ready and ends is started again at once, but not more often than this."""

MAX_PAUSE_SECONDS = 5.0
"""Starts that fail are tried again after longer and longer pauses, up to this."""


@dataclass(frozen=True, slots=True)
class SidecarFiles:
    """What is needed to run one.

    Attributes:
        envoy: the program.
        folder: for configuration and sockets; readable by the owner only, its path short.
        drain_seconds: what running calls get when it is stopped.
    """

    envoy: Path
    folder: Path
    drain_seconds: float


class Sidecar:
    """One Envoy process after another. `start`, then `stop`."""

    def __init__(
        self,
        plan: SidecarPlan,
        services: Sequence[ServiceDescriptor],
        files: SidecarFiles,
        on_change: Callable[[bool], None] = lambda _: None,
        on_call: Callable[[HttpCall], None] = lambda _: None,
        on_active: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take what to do.

        Args:
            plan: its `admin_socket` must be set.
            services: the services it transcodes.
            files: program and folder.
            on_change: told whether it is up, whenever that changes.
            on_call: told of each HTTP call that is over, if the plan says `log_calls`.
            on_active: told how many calls are under way, each `WATCH_SECONDS`.
        """
        if plan.admin_socket is None:
            raise ValueError("A sidecar is watched through its administration.")
        self._plan = plan
        self._services = services
        self._files = files
        self._on_change = on_change
        self._on_call = on_call
        self._on_active = on_active
        self.is_up = False
        """Whether it listens, as far as is known."""
        self._admin = EnvoyAdmin(plan.admin_socket)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []
        self._watching: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return self._plan.port

    @property
    def pid(self) -> int | None:
        """Return the process id of the present Envoy, if one runs."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Check the configuration, start Envoy and wait until it listens.

        Raises:
            SidecarFailed: it does not start.
        """
        config = await self._configure()
        await validate(self._files.envoy, config)
        try:
            await self._launch()
            # A free port is chosen once: clients find it again after a crash.
            self._plan = replace(self._plan, port=await self._admin.port())
            await self._configure()
        except BaseException:
            await self._end()
            raise
        self._watching = asyncio.create_task(self._watch())

    async def drain(self) -> None:
        """Ask clients to leave. Calls that run go on, and new ones are still taken."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        with suppress(httpx.HTTPError):
            await self._admin.drain()

    async def stop(self) -> None:
        """End it as soon as no call is under way, or the time to drain is over."""
        try:
            async with asyncio.timeout(self._files.drain_seconds):
                while await self._admin.active_requests():  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(POLL_SECONDS)
        except (TimeoutError, httpx.HTTPError):
            pass
        await self.close()

    async def close(self) -> None:
        """End it now. May be called again."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await self._end()
        await self._admin.close()

    async def _configure(self) -> Path:
        config = self._files.folder / "envoy.json"
        text = json.dumps(bootstrap(self._plan, self._services))
        await asyncio.to_thread(config.write_text, text)
        return config

    async def _launch(self) -> None:
        arguments = command(
            self._files.envoy, self._files.folder / "envoy.json", self._files.drain_seconds
        )
        process = self._process = await asyncio.create_subprocess_exec(
            *arguments,
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A terminal's Ctrl-C must reach `serve` alone, which then lets running calls end.
            start_new_session=True,
        )
        said: list[str] = []
        self._reading = [
            asyncio.create_task(_log_lines(process.stderr, said)),
            asyncio.create_task(self._hear_calls(process.stdout)),
        ]
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._admin.is_ready():
                    if process.returncode is not None:
                        await asyncio.wait(self._reading)
                        raise SidecarFailed(f"Envoy ended at its start: {' '.join(said[-3:])}")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise SidecarFailed(f"Envoy was not ready after {START_SECONDS:g} s.") from None
        self._tell(True)

    def _tell(self, up: bool) -> None:
        self.is_up = up
        self._on_change(up)

    async def _watch(self) -> None:
        """Keep it running until cancelled."""
        pause_seconds = 0.0
        began = monotonic()
        while True:
            await self._until_over()
            self._tell(False)
            code = self._process.returncode if self._process else None
            log.error("sidecar_ended", code=code)
            await self._end()
            await asyncio.sleep(max(pause_seconds, began + MIN_LIFE_SECONDS - monotonic()))
            began = monotonic()
            try:
                await self._launch()
                pause_seconds = 0.0
                log.info("sidecar_restarted", seconds=round(monotonic() - began, 2))
            except (SidecarFailed, OSError) as failure:
                pause_seconds = min(MAX_PAUSE_SECONDS, 2 * pause_seconds + 0.1)
                log.error("sidecar_failed", error=str(failure))

    async def _until_over(self) -> None:
        """Wait until the process has ended, or answers nothing any more."""
        if self._process is None:
            return
        silent = 0
        over = asyncio.create_task(self._process.wait())
        try:
            while silent < SILENT_CHECKS and not over.done():
                await asyncio.wait({over}, timeout=WATCH_SECONDS)
                silent = 0 if await self._admin.is_ready() else silent + 1
                if not silent:
                    with suppress(httpx.HTTPError):
                        self._on_active(await self._admin.active_requests())
            if not over.done():
                self._process.kill()  # it would not hear a polite word
        finally:
            over.cancel()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process and process.returncode is None:
            # SIGTERM cuts calls as well, but takes a second: threads of its are waited for.
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reading:
            await asyncio.wait(self._reading)
            self._reading = []

    async def _hear_calls(self, stream: asyncio.StreamReader | None) -> None:
        """Tell of each call as Envoy does."""
        async for line in _lines(stream):
            if call := read_line(line):
                self._on_call(call)


async def _lines(stream: asyncio.StreamReader | None) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a stream, but those longer than its buffer."""
    while stream:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        yield line


async def _log_lines(stream: asyncio.StreamReader | None, said: list[str]) -> None:
    """Log what Envoy says, and keep its last words."""
    async for line in _lines(stream):
        text = line.decode(errors="replace").strip()
        said[:] = [*said[-4:], text[:500]]
        log.warning("sidecar_says", line=text[:500])
