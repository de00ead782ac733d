"""Streams go on after the service was killed and came back. Each test kills it once."""

import asyncio
import urllib.request
from itertools import count

from conftest import sample, setting, until

from ocr_grpc_client import Assembler, OcrClient
from ocr_grpc_client.messages import (
    BatchState,
    ListUsageRequest,
    UsageFilter,
    UsageRecord,
    WatchBatchResponse,
)


def restart() -> None:
    """Kill the service with all its children, and return when it is ready again."""
    urllib.request.urlopen(f"{setting('OCR_CONTROL')}/restart", data=b"", timeout=90).close()


async def test_an_extraction_and_a_watch_go_on_after_the_service_was_killed(person):
    """Batches wait for calls, so the batch is still under way when the service dies."""
    client = person.client
    batch = await client.create_batch([sample("long.pdf")])
    watched: list[WatchBatchResponse] = []
    watches = asyncio.Event()

    async def watch() -> None:
        async for event in client.watch(batch.batch_id):
            watched.append(event)
            watches.set()

    watching = asyncio.create_task(watch())
    await watches.wait()
    restarting: asyncio.Future[None] | None = None
    assembler, ended, sequence = Assembler(), [], count(1)
    async for event in client.extract(sample("long.pdf")):
        assert event.sequence == next(sequence)
        assembler.add(event)
        if event.page_finished:
            ended.append(event.page_finished.page_number)
            if not restarting:
                assert not watched[-1].finished
                restarting = asyncio.create_task(asyncio.to_thread(restart))
    await restarting
    assert sorted(ended) == list(range(1, 25))
    for page in assembler.document.pages:
        assert page.text == f"Chapter {page.number - 1}\nIt was a dark night."
    assert event.finished.pages_ok == 24

    await watching
    assert [event.sequence for event in watched] == list(range(1, len(watched) + 1))
    assert watched[-1].finished.state is BatchState.FINISHED
    assert watched[-1].finished.progress.pages_ok == 24

    # The first calls died with the service, so these are others. Some may have been refused before.
    resumed = await until(lambda: ended_well(client, "OcrService/ResumeExtract"))
    assert resumed[0].usage.pages
    assert await until(lambda: ended_well(client, "BatchService/WatchBatch"))


async def ended_well(client: OcrClient, method: str) -> list[UsageRecord]:
    request = ListUsageRequest(filter=UsageFilter(method=method, status="OK"))
    return (await client.usage.list_usage(request)).records
