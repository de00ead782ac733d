"""What is tried again, how often, and what a document that never came is told to have failed of."""

import pytest

from ocr_grpc.batches.passing import MAX_ERRORS, MAX_UNKNOWN
from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.fetching.errors import HostUnknown, UrlUnreachable
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow
from tests.batches.rows import add_batch, one_of


async def test_a_url_that_leads_nowhere_fails_at_once(office, database):
    await add_batch(database)
    office.extractor.refusal = UrlUnreachable("its host answers with the status 404", "url")
    await office.run()
    chunk, document = await one_of(database, ChunkRow), await one_of(database, DocumentRow)
    assert (chunk.state, chunk.attempt, chunk.errors) == ("done", 1, 0)
    assert (document.state, document.reason) == ("failed", "URL_UNREACHABLE")
    assert "404" in document.message


@pytest.mark.parametrize(
    ("refusal", "attempts", "reason"),
    [
        (UrlUnreachable("it takes too long", "url", passing=True), MAX_ERRORS, "URL_UNREACHABLE"),
        (HostUnknown("url"), MAX_UNKNOWN, "URL_UNREACHABLE"),
        (EngineUnavailable("No worker is ready."), MAX_ERRORS, "GIVEN_UP"),
    ],
    ids=["a host that is away", "an unknown host", "no engine"],
)
async def test_what_may_pass_is_tried_again_and_then_said_as_it_is(
    office, database, refusal, attempts, reason
):
    await add_batch(database)
    office.extractor.refusal = refusal
    await office.run()
    chunk, document = await one_of(database, ChunkRow), await one_of(database, DocumentRow)
    assert (chunk.state, chunk.reason, chunk.attempt) == ("dead", reason, attempts)
    assert (document.state, document.reason) == ("failed", reason)
    assert (await one_of(database, BatchRow)).state == "finished"
