"""What owners see of their batches, and others do not."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from ocr_grpc.batches.errors import BatchNotFound, DocumentNotFound
from ocr_grpc.batches.queries import BatchQueries
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import BatchRow, DocumentRow
from ocr_grpc.store.errors import InvalidPageToken
from ocr_grpc.store.paging import encoded
from tests.batches.rows import add_batch, all_of


@pytest.fixture
def queries(database):
    return BatchQueries(database)


async def change(database, kind, where, **values):
    async with database.write() as session:
        await session.execute(update(kind).where(where).values(**values))


async def test_batches_come_newest_first_in_pages(database, queries):
    now = utc_now()
    made = [
        (await add_batch(database, create_time=now + timedelta(seconds=number // 2)))[0].batch_id
        for number in range(5)
    ]
    await add_batch(database, user_id="bob")
    seen, token = [], ""
    while True:
        rows, token = await queries.list("ann", "", 2, token)
        seen += [row.batch_id for row in rows]
        if not token:
            break
    # Those of one moment come by their ids.
    assert seen == [made[4], *sorted(made[2:4], reverse=True), *sorted(made[:2], reverse=True)]


async def test_batches_can_be_asked_for_by_where_they_stand(database, queries):
    reading, _ = await add_batch(database)
    await change(database, BatchRow, BatchRow.batch_id == reading.batch_id, state="reading")
    await add_batch(database)
    rows, _ = await queries.list("ann", "reading", 0, "")
    assert [row.batch_id for row in rows] == [reading.batch_id]


async def test_batches_of_others_and_deleted_ones_are_not_there(database, queries):
    batch, chunks = await add_batch(database)
    document_id = chunks[0].document_id
    assert (await queries.get("ann", batch.batch_id)).batch_id == batch.batch_id
    for user_id, batch_id in [("bob", batch.batch_id), ("ann", "nothing"), ("ann", "\0")]:
        for call in (
            queries.get(user_id, batch_id),
            queries.documents(user_id, batch_id, "", 0, ""),
            queries.document(user_id, batch_id, document_id),
        ):
            with pytest.raises(BatchNotFound):
                await call
    await change(database, BatchRow, BatchRow.batch_id == batch.batch_id, delete_time=utc_now())
    with pytest.raises(BatchNotFound):
        await queries.get("ann", batch.batch_id)
    assert await queries.list("ann", "", 0, "") == ([], "")


async def test_documents_come_in_their_order_in_pages(database, queries):
    batch, _ = await add_batch(database, documents=5)
    first, token = await queries.documents("ann", batch.batch_id, "", 3, "")
    rest, last = await queries.documents("ann", batch.batch_id, "", 3, token)
    assert [row.number for row in (*first, *rest)] == [1, 2, 3, 4, 5]
    assert last == ""
    await change(database, DocumentRow, DocumentRow.number == 4, state="failed")
    failed, _ = await queries.documents("ann", batch.batch_id, "failed", 0, "")
    assert [row.number for row in failed] == [4]


async def test_a_document_is_found_in_its_own_batch_alone(database, queries):
    batch, _ = await add_batch(database)
    other, _ = await add_batch(database)
    [mine] = await all_of(database, DocumentRow, DocumentRow.batch_id == batch.batch_id)
    found = await queries.document("ann", batch.batch_id, mine.document_id)
    assert found.number == 1
    for batch_id, document_id in [
        (other.batch_id, mine.document_id),
        (batch.batch_id, "nothing"),
        (batch.batch_id, "\0"),
    ]:
        with pytest.raises(DocumentNotFound):
            await queries.document("ann", batch_id, document_id)


@pytest.mark.parametrize("token", ["x", encoded("1", "2"), encoded("-1"), encoded("9" * 5_000)])
async def test_a_token_that_nobody_gave_out_is_refused(database, queries, token):
    batch, _ = await add_batch(database)
    with pytest.raises(InvalidPageToken):
        await queries.documents("ann", batch.batch_id, "", 0, token)
