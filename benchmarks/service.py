"""What the service around the engine costs and bears, measured on a real server process.

    python -m benchmarks.service            all parts
    python -m benchmarks.service --only memory,streams

Each part prints its figures with the bound they are held to, and the run ends with exit code 1 if
one was missed. Times on a shared machine wander; the bounds are ratios taken in the same run.
"""

import argparse
import asyncio
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from benchmarks.bare import read_documents
from benchmarks.documents import image_document, large_document, small_image, text_document
from benchmarks.served import PeakMemory, Served, served, timed, uploaded
from ocr_grpc.cores import cores
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2

MIB = 2**20
FORCE_OCR = options_pb2.ExtractOptions(mode=options_pb2.MODE_FORCE_OCR)

missed: list[str] = []


def report(what: str, value: str, good: bool, bound: str) -> None:
    """Print one figure and remember whether it is within its bound."""
    print(f"{'ok  ' if good else 'MISS'} {what}: {value}  (bound: {bound})", flush=True)
    if not good:
        missed.append(what)


def request(content: bytes) -> pb.StreamExtractRequest:
    """Return a request that has the images of a document read."""
    return pb.StreamExtractRequest(content=content, options=FORCE_OCR)


async def first_delta(server: Served) -> None:
    """Measure when the first text of a dense page comes."""
    dense = image_document(["dense"], 200)
    shares = []
    async with server.stub() as stub:
        await timed(stub.StreamExtract(request(dense)))
        for _ in range(5):
            run = await timed(stub.StreamExtract(request(dense)))
            first, end = run.times("delta")[0], run.times("page_finished")[0]
            print(f"     dense page: first delta after {first:.2f} s of {end:.2f} s")
            shares.append(first / end)
    share = statistics.median(shares)
    report("first delta of a dense page, share of its time", f"{share:.2f}", share < 0.5, "< 0.5")


async def served_seconds(server: Served, documents: list[bytes]) -> float:
    """Return the seconds that the service takes, with as many calls at once as keep it busy."""
    gate = asyncio.Semaphore(2 * cores())
    async with server.stub() as stub:

        async def read(content: bytes) -> None:
            async with gate:
                await timed(stub.StreamExtract(request(content)))

        began = time.perf_counter()
        await asyncio.gather(*map(read, documents))
        return time.perf_counter() - began


async def throughput(server: Served) -> None:
    """Compare pages/s of the service with engines that are called directly, both from PDF bytes."""
    documents = [image_document([name], 150) for name in ("report", "prose-de-11pt", "dense")]
    work = documents * (8 * cores() // 2)
    ratios = []
    for _ in range(3):
        bare = len(work) / await asyncio.to_thread(read_documents, work, cores())
        ours = len(work) / await served_seconds(server, work)
        print(f"     {ours:.2f} pages/s through the service, {bare:.2f} by the bare engine")
        ratios.append(ours / bare)
    ratio = statistics.median(ratios)
    report("pages/s of the service over the bare engine", f"{ratio:.2f}", ratio >= 0.95, ">= 0.95")


async def memory(server: Served) -> None:
    """Measure what a long and a large document do to the memory of the server."""
    long = text_document(1_000)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(long), MIB):
            yield long[start : start + MIB]

    async with server.stub() as stub:
        await uploaded(stub, pieces())
        with PeakMemory(server.process) as peak:
            run = await uploaded(stub, pieces())
        assert run.last().finished.pages_ok == 1_000, run.last()
        report("growth by 1,000 pages", f"{peak.growth_mib:.1f} MiB", peak.growth_mib < 64, "< 64")
        ends = run.times("page_finished")
        early, late = ends[20] - ends[0], ends[-1] - ends[-21]
        print(f"     20 pages from page 1: {early:.3f} s, the last 20: {late:.3f} s")
        report("page 1,000 over page 10", f"{late / early:.2f}", late / early < 1.5, "< 1.5")
        with PeakMemory(server.process) as peak:
            run = await uploaded(stub, large_document(100))
        assert run.last().finished.pages_ok == 1, run.last()
        report("growth by 100 MiB", f"{peak.growth_mib:.1f} MiB", peak.growth_mib < 64, "< 64")


async def streams(server: Served) -> None:
    """Open 500 streams at once, by ten callers, and see that none is lost."""
    picture = request(small_image())
    async with asyncio.TaskGroup() as group:

        async def caller() -> list[pb.StreamExtractResponse]:
            async with server.stub() as stub:
                runs = [timed(stub.StreamExtract(picture)) for _ in range(50)]
                results = await asyncio.gather(*runs)
            return [run.events[0][1] for run in results if run.last().HasField("finished")]

        began = time.perf_counter()
        callers = [group.create_task(caller()) for _ in range(10)]
    seconds = time.perf_counter() - began
    started = [event.started for task in callers for event in task.result()]
    queued = sum(event.queue_position > 0 for event in started)
    print(f"     500 streams in {seconds:.1f} s, {queued} were told to wait")
    report("streams that ended well, of 500", str(len(started)), len(started) == 500, "500")
    report("streams that were told their place", str(queued), queued > 0, "> 0")


async def killed_worker(server: Served) -> None:
    """Kill a random worker again and again while a document is read."""
    content = image_document(["report"] * 30, 150)
    kills, dice = 0, random.Random(5)

    async def kill() -> None:
        nonlocal kills
        while True:
            await asyncio.sleep(dice.uniform(3, 6))
            if workers := server.engine_workers():
                dice.choice(workers).kill()
                kills += 1

    async with server.stub() as stub:
        whole = await stub.Extract(pb.ExtractRequest(content=content, options=FORCE_OCR))
        killer = asyncio.create_task(kill())
        try:
            torn = await stub.Extract(pb.ExtractRequest(content=content, options=FORCE_OCR))
        finally:
            killer.cancel()
    same = [page.text for page in torn.pages] == [page.text for page in whole.pages]
    print(f"     {kills} workers killed during 30 pages")
    report("the same text though workers died", str(same), same and kills > 0, "True")


PARTS: dict[str, Callable[[Served], Coroutine[Any, Any, None]]] = {
    "first_delta": first_delta,
    "throughput": throughput,
    "memory": memory,
    "streams": streams,
    "killed_worker": killed_worker,
}


def main() -> None:
    """Run the parts asked for, each on a fresh server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    for name in parser.parse_args().only.split(","):
        print(f"\n## {name}", flush=True)
        with served() as server:
            asyncio.run(PARTS[name](server))
    if missed:
        sys.exit("Missed: " + "; ".join(missed))


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
