"""The shipped Python client, as its users have it: documents and batches, again and again.

It runs in the client's own environment, with nothing of the server in it:

    clients/python/.venv/bin/python client_program.py ADDRESS DOCUMENT PAGES TEXT …

with the API key in OCR_API_KEY. It prints a line of JSON for each call, `kind`, `end` and `pages`,
and ends when its standard input does, once the calls under way have ended.
"""

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from ocr_grpc_client import ExtractOptions, OcrClient
from ocr_grpc_client.messages import Mode


async def extract(client: OcrClient, document: Path, pages: int) -> int:
    """Read a document that takes long, through servers that end."""
    options = ExtractOptions(mode=Mode.TEXT_LAYER_ONLY)
    events = [event async for event in client.extract(document, options=options)]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "gap"
    ended = [event.page_finished.page_number for event in events if event.page_finished]
    assert sorted(ended) == list(range(1, pages + 1)), ended
    assert events[-1].finished
    assert events[-1].finished.pages_ok == pages
    return pages


async def batch(client: OcrClient, texts: list[Path]) -> int:
    """Upload documents, make a batch of them, and watch it to its end."""
    made = await client.create_batch(texts)
    events = [event async for event in client.watch(made.batch_id)]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "gap"
    ended = [event.finished.progress for event in events if event.finished]
    assert [each.documents_finished for each in ended if each] == [len(texts)], ended
    return len(texts)


async def repeat(kind: str, call: Callable[[], Awaitable[int]], ended: asyncio.Event) -> None:
    while not ended.is_set():
        pages, end = 0, "good"
        try:
            pages = await call()
        except Exception as error:  # all of them are written down
            end = "".join(traceback.format_exception_only(error)).strip()
        print(json.dumps({"kind": kind, "end": end, "pages": pages}), flush=True)


async def main() -> None:
    address, document, pages, *texts = sys.argv[1:]
    ended = asyncio.Event()
    async with OcrClient(address, api_key=os.environ["OCR_API_KEY"]) as client:
        calls = [
            repeat("extract", lambda: extract(client, Path(document), int(pages)), ended),
            repeat("watch", lambda: batch(client, [Path(each) for each in texts]), ended),
        ]
        running = [asyncio.create_task(call) for call in calls]
        await asyncio.to_thread(sys.stdin.read)
        ended.set()
        await asyncio.gather(*running)


asyncio.run(main())
