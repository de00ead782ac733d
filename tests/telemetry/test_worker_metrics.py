"""What `ocr-grpc worker` tells of itself, and when it says that it cannot work."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url

from ocr_grpc.settings import Settings
from ocr_grpc.wiring.batch_worker import DATABASE_SECONDS, BatchWorker
from tests.telemetry.scraping import health, healthy, names, scraped_when, value

SECRET = "a secret of servers and of their workers"

TOLD = {
    "ocr_batch_chunks_running",
    "ocr_batch_chunks_waiting",
    "ocr_batch_age_seconds",
    "ocr_batch_pages_total",
    "ocr_queue_documents",
    "ocr_readers_busy",
    "ocr_engine_workers",
    "ocr_engine_workers_ready",
    "ocr_engine_worker_restarts_total",
    "ocr_database_connections_limit",
    "ocr_disk_free_bytes",
    "process_resident_memory_bytes",
}
OF_SERVERS = {"ocr_ledger_up", "ocr_sidecar_up", "ocr_redis_up"}


@asynccontextmanager
async def cut(database_url: str) -> AsyncIterator[None]:
    """Let nobody use a database for as long as the block lasts."""
    url = make_url(database_url)
    other = url.set(database="postgres").render_as_string(hide_password=False)
    keeper = await asyncpg.connect(other)
    allow = f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS"
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
    await keeper.execute(f"{allow} false")
    try:
        await keeper.execute(end.replace("$1", f"'{url.database}'"))
        yield
    finally:
        await keeper.execute(f"{allow} true")
        await keeper.close()


async def test_a_worker_tells_of_its_work_and_what_keeps_it_from_it(folder, production):
    values = {"engine": "null", "engine_workers": 1, "readers": 1, "office_readers": 1}
    values |= {"tesseract_workers": 0, "metrics_port": 0, "secret_key": SECRET}
    values |= {"database_url": production.database_url, "data_dir": folder / "data"}
    worker = BatchWorker(Settings(_env_file=None, **values))
    await worker.start()
    try:
        assert await health(worker) == (200, "ok")
        samples = await scraped_when(worker, lambda found: names(found) >= TOLD)
        assert not names(samples) & OF_SERVERS
        assert value(samples, "ocr_engine_workers_ready", engine="null") == 1

        (pid,) = worker.engine.worker_pids
        os.kill(pid, signal.SIGKILL)
        await healthy(worker, (503, "no_engine"))
        await healthy(worker, (200, "ok"))

        async with cut(production.database_url):
            # As if so much time had passed; only an answer of the database sets it right.
            worker._database.answered_at -= 2 * DATABASE_SECONDS
            await healthy(worker, (503, "no_database"))
        await healthy(worker, (200, "ok"))

        await worker._work.stop()
        assert await health(worker) == (503, "no_work")
    finally:
        await worker.stop()
