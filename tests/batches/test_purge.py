"""What is over is removed: rows, results and files, but no file that another batch uses."""

from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import event, text, update

from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.errors import BatchNotFound
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.purge import Purge
from ocr_grpc.batches.removal import PAGES_AT_ONCE, ROWS_AT_ONCE
from ocr_grpc.batches.sources import Sources
from ocr_grpc.store.accounts import UserRow
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
from ocr_grpc.store.new_rows import table_of
from tests.batches.rows import SEAL, add_batch, all_of

TABLES = (BatchRow, DocumentRow, ChunkRow, PageRow, EventRow, FileRow)


@pytest.fixture
async def blobs(tmp_path):
    opened = Blobs("", tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def purge(database, office, blobs):
    files = Files(database, blobs, 10**9, timedelta(hours=1))
    sources = Sources(database, files, SEAL, timedelta(hours=1))
    return Purge(database, office.news, files, sources)


async def add_files(database, blobs) -> None:
    """Give every document the file that its row names."""
    for file_id in {row.file_id for row in await all_of(database, DocumentRow)}:
        await blobs.put_bytes(file_id, b"bytes")
        async with database.write() as session:
            expire_time = utc_now() + timedelta(hours=1)
            row = FileRow(file_id=file_id, user_id="ann", size_bytes=5, sha256="")
            row.expire_time = expire_time
            session.add(row)


class Removed:
    """What was removed by statements, and not by foreign keys: how many rows each time."""

    def __init__(self, database) -> None:
        self.rows = defaultdict(list)
        event.listen(database.engine.sync_engine, "after_cursor_execute", self._saw)

    def _saw(self, connection, cursor, statement, *_) -> None:
        if statement.startswith("DELETE FROM "):
            self.rows[statement.split()[2]].append(cursor.rowcount)


async def add_rows(database, kind, rows) -> None:
    async with database.write() as session:
        await session.execute(table_of(kind).insert(), rows)


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


async def test_many_pages_and_events_go_a_few_at_a_time(office, database, purge):
    batch, chunks = await add_batch(database, documents=2)
    pages, events = PAGES_AT_ONCE * 3 // 2, ROWS_AT_ONCE + 99
    page = {"outcome": "ok", "reason": "", "result": b""}
    rows = [
        {"document_id": chunk.document_id, "page_number": number, **page}
        for chunk in chunks
        for number in range(pages)
    ]
    await add_rows(database, PageRow, rows)
    told = {"batch_id": batch.batch_id, "create_time": utc_now(), "kind": "", "progress": []}
    await add_rows(
        database, EventRow, [{"sequence": number, **told} for number in range(9, events)]
    )
    await Ending(database, office.news).delete("ann", batch.batch_id)
    removed = Removed(database)
    assert await purge.sweep() == 1
    assert await counts(database) == [0] * len(TABLES)
    of_pages, of_events = removed.rows["batch_pages"], removed.rows["batch_events"]
    assert (sum(of_pages), max(of_pages)) == (2 * pages, PAGES_AT_ONCE)
    assert sum(of_events) == events - 8  # with the one of its end
    assert max(of_events) == ROWS_AT_ONCE


async def test_a_batch_that_cannot_be_removed_holds_up_nothing_else(
    office, database, purge, blobs, tmp_path
):
    stuck, _ = await add_batch(database)
    other, _ = await add_batch(database)
    async with database.write() as session:
        await session.execute(
            text("CREATE TABLE holds (batch_id VARCHAR(64) REFERENCES batches (batch_id))")
        )
        await session.execute(text("INSERT INTO holds VALUES (:id)"), {"id": stuck.batch_id})
        session.add(
            FileRow(file_id="old", user_id="bob", size_bytes=5, sha256="", expire_time=utc_now())
        )
    await blobs.put_bytes("old", b"bytes")
    for each in (stuck, other):
        await Ending(database, office.news).delete("ann", each.batch_id)
    assert await purge.sweep() == 1
    assert [row.batch_id for row in await all_of(database, BatchRow)] == [stuck.batch_id]
    assert await all_of(database, FileRow) == []


async def test_what_somebody_leaves_who_was_deleted_goes_too(
    office, database, purge, blobs, tmp_path
):
    people = {"ann": utc_now(), "bob": None}
    for user_id, delete_time in people.items():
        async with database.write() as session:
            session.add(UserRow(user_id=user_id, user_name=user_id, delete_time=delete_time))
            upload = FileRow(file_id=f"of-{user_id}", user_id=user_id, size_bytes=5, sha256="")
            upload.uploaded, upload.expire_time = True, utc_now() + timedelta(days=1)
            # Its server was killed while it came.
            part = FileRow(file_id=f"part-of-{user_id}", user_id=user_id, size_bytes=0, sha256="")
            part.uploaded, part.expire_time = False, utc_now() + timedelta(days=7)
            session.add_all([upload, part])
        await blobs.put_bytes(f"of-{user_id}", b"bytes")
        await add_batch(database, user_id=user_id, state="waiting")
    await add_batch(database, user_id="ann")
    await office.run()
    await add_batch(database, user_id="ann", state="waiting")
    assert await purge.sweep() == 3
    for table in (BatchRow, DocumentRow, ChunkRow, FileRow):
        assert {row.user_id for row in await all_of(database, table)} == {"bob"}
    with pytest.raises(BlobMissing):
        async with blobs.local("of-ann", tmp_path):
            pass


async def test_request_ids_are_remembered_for_a_day_at_least(database, purge):
    now = utc_now()
    ages = {"new": timedelta(hours=23), "old": timedelta(hours=25)}
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
