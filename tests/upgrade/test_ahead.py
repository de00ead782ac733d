"""This version serves on a database that the next version has already migrated."""

import asyncio
import subprocess
from pathlib import Path

from ocr_grpc.store.database import Database
from ocr_grpc.v1 import access_pb2, usage_service_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import ADMIN_PASSWORD, House
from tests.processes import COMMAND, environment, serve
from tests.support import TEXT_LAYER_ONLY, text_pdf
from tests.upgrade.history import NEXT, migrate_ahead
from tests.upgrade.kept import channel

TEXT = b"# Oak boards\n\nThree pieces.\n"


def settings_of(backend) -> dict[str, str]:
    settings = {name.upper(): value for name, value in backend.settings.items()}
    settings |= {"SECRET_KEY": "a secret that both versions have, of course"}
    settings |= {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD}
    return settings | {"BATCHES_IN_SERVE": "true"}


async def use_all_of_it(address: str) -> None:
    """Write to every table that got new columns, and read from it."""
    async with asyncio.timeout(60), channel(address) as opened:
        home = House(opened)
        user_id, user = await home.register("ann")
        _, key = await home.key(user, access_pb2.SCOPE_OCR, access_pb2.SCOPE_BATCHES)
        extract = pb.ExtractRequest(content=text_pdf(2), options={"mode": TEXT_LAYER_ONLY})
        assert len((await home.ocr.Extract(extract, metadata=key)).pages) == 2
        batch = batch_pb.CreateBatchRequest(documents=[{"content": TEXT}])
        made = (await home.batches.CreateBatch(batch, metadata=key)).batch
        watching = batch_pb.WatchBatchRequest(batch_id=made.batch_id)
        events = [each async for each in home.batches.WatchBatch(watching, metadata=key)]
        assert events[-1].finished.progress.documents_finished == 1
        summary = usage_service_pb2.GetUsageSummaryRequest()
        used = await home.usage.GetUsageSummary(summary, metadata=user)
        assert used.quota.used_pages == 3
        delete = admin_pb.DeleteUserRequest(user_id=user_id)
        await home.admins.DeleteUser(delete, metadata=await home.admin())


def warned_of(log: Path) -> None:
    text = log.read_text()
    assert '"database_newer"' in text
    assert NEXT in text
    assert '"level": "error"' not in text


async def test_the_next_version_migrates_while_this_one_serves(production, tmp_path):
    settings, database = settings_of(production), Database(production.database_url)
    with serve(tmp_path, **settings) as (_, address):
        async with channel(address) as opened:
            user_id, _ = await House(opened).register("bob")
        await migrate_ahead(database, tmp_path)
        await database.close()
        await use_all_of_it(address)
        async with channel(address) as opened:
            assert (await House(opened).login("bob")).user.user_id == user_id


async def test_a_database_of_the_next_version_is_served_with_a_warning(embedded, tmp_path):
    database = Database(embedded.database_url)
    await migrate_ahead(database, tmp_path)
    await database.close()
    settings = settings_of(embedded)
    with serve(tmp_path, **settings) as (_, address):
        await use_all_of_it(address)
    warned_of(tmp_path / "serve.log")
    said = await asyncio.gather(
        migrated(tmp_path, settings, "--check"), migrated(tmp_path, settings)
    )
    assert "which a newer version made" in said[0]
    assert "nothing is done" in said[1]


async def migrated(folder: Path, settings: dict[str, str], *words: str) -> str:
    command = [COMMAND, "migrate", *words]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment(folder, **settings), cwd=folder,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
