"""What is over is removed: rows, results and files, but no file that another batch uses."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.errors import BatchNotFound
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.purge import Purge
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import (
    BatchRequestRow,
    BatchRow,
    ChunkRow,
    DocumentRow,
    EventRow,
    FileRow,
    PageRow,
)
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.errors import BlobMissing
from tests.batches.rows import add_batch, all_of

TABLES = (BatchRow, DocumentRow, ChunkRow, PageRow, EventRow, FileRow)


@pytest.fixture
async def blobs(tmp_path):
    opened = Blobs("", tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def purge(database, office, blobs):
    files = Files(database, blobs, 10**9, timedelta(hours=1))
    return Purge(database, office.news, files)


async def add_files(database, blobs) -> None:
    """Give every document the file that its row names."""
    for file_id in {row.file_id for row in await all_of(database, DocumentRow)}:
        await blobs.put_bytes(file_id, b"bytes")
        async with database.write() as session:
            expire_time = utc_now() + timedelta(hours=1)
            row = FileRow(file_id=file_id, user_id="ann", size_bytes=5, sha256="")
            row.expire_time = expire_time
            session.add(row)


async def counts(database) -> list[int]:
    return [len(await all_of(database, table)) for table in TABLES]


async def test_a_deleted_batch_goes_with_its_results_and_files(
    office, database, purge, blobs, tmp_path
):
    batch, _ = await add_batch(database, documents=3)
    await add_files(database, blobs)
    await office.run()
    file_ids = [row.file_id for row in await all_of(database, FileRow)]
    await Ending(database, office.news).delete("ann", batch.batch_id)
    with pytest.raises(BatchNotFound):
        await Ending(database, office.news).delete("ann", batch.batch_id)
    assert await purge.sweep() == 1
    assert await counts(database) == [0] * len(TABLES)
    for file_id in file_ids:
        with pytest.raises(BlobMissing):
            async with blobs.local(file_id, tmp_path):
                pass


async def test_a_batch_that_is_deleted_while_it_is_read_is_cancelled_first(office, database, purge):
    batch, _ = await add_batch(database, state="waiting")
    await Ending(database, office.news).delete("ann", batch.batch_id)
    assert [row.state for row in await all_of(database, ChunkRow)] == ["cancelled"]
    await purge.sweep()
    assert await all_of(database, BatchRow) == []


async def test_only_batches_whose_time_has_passed_expire(office, database, purge):
    first, _ = await add_batch(database)
    second, _ = await add_batch(database)
    await office.run()
    assert await purge.sweep() == 0
    async with database.write() as session:
        past = utc_now() - timedelta(seconds=1)
        mine = BatchRow.batch_id == first.batch_id
        await session.execute(update(BatchRow).where(mine).values(expire_time=past))
    assert await purge.sweep() == 1
    assert [row.batch_id for row in await all_of(database, BatchRow)] == [second.batch_id]


async def test_a_file_that_another_batch_uses_stays(office, database, purge, blobs, tmp_path):
    first, _ = await add_batch(database)
    await add_batch(database)
    async with database.write() as session:
        await session.execute(update(DocumentRow).values(file_id="shared"))
    await add_files(database, blobs)
    await Ending(database, office.news).delete("ann", first.batch_id)
    await purge.sweep()
    async with blobs.local("shared", tmp_path) as path:
        assert path.read_bytes() == b"bytes"


async def test_request_ids_are_remembered_for_a_day_at_least(database, purge):
    now = utc_now()
    ages = {"new": timedelta(hours=25), "old": timedelta(hours=49)}
    async with database.write() as session:
        for request_id, age in ages.items():
            session.add(
                BatchRequestRow(
                    user_id="ann",
                    request_id=request_id,
                    fingerprint=b"",
                    batch_id="x",
                    create_time=now - age,
                )
            )
    await purge.sweep()
    assert [row.request_id for row in await all_of(database, BatchRequestRow)] == ["new"]
