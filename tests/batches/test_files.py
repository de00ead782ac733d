"""The files of documents: how they come, who uses them, and when they go."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from ocr_grpc.batches.errors import UploadNotFound, UploadsFull
from ocr_grpc.batches.files import Files
from ocr_grpc.documents.errors import DocumentTooLarge, EmptyDocument
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import BatchRow, DocumentRow, FileRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.errors import BlobMissing, BlobsUnavailable
from tests.batches.rows import add_batch, all_of, one_of, person

LIMIT = 1000
WEEK = timedelta(days=7)
ANN, BEN = person(user_id="ann"), person(user_id="ben")


@pytest.fixture
def blobs(tmp_path) -> Blobs:
    return Blobs("", tmp_path)


@pytest.fixture
def files(database, blobs) -> Files:
    return Files(database, blobs, LIMIT, WEEK)


async def chunks(*parts: bytes) -> AsyncGenerator[bytes, None]:
    for part in parts:
        yield part


async def kept(blobs: Blobs, file_id: str, tmp_path) -> bytes | None:
    try:
        async with blobs.local(file_id, tmp_path) as path:
            return path.read_bytes()
    except BlobMissing:
        return None


def bytes_on_disk(tmp_path) -> list[str]:
    return [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


async def use(database, file_id: str, **fields) -> str:
    """Have a document of a new batch use a file; return its id."""
    batch, _ = await add_batch(database, **fields)
    async with database.write() as session:
        mine = update(DocumentRow).where(DocumentRow.batch_id == batch.batch_id)
        await session.execute(mine.values(file_id=file_id, upload_id=file_id))
    where = DocumentRow.batch_id == batch.batch_id
    return (await one_of(database, DocumentRow, where)).document_id


async def unuse(database, document_id: str) -> None:
    async with database.write() as session:
        await session.execute(delete(DocumentRow).where(DocumentRow.document_id == document_id))


async def age(database, file_id: str, by: timedelta) -> None:
    async with database.write() as session:
        old = update(FileRow).where(FileRow.file_id == file_id)
        await session.execute(old.values(expire_time=utc_now() - by))


async def test_an_upload_is_kept_with_its_hash_for_as_long_as_it_may_wait(
    files, blobs, database, tmp_path
):
    row = await files.receive(ANN, "a.pdf", chunks(b"one ", b"two"), LIMIT)
    assert await one_of(database, FileRow) is not row
    found = await one_of(database, FileRow)
    assert (found.file_id, found.user_id, found.uploaded) == (row.file_id, "ann", True)
    assert (found.file_name, found.size_bytes) == ("a.pdf", 7)
    assert found.sha256 == hashlib.sha256(b"one two").hexdigest() == row.sha256
    assert found.expire_time - found.create_time == WEEK
    assert await kept(blobs, row.file_id, tmp_path) == b"one two"


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([], EmptyDocument),
        ([b"", b""], EmptyDocument),
        ([b"x" * 60, b"x" * 41], DocumentTooLarge),
    ],
    ids=["nothing", "empty messages", "too large"],
)
async def test_an_upload_that_is_refused_leaves_nothing(files, database, tmp_path, parts, error):
    with pytest.raises(error):
        await files.receive(ANN, "a.pdf", chunks(*parts), 100)
    assert not await all_of(database, FileRow)
    assert not bytes_on_disk(tmp_path)


async def test_an_upload_that_is_cancelled_leaves_nothing(files, database, tmp_path):
    arrived = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        yield b"x" * 10
        arrived.set()
        await asyncio.Event().wait()

    receiving = asyncio.create_task(files.receive(ANN, "a.pdf", endless(), LIMIT))
    await arrived.wait()
    assert [row.uploaded for row in await all_of(database, FileRow)] == [False]
    receiving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert not await all_of(database, FileRow)
    assert not bytes_on_disk(tmp_path)


async def test_uploads_of_one_user_are_bounded_until_a_batch_uses_them(files, database, tmp_path):
    first = await files.receive(ANN, "a.pdf", chunks(b"x" * 600), LIMIT)
    with pytest.raises(UploadsFull):
        await files.receive(ANN, "b.pdf", chunks(b"x" * 401), LIMIT)
    assert bytes_on_disk(tmp_path) == [first.file_id]
    await files.receive(BEN, "b.pdf", chunks(b"x" * 401), LIMIT)
    await files.receive(ANN, "b.pdf", chunks(b"x" * 400), LIMIT)

    async def never() -> AsyncGenerator[bytes, None]:
        raise AssertionError("It is full, so not a byte is taken.")
        yield b""

    with pytest.raises(UploadsFull):
        await files.receive(ANN, "c.pdf", never(), LIMIT)
    await use(database, first.file_id)
    await files.receive(ANN, "c.pdf", chunks(b"x" * 600), LIMIT)


async def test_uploads_at_the_same_time_are_bounded_together(files, database, tmp_path):
    half, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncGenerator[bytes, None]:
        yield b"x" * 600
        half.set()
        await go_on.wait()

    receiving = asyncio.create_task(files.receive(ANN, "a.pdf", slow(), LIMIT))
    await half.wait()
    with pytest.raises(UploadsFull):
        await files.receive(ANN, "b.pdf", chunks(b"x" * 401), LIMIT)
    go_on.set()
    assert [row.file_id for row in await all_of(database, FileRow)] == [(await receiving).file_id]


async def test_what_another_server_took_meanwhile_counts_at_the_end(
    files, blobs, database, tmp_path
):
    other = Files(database, blobs, LIMIT, WEEK)

    async def slow() -> AsyncGenerator[bytes, None]:
        yield b"x" * 600
        await other.receive(ANN, "b.pdf", chunks(b"x" * 401), LIMIT)

    with pytest.raises(UploadsFull):
        await files.receive(ANN, "a.pdf", slow(), LIMIT)
    assert [row.file_name for row in await all_of(database, FileRow)] == ["b.pdf"]
    assert len(bytes_on_disk(tmp_path)) == 1


async def test_a_deleted_upload_is_gone_at_once(files, blobs, database, tmp_path):
    row = await files.receive(ANN, "a.pdf", chunks(b"x"), LIMIT)
    for user_id, upload_id in (("ben", row.file_id), ("ann", "other"), ("ann", "\0")):
        with pytest.raises(UploadNotFound):
            await files.delete(user_id, upload_id)
    await files.delete("ann", row.file_id)
    assert not await all_of(database, FileRow)
    assert not bytes_on_disk(tmp_path)
    with pytest.raises(UploadNotFound):
        await files.delete("ann", row.file_id)


async def test_a_batch_keeps_the_bytes_of_a_deleted_upload_until_it_goes(
    files, blobs, database, tmp_path
):
    row = await files.receive(ANN, "a.pdf", chunks(b"x"), LIMIT)
    document_id = await use(database, row.file_id)
    await files.delete("ann", row.file_id)
    with pytest.raises(UploadNotFound):
        await files.delete("ann", row.file_id)
    assert await files.sweep() == 0
    await files.release([row.file_id])
    assert await kept(blobs, row.file_id, tmp_path) == b"x"
    await unuse(database, document_id)
    await files.release([row.file_id, "one that is no more"])
    assert not await all_of(database, FileRow)
    assert not bytes_on_disk(tmp_path)


async def test_a_batch_that_is_being_made_of_an_upload_keeps_its_bytes(
    files, blobs, database, tmp_path
):
    row = await files.receive(ANN, "a.pdf", chunks(b"x"), LIMIT)
    async with database.write() as session:
        # As whoever makes a batch does it; see `batches/creation.py`.
        named = select(FileRow).where(FileRow.file_id == row.file_id, FileRow.uploaded.is_(True))
        assert (await session.execute(named.with_for_update(read=True))).one()
        deleting = asyncio.create_task(files.delete("ann", row.file_id))
        await asyncio.wait({deleting}, timeout=0.2)  # it waits, unless it has not begun
        assert not deleting.done()
        batch = BatchRow(user_id="ann", options=b"", retention_hours=1)
        session.add(batch)
        await session.flush()
        document = {"user_id": "ann", "number": 1, "file_id": row.file_id}
        session.add(DocumentRow(batch_id=batch.batch_id, **document))
    await deleting
    assert not (await one_of(database, FileRow)).uploaded
    assert await kept(blobs, row.file_id, tmp_path) == b"x"


async def test_an_upload_goes_with_the_last_batch_that_used_it(files, blobs, database, tmp_path):
    row = await files.receive(ANN, "a.pdf", chunks(b"x"), LIMIT)
    first, last = [await use(database, row.file_id) for _ in range(2)]
    await unuse(database, first)
    await files.release([row.file_id])
    assert (await one_of(database, FileRow)).uploaded  # others may name it yet
    assert await kept(blobs, row.file_id, tmp_path) == b"x"
    await unuse(database, last)
    await files.release([row.file_id])
    assert not await all_of(database, FileRow)
    assert await kept(blobs, row.file_id, tmp_path) is None


async def test_all_bytes_of_a_user_are_bounded_whatever_uses_them(database, blobs, tmp_path):
    files = Files(database, blobs, LIMIT, WEEK, max_stored_bytes=1500)
    used = await files.receive(ANN, "a.pdf", chunks(b"x" * 1000), LIMIT)
    await use(database, used.file_id)
    await files.store_fetched("ann", chunks(b"x" * 400), "b.pdf", LIMIT)
    for coming in (
        files.store_fetched("ann", chunks(b"x" * 101), "c.pdf", LIMIT),
        files.receive(ANN, "c.pdf", chunks(b"x" * 101), LIMIT),
    ):
        with pytest.raises(UploadsFull, match="1500 bytes"):
            await coming
    await files.receive(BEN, "c.pdf", chunks(b"x" * 101), LIMIT)
    await files.receive(ANN, "c.pdf", chunks(b"x" * 100), LIMIT)
    assert len(bytes_on_disk(tmp_path)) == 4


async def test_files_whose_time_has_passed_are_swept_unless_a_batch_uses_them(
    files, blobs, database, tmp_path
):
    names = ("old", "used", "new")
    rows = {name: await files.receive(ANN, name, chunks(b"x"), LIMIT) for name in names}
    for name in ("old", "used"):
        await age(database, rows[name].file_id, timedelta(seconds=1))
    document_id = await use(database, rows["used"].file_id)
    assert await files.sweep() == 1
    left = {row.file_name: row for row in await all_of(database, FileRow)}
    assert left.keys() == {"used", "new"}
    assert await kept(blobs, rows["old"].file_id, tmp_path) is None
    # It cannot be named any more, and is not looked at in every sweep.
    assert not left["used"].uploaded
    assert left["used"].expire_time > utc_now()
    await unuse(database, document_id)
    await files.release([rows["used"].file_id])
    assert {row.file_name for row in await all_of(database, FileRow)} == {"new"}


async def test_a_sweep_goes_on_where_the_last_one_stopped(files, database, tmp_path):
    async with database.write() as session:
        session.add_all(
            FileRow(user_id="ann", size_bytes=0, sha256="", expire_time=utc_now())
            for _ in range(1_050)
        )
    assert [await files.sweep() for _ in range(3)] == [1_000, 50, 0]
    assert not await all_of(database, FileRow)


async def test_what_a_process_that_died_left_of_an_upload_is_swept(files, database, tmp_path):
    """Its row was there first, with as much of the bytes as had come."""
    async with database.write() as session:
        row = FileRow(user_id="ann", size_bytes=0, sha256="", expire_time=utc_now())
        session.add(row)
    folder = tmp_path / "blobs" / row.file_id[:2]
    folder.mkdir(parents=True)
    (folder / f"{row.file_id}#1").write_bytes(b"half")
    assert await files.sweep() == 1
    assert not bytes_on_disk(tmp_path)


async def test_rows_stay_until_their_bytes_are_gone(database, tmp_path):
    blobs = Blobs("", tmp_path)
    files = Files(database, blobs, LIMIT, WEEK)
    row = await files.receive(ANN, "a.pdf", chunks(b"x"), LIMIT)
    file = tmp_path / "blobs" / row.file_id[:2] / row.file_id
    file.unlink()
    file.mkdir()  # which no store deletes as a file
    for _ in range(2):
        with pytest.raises(BlobsUnavailable):
            await files.delete("ann", row.file_id) if _ == 0 else await files.sweep()
    assert not (await one_of(database, FileRow)).uploaded
    file.rmdir()
    assert await files.sweep() == 1
    assert not await all_of(database, FileRow)


async def test_what_a_store_may_have_taken_before_it_failed_is_swept(files, database, tmp_path):
    folder = tmp_path / "blobs"
    folder.rmdir()
    folder.write_bytes(b"where a folder should be")
    with pytest.raises(BlobsUnavailable):
        await files.receive(ANN, "a.pdf", chunks(b"x"), LIMIT)
    assert not (await one_of(database, FileRow)).uploaded
    with pytest.raises(BlobsUnavailable):
        await files.sweep()
    folder.unlink()
    folder.mkdir()
    assert await files.sweep() == 1
    assert not await all_of(database, FileRow)


async def test_a_fetched_document_belongs_to_its_batch_alone(files, blobs, database, tmp_path):
    row = await files.store_fetched("ann", chunks(b"x" * (LIMIT + 1)), "a.pdf", 2 * LIMIT)
    assert not row.uploaded
    with pytest.raises(UploadNotFound):
        await files.delete("ann", row.file_id)
    await files.receive(ANN, "b.pdf", chunks(b"x" * LIMIT), LIMIT)  # the other does not count
    document_id = await use(database, row.file_id)
    await files.release([row.file_id])
    assert await kept(blobs, row.file_id, tmp_path)
    await unuse(database, document_id)
    await files.release([row.file_id])
    assert await kept(blobs, row.file_id, tmp_path) is None
    with pytest.raises(DocumentTooLarge):
        await files.store_fetched("ann", chunks(b"xxx"), "a.pdf", 2)
