"""What a document that was read before costs, beside one that is read.

The same ten scanned pages and the same hundred pages of text, sent again and again to one server:
once with `skip_cache`, which reads them each time, and once without. Beside that, what it costs to
take down a document that nobody has sent before, from servers with the cache and without.
"""

import argparse
import asyncio
import hashlib
import statistics
from dataclasses import dataclass
from time import perf_counter

import psutil

from benchmarks.documents import image_document, text_document
from benchmarks.pages import pages
from benchmarks.served import Served, served, timed
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

CACHE_BYTES = 64 * 1024 * 1024
PAGES = 100
"""Of the document of text."""

RATIO = "{name:28} {anew:>12} {cached:>12} {ratio:>9}"


@dataclass(frozen=True)
class Cost:
    """Medians over some calls."""

    first_text_seconds: float
    seconds: float
    cpu_seconds: float
    cached: bool


def cpu_seconds(server: psutil.Process) -> float:
    """Return what a server and all its helpers have used."""
    family = [server, *server.children(recursive=True)]
    times = [each.cpu_times() for each in family]
    return sum(each.user + each.system for each in times)


async def cost(
    server: Served, stub: OcrServiceStub, content: bytes, calls: int, anew: bool
) -> Cost:
    """Send a document some times, one after another."""
    request = pb.StreamExtractRequest(content=content, options={"skip_cache": anew})
    firsts, wholes, cached = list[float](), list[float](), set[bool]()
    before = cpu_seconds(server.process)
    for _ in range(calls):
        began = perf_counter()
        result = await timed(stub.StreamExtract(request))
        wholes.append(perf_counter() - began)
        firsts.append(result.times("delta")[0])
        ends = (e.page_finished for _, e in result.events if e.HasField("page_finished"))
        cached |= {end.provenance.cached for end in ends}
    used = (cpu_seconds(server.process) - before) / calls
    if len(cached) != 1:
        raise RuntimeError("Some pages were cached, and some were not.")
    return Cost(statistics.median(firsts), statistics.median(wholes), used, cached.pop())


def told(seconds: float) -> str:
    """Return a time in milliseconds."""
    return f"{seconds * 1000:,.1f} ms"


def tell(name: str, anew: Cost, cached: Cost) -> None:
    """Print both beside each other."""
    if anew.cached or not cached.cached:
        raise RuntimeError("What was to be read was cached, or the other way round.")
    print(RATIO.format(name=name, anew="read anew", cached="cached", ratio="ratio"))
    for what in ("first_text_seconds", "seconds", "cpu_seconds"):
        a, b = getattr(anew, what), getattr(cached, what)
        label = "  " + what.removesuffix("_seconds").replace("seconds", "whole document")
        ratio = f"{a / b:,.0f}" if b else "-"
        print(RATIO.format(name=label.replace("_", " "), anew=told(a), cached=told(b), ratio=ratio))


async def beside(name: str, content: bytes, calls: int, cached_calls: int, engine: str) -> None:
    """Compare reading a document anew with taking it from the cache."""
    with served(engine=engine, result_cache_bytes=CACHE_BYTES) as server:
        async with server.stub() as stub:
            request = pb.StreamExtractRequest(content=content)
            await timed(stub.StreamExtract(request))  # warms the engine, and fills the cache
            anew = await cost(server, stub, content, calls, anew=True)
            cached = await cost(server, stub, content, cached_calls, anew=False)
    tell(name, anew, cached)


async def keeping(calls: int) -> None:
    """Compare documents that are all new to a server with a cache and to one without."""
    costs: list[float] = []
    book = text_document(PAGES)
    books = [book + b"%%%d" % number for number in range(calls + 1)]
    for limit in (0, CACHE_BYTES):
        with served(engine="null", result_cache_bytes=limit) as server:
            async with server.stub() as stub:
                wholes = list[float]()
                for book in books:
                    began = perf_counter()
                    await timed(stub.StreamExtract(pb.StreamExtractRequest(content=book)))
                    wholes.append(perf_counter() - began)
                costs.append(statistics.median(wholes[1:]))
    more = (costs[1] - costs[0]) / PAGES
    print(
        f"{PAGES} new pages of text: {told(costs[0])} without the cache, {told(costs[1])} with it, "
        f"{told(more)} more for each page"
    )


def hashing() -> None:
    """Print what it takes to tell a document from others."""
    content = bytes(32 * 1024 * 1024)
    began = perf_counter()
    hashlib.sha256(content).digest()
    print(f"SHA-256 of 32 MiB, in a thread beside the writing: {told(perf_counter() - began)}")


async def main(calls: int) -> None:
    """Print everything."""
    scan = image_document([page.name for page in pages()[:10]], 200)
    await beside("10 scanned pages (ppocr)", scan, max(2, calls // 10), calls, "ppocr")
    await beside(f"{PAGES} pages of text", text_document(PAGES), calls, calls, "null")
    await keeping(calls)
    hashing()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=30, help="calls of each kind")
    asyncio.run(main(parser.parse_args().calls))
