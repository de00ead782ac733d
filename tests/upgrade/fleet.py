"""Servers and workers on one database, each of which can be restarted as in an upgrade."""

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.processes import COMMAND, environment, free_ports

READY_SECONDS = 90.0
END_SECONDS = 60.0
NOTICED_SECONDS = 4.0
"""What docs/upgrade.md wants between two servers: clients that could not reach the one that is back
try again every 3 s, give or take a fifth. Until then the other one is all they have."""


@dataclass
class Process:
    """`ocr-grpc` with one of its roles, and always the same settings."""

    role: tuple[str, ...]
    folder: Path
    settings: dict[str, str]
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Run it until it says that it is ready."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("a") as log:
            self.running = await asyncio.create_subprocess_exec(
                COMMAND,
                *self.role,
                env=environment(self.folder, **self.settings),
                cwd=self.folder,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.running.stdout
        async with asyncio.timeout(READY_SECONDS):
            line = await self.running.stdout.readline()
        assert line.startswith(b"ready"), (self.folder / "log").read_text()[-2000:]

    async def stop(self) -> float:
        """Tell it to end; return how many seconds that took. It must end by itself, and well."""
        assert self.running
        began = monotonic()
        self.running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_SECONDS):
            code = await self.running.wait()
        assert code == 0, (code, (self.folder / "log").read_text()[-2000:])
        return monotonic() - began

    async def kill(self) -> None:
        if self.running and self.running.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.running.kill()
            await self.running.wait()


@dataclass
class Fleet:
    """What serves one installation.

    Attributes:
        addresses: of the servers.
        servers, others: restarted in this order: engine machines and workers are the others.
        said: a line for each restart.
    """

    addresses: list[str]
    servers: list[Process]
    others: list[Process]
    said: list[str] = field(default_factory=list)

    async def start(self) -> None:
        await asyncio.gather(*(each.start() for each in (*self.others, *self.servers)))

    async def restart_each(self) -> None:
        """Restart one process after another, each only when the one before serves again."""
        for process in self.others:
            await self._restart(process)
        for process, address in zip(self.servers, self.addresses, strict=True):
            if process is not self.servers[0]:
                await asyncio.sleep(NOTICED_SECONDS)
            await self._restart(process)
            await serving(address)

    async def _restart(self, process: Process) -> None:
        seconds = await process.stop()
        began = monotonic()
        await process.start()
        name = f"{process.role[0]} {process.folder.name}"
        self.said.append(f"{name}: ended in {seconds:.1f} s, back in {monotonic() - began:.1f} s")
        print(self.said[-1], file=sys.stderr)

    async def close(self) -> None:
        for process in (*self.servers, *self.others):
            await process.kill()


def make_fleet(folder: Path, common: dict[str, str], own_workers: bool) -> Fleet:
    """Return two servers, and if wanted two workers and two engine machines for them.

    Args:
        folder: for everything they keep.
        common: the settings that all of them share.
        own_workers: whether batches and pages are read by processes of their own.
    """
    ports = free_ports(4)
    others: list[Process] = []
    if own_workers:
        engines = {"ENGINE_ENDPOINTS": ",".join(f"127.0.0.1:{port}" for port in ports[2:])}
        for number, port in enumerate(ports[2:]):
            settings = common | {"ENGINE_PORT": str(port)}
            others.append(Process(("engine",), folder / f"engine-{number}", settings))
        common = common | engines
        others += [Process(("worker",), folder / name, common) for name in ("worker-0", "worker-1")]
    common = common | {"BATCHES_IN_SERVE": "false" if own_workers else "true"}
    servers = [
        Process(
            ("serve", "--no-http"), folder / f"server-{number}", common | {"GRPC_PORT": str(port)}
        )
        for number, port in enumerate(ports[:2])
    ]
    return Fleet([f"127.0.0.1:{port}" for port in ports[:2]], servers, others)


async def serving(address: str) -> None:
    """Wait until a server says that it serves, as whoever rolls an upgrade out does."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with (
        asyncio.timeout(READY_SECONDS),
        grpc.aio.insecure_channel(address, options=options) as channel,
    ):
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest()
        while True:
            answer = await stub.Check(request, wait_for_ready=True)
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.1)
