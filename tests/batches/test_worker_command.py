"""`ocr-grpc worker`: what it refuses, and that it starts and stops as a process."""

import asyncio
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from ocr_grpc.accounts.tokens import SECRET_FILE
from ocr_grpc.settings import Settings
from ocr_grpc.store.batches import WorkerRow
from ocr_grpc.store.database import Database
from ocr_grpc.wiring.batch_worker import check_shared
from ocr_grpc.wiring.errors import CannotServe
from tests.processes import COMMAND, environment
from tests.telemetry.scraping import health

SECRET = "a secret of servers and of their workers"
PATIENCE_SECONDS = 60


@contextmanager
def worker(folder: Path, **settings: str):
    process = subprocess.Popen(
        [COMMAND, "worker"],
        env=environment(folder, **settings),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "DATABASE_URL"),
        ({"database_url": "sqlite:///here.db", "secret_key": SECRET}, "DATABASE_URL"),
        ({"database_url": "postgresql://nobody@127.0.0.1:1/nothing"}, "SECRET_KEY"),
    ],
)
def test_what_it_must_share_with_servers_is_asked_for(tmp_path, settings, missing):
    with pytest.raises(CannotServe, match=missing):
        check_shared(Settings(_env_file=None, data_dir=tmp_path, **settings))


def test_the_secret_of_a_server_on_this_machine_will_do(tmp_path):
    (tmp_path / SECRET_FILE).write_text(SECRET)
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    check_shared(Settings(_env_file=None, data_dir=tmp_path, database_url=url))


async def test_it_says_when_it_is_ready_and_leaves_when_it_is_told(folder, production):
    settings = {"DATABASE_URL": production.database_url, "SECRET_KEY": SECRET, "BATCH_CHUNKS": "3"}
    database = Database(production.database_url)

    async def workers() -> int:
        async with database.read() as session:
            return await session.scalar(select(func.count()).select_from(WorkerRow))

    with worker(folder, **settings) as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await asyncio.to_thread(process.stdout.readline)
        assert line.startswith("ready worker slots=3 engine=null")
        host, _, port = line.split()[-1].removeprefix("metrics=").rpartition(":")
        assert await health(SimpleNamespace(host=host, metrics_port=int(port))) == (200, "ok")
        assert await workers() == 1
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.to_thread(process.communicate, timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, said
        assert await workers() == 0
    await database.close()
