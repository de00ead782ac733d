"""What was given up is listed for administrators, who can have it read again."""

import pytest
from sqlalchemy import update

from ocr_grpc.accounts.principal import Actor
from ocr_grpc.batches.dead_letters import DeadLetters
from ocr_grpc.batches.errors import DeadLetterNotFound
from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.store.accounts import AuditRow
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, EventRow, PageRow
from ocr_grpc.store.errors import InvalidPageToken
from ocr_grpc.store.metering import QuotaRow, UsageRow
from tests.batches.rows import add_batch, all_of, one_of

AWAY = EngineUnavailable("No worker is ready.")


@pytest.fixture
def dead_letters(database, office):
    return DeadLetters(database, office.news)


async def give_up(office, database) -> None:
    """Read a batch of which page 2 never ends, until that is given up."""
    await add_batch(database)
    office.extractor.page_errors[2] = AWAY
    await office.run()
    office.extractor.page_errors.clear()


async def test_a_dead_letter_is_read_again_and_its_batch_ends_anew(office, database, dead_letters):
    await give_up(office, database)
    batch = await one_of(database, BatchRow)
    assert (batch.state, batch.pages_ok, batch.pages_failed) == ("finished", 2, 1)
    [letter], _ = await dead_letters.list(0, "")
    assert (letter.reason, letter.pages) == ("GIVEN_UP", "1-3")
    await dead_letters.resend(str(letter.chunk_id), Actor())
    batch = await one_of(database, BatchRow)
    assert (batch.state, batch.pages_failed, batch.documents_finished) == ("reading", 0, 0)
    assert (await one_of(database, QuotaRow)).reserved_pages == 1
    await office.run()
    batch, document = await one_of(database, BatchRow), await one_of(database, DocumentRow)
    for row in (batch, document):
        assert (row.state, row.pages_ok, row.pages_failed) == ("finished", 3, 0)
    assert sum(row.pages for row in await all_of(database, UsageRow)) == 3
    quota = await one_of(database, QuotaRow)
    assert (quota.used_pages, quota.reserved_pages) == (3, 0)
    assert (await all_of(database, ChunkRow, ChunkRow.state == "dead")) == []
    kinds = [row.kind for row in await all_of(database, EventRow, order=EventRow.sequence)]
    assert kinds.count("finished") == 2
    assert [row.action for row in await all_of(database, AuditRow)] == ["dead_letter.resent"]


async def test_a_document_that_was_never_opened_is_opened_then(office, database, dead_letters):
    await add_batch(database)
    office.extractor.refusal = AWAY
    await office.run()
    office.extractor.refusal = None
    [letter], _ = await dead_letters.list(0, "")
    await dead_letters.resend(str(letter.chunk_id), Actor())
    await office.run()
    batch = await one_of(database, BatchRow)
    assert (batch.state, batch.documents_finished, batch.documents_failed) == ("finished", 1, 0)


async def test_one_of_which_every_page_had_ended_ends_its_batch_again(
    office, database, dead_letters
):
    await give_up(office, database)
    async with database.write() as session:
        # As if it had been given up between its last page and its end.
        await session.execute(update(PageRow).values(reason="", outcome="ok"))
    [letter], _ = await dead_letters.list(0, "")
    await dead_letters.resend(str(letter.chunk_id), Actor())
    await office.run()
    assert (await one_of(database, BatchRow)).state == "finished"


async def test_dead_letters_come_in_pages_the_newest_first(office, database, dead_letters):
    await add_batch(database, documents=3, state="dead")
    first, token = await dead_letters.list(2, "")
    rest, end = await dead_letters.list(2, token)
    numbers = [row.chunk_id for row in (*first, *rest)]
    assert numbers == sorted(numbers, reverse=True)
    assert (len(first), len(rest), end) == (2, 1, "")
    with pytest.raises(InvalidPageToken):
        await dead_letters.list(0, "nobody gave this out")


@pytest.mark.parametrize("state", ["done", "running", "cancelled"])
async def test_what_is_not_dead_is_not_found(database, dead_letters, state):
    _, [chunk] = await add_batch(database, state=state)
    for letter in (str(chunk.chunk_id), "", "-1", "x", "9" * 60):
        with pytest.raises(DeadLetterNotFound):
            await dead_letters.resend(letter, Actor())


async def test_dead_letters_of_cancelled_batches_stay_dead(office, database, dead_letters):
    await give_up(office, database)
    async with database.write() as session:
        await session.execute(update(BatchRow).values(state="cancelled"))
    [letter], _ = await dead_letters.list(0, "")
    with pytest.raises(DeadLetterNotFound):
        await dead_letters.resend(str(letter.chunk_id), Actor())
