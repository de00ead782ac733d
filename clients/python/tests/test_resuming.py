"""Streams go on after the service was killed and came back. Each test kills it once."""

import asyncio
import urllib.request
from itertools import count

from conftest import sample, setting

from ocr_grpc_client import Assembler
from ocr_grpc_client.messages import BatchState, WatchBatchResponse


def restart() -> None:
    """Kill the service with all its children, and return when it is ready again."""
    urllib.request.urlopen(f"{setting('OCR_CONTROL')}/restart", data=b"", timeout=90).close()


async def test_an_extraction_and_a_watch_go_on_after_the_service_was_killed(person):
    """Batches wait for calls, so the batch is still under way when the service dies."""
    client = person.client
    batch = await client.create_batch([sample("long.pdf")])
    watched: list[WatchBatchResponse] = []

    async def watch() -> None:
        watched.extend([event async for event in client.watch(batch.batch_id)])

    watching = asyncio.create_task(watch())
    restarting: asyncio.Future[None] | None = None
    assembler, ended, sequence = Assembler(), [], count(1)
    async for event in client.extract(sample("long.pdf")):
        assert event.sequence == next(sequence)
        assembler.add(event)
        if event.page_finished:
            ended.append(event.page_finished.page_number)
            restarting = restarting or asyncio.create_task(asyncio.to_thread(restart))
    await restarting
    assert sorted(ended) == list(range(1, 25))
    for page in assembler.document.pages:
        assert page.text == f"Chapter {page.number - 1}\nIt was a dark night."
    assert event.finished.pages_ok == 24

    await watching
    assert [event.sequence for event in watched] == list(range(1, len(watched) + 1))
    assert watched[-1].finished.state is BatchState.FINISHED
    assert watched[-1].finished.progress.pages_ok == 24
