"""What a short call waits beside a long document, measured on a real server process.

    python -m benchmarks.beside
    python -m benchmarks.beside --seconds 30 --page report

A document of one page is sent each second, whether earlier ones have ended or not: first with
nothing else to do, then while a document of 1,000 pages is read, which another caller sent, and at
last while the same caller did. The run ends with exit code 1 if 99 of 100 calls beside the document
took more than three times the usual time of a call alone. The same page is all there is, so it is
the service and not the size of a page that is measured. On two cores a page that takes about a
second is more than the share of one of two callers, and whoever asks for more waits longer.
"""

import argparse
import asyncio
import io
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from benchmarks.documents import image_document
from benchmarks.pages import pages, pixels
from benchmarks.served import Served, served, timed
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

FORCE_OCR = options_pb2.ExtractOptions(mode=options_pb2.MODE_FORCE_OCR)
DPI = 150
LONG_PAGES = 1_000
WORKERS = 2
WARM_UP_CALLS = 4
MOST = 3.0


def long_document(name: str) -> bytes:
    """Return a PDF of many images of one page; it holds the image once."""
    page = next(page for page in pages() if page.name == name)
    image = ImageReader(Image.fromarray(pixels(page, DPI)))
    sink = io.BytesIO()
    canvas = Canvas(sink, pagesize=page.size_pt, invariant=1)
    for _ in range(LONG_PAGES):
        canvas.drawImage(image, 0, 0, *page.size_pt)
        canvas.showPage()
    canvas.save()
    return sink.getvalue()


async def call(stub: OcrServiceStub, content: bytes) -> float:
    """Return the seconds until the last event of a call."""
    request = pb.StreamExtractRequest(content=content, options=FORCE_OCR)
    run = await timed(stub.StreamExtract(request))
    assert run.last().finished.pages_ok == 1, run.last()
    return run.events[-1][0]


async def one_each_second(stub: OcrServiceStub, content: bytes, seconds: int) -> list[float]:
    """Return what the calls took."""
    began, calls = time.perf_counter(), []
    for number in range(seconds):
        await asyncio.sleep(max(0.0, began + number - time.perf_counter()))
        calls.append(asyncio.create_task(call(stub, content)))
    return await asyncio.gather(*calls)


@asynccontextmanager
async def reading(stub: OcrServiceStub, content: bytes) -> AsyncIterator[list[int]]:
    """Have a long document read for the time of the block; yield the pages that were finished."""
    finished: list[int] = []
    begun = asyncio.Event()

    async def read() -> None:
        request = pb.StreamExtractRequest(content=content, options=FORCE_OCR)
        async for event in stub.StreamExtract(request):
            if event.HasField("page_finished"):
                finished.append(event.page_finished.page_number)
                begun.set()

    task = asyncio.create_task(read())
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield finished
        assert not task.done(), "the long document was too short"
    finally:
        waiting.cancel()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def figures(what: str, seconds: list[float]) -> tuple[float, float]:
    """Print and return the median and the 99th percentile."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    print(f"     {what}: p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, most {max(seconds):.2f} s")
    return cuts[49], cuts[98]


async def compare(server: Served, name: str, seconds: int) -> bool:
    """Measure the three, print them, and return whether both ratios are within the bound."""
    short, long = image_document([name], DPI), long_document(name)
    async with AsyncExitStack() as stack:
        ours, others = [await stack.enter_async_context(server.stub()) for _ in range(2)]
        for _ in range(WARM_UP_CALLS):
            await asyncio.gather(*(call(ours, short) for _ in range(WORKERS)))
        usual, late = figures("alone", await one_each_second(ours, short, seconds))
        good = True
        for whose, stub in (("another caller's", others), ("the same caller's", ours)):
            async with reading(stub, long) as finished:
                before = len(finished)
                beside = await one_each_second(ours, short, seconds)
                print(f"     {len(finished) - before} pages of the long document meanwhile")
            _, p99 = figures(f"beside {whose} document", beside)
            within = p99 <= MOST * usual
            good = good and within
            print(
                f"{'ok  ' if within else 'MISS'} p99 beside {whose} document over p50 alone: "
                f"{p99 / usual:.2f}  (bound: <= {MOST:g}); over p99 alone: {p99 / late:.2f}",
                flush=True,
            )
    return good


def main() -> None:
    """Measure on a server of two workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=100, help="calls in each of the three parts")
    parser.add_argument("--page", default="invoice-en", help="name of the page that is read")
    arguments = parser.parse_args()
    with served(engine_workers=WORKERS) as server:
        good = asyncio.run(compare(server, arguments.page, arguments.seconds))
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
