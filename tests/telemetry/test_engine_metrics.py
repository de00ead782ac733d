"""What is told of engine workers, and of machines that run them, is what happened."""

import os
import signal

import pytest

from ocr_grpc.engines.errors import WorkerLost
from tests.engines.machines import BLACK, machine, page, pool, read, until, whiten
from tests.engines.machines import files as pages_on_disk
from tests.support import running
from tests.telemetry.scraping import health, healthy, names, scraped, scraped_when, value

RESTARTS = "ocr_engine_worker_restarts_total"
PAGES = "ocr_engine_pages_total"


async def test_a_machine_counts_the_pages_of_servers_and_what_became_of_them(folder):
    async with (
        machine(folder, engine="hang", engine_workers=1) as engine,
        pool(folder, engine.port, engine="hang") as server,
    ):
        await read(server, page(folder))
        samples = await scraped(engine)
        assert value(samples, PAGES, outcome="ok") == 1
        assert value(samples, "ocr_engine_page_seconds_count") == 1
        assert 0 < value(samples, "ocr_engine_page_seconds_sum") < 60
        assert value(samples, "ocr_engine_pages_in_flight") == 0
        assert value(samples, "process_resident_memory_bytes") > 0
        assert not names(samples) & {"ocr_ledger_up", "ocr_sidecar_up", "ocr_ledger_waiting_rows"}

        parts = server.read(page(folder, BLACK))
        await anext(parts)
        assert value(await scraped(engine), "ocr_engine_pages_in_flight") == 1
        (path,) = pages_on_disk(folder)
        whiten(path)
        async for _ in parts:
            pass
        await scraped_when(engine, lambda found: value(found, PAGES, outcome="ok") == 2)

        parts = server.read(page(folder, BLACK))
        await anext(parts)
        await parts.aclose()
        await scraped_when(engine, lambda found: value(found, PAGES, outcome="cancelled") == 1)
        samples = await scraped_when(engine, lambda found: value(found, RESTARTS, engine="hang"))
        assert value(samples, "ocr_engine_page_seconds_count") == 2


async def test_a_machine_whose_worker_dies_over_a_page_says_so_until_there_is_another(folder):
    async with (
        machine(folder, engine="crash") as engine,
        pool(folder, engine.port, engine="crash") as server,
    ):
        assert await health(engine) == (200, "ok")
        with pytest.raises(WorkerLost):
            await read(server, page(folder, BLACK))
        await healthy(engine, (503, "no_engine"))
        await healthy(engine, (200, "ok"))
        samples = await scraped_when(engine, lambda found: value(found, RESTARTS, engine="crash"))
        assert value(samples, PAGES, outcome="worker_lost") == 1
        assert value(samples, "ocr_engine_page_seconds_count") == 0
        assert value(samples, "ocr_engine_workers", engine="crash") == 1


async def test_a_server_knows_how_many_machines_stand_behind_each_name_and_which_read(
    folder, tmp_path
):
    async with machine(folder) as engine:
        there, nowhere = f"127.0.0.1:{engine.port}", "127.0.0.1:1"
        endpoints = f"{there},{nowhere}"
        async with running(
            tmp_path, engine_workers=0, engine_endpoints=endpoints, engine_tls=False
        ) as server:
            ready = "ocr_engine_machines_ready"
            samples = await scraped_when(server, lambda found: value(found, ready))
            assert value(samples, ready, endpoint=there) == 1
            assert value(samples, ready, endpoint=nowhere) == 0
            assert value(samples, "ocr_engine_machines", endpoint=there) == 1
            assert value(samples, "ocr_engine_machines") == 2
            (pid,) = engine.pool.worker_pids
            os.kill(pid, signal.SIGKILL)
            await until(lambda: engine.pool.restarts)
            await scraped_when(server, lambda found: value(found, ready, endpoint=there) == 1)
