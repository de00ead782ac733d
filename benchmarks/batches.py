"""What batches cost and bear, measured on real server processes.

    python -m benchmarks.batches                     all parts (some 15 minutes)
    python -m benchmarks.batches --quick             the same on less
    python -m benchmarks.batches --only cancel,fair

rate: durable pages/s of the whole service with the null engine, on tiny images and on text pages;
what a second worker brings on PostgreSQL; and the durable layer alone, with pages that cost
nothing. cancel: from the call to the last work of an engine. fair: a short batch behind 2,000 pages
of somebody else, over its time alone. thousand: a batch of 1,000 documents. Times on a shared
machine wander; ratios are taken in the same run. The run ends with exit code 1 if a bound was
missed.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil

from benchmarks.batch_house import (
    FORCE_OCR,
    Documents,
    finished,
    house,
    made,
    rate_of,
    seconds_of,
    tiny,
)
from benchmarks.batch_layer import layer_rate
from benchmarks.batch_parts import (
    QUIET,
    Member,
    Settings,
    caller,
    further_user,
    scans,
    texts,
)
from benchmarks.beside import long_document
from benchmarks.databases import migrated, postgresql
from benchmarks.documents import image_document, small_image
from benchmarks.served import PeakMemory
from benchmarks.tables import aligned
from ocr_grpc.commands.batch_link import BatchLink
from ocr_grpc.commands.batch_watching import events
from ocr_grpc.cores import cores
from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

MOMENT_SECONDS, SOME_SECONDS = 0.05, 0.005
"""An engine works if it takes so much processor time in a moment; an idle one takes a tenth."""

QUIET_SECONDS = 1.5

rows: list[tuple[str, str, str, str]] = [("what", "value", "bound", "")]


def report(what: str, value: str, bound: str = "", good: bool = True) -> None:
    """Print one figure, and remember it for the table."""
    judged = ("ok" if good else "MISS") if bound else ""
    print(f"{judged:4} {what}: {value}{f'  (bound: {bound})' if bound else ''}", flush=True)
    rows.append((what, value, bound, judged))


async def rate(folder: Path, quick: bool) -> None:
    """Measure durable pages/s."""
    count = 10 if quick else 60
    images: Documents = [(f"{n}.pdf", tiny(50)) for n in range(count)]
    text: Documents = [(f"{n}.pdf", texts(50)) for n in range(count)]
    async with house(folder) as server:
        await rate_of(server.link, images[:5])
        cpu = server.process.cpu_times()
        pages_per_second = await rate_of(server.link, images)
        after = server.process.cpu_times()
        spent = (after.user + after.system - cpu.user - cpu.system) / (50 * count)
        report("pages/s, SQLite, whole service, tiny images", f"{pages_per_second:.0f}")
        report("CPU-ms a page of the server's own process", f"{1000 * spent:.2f}")
        report(
            "pages/s, SQLite, whole service, text pages",
            f"{await rate_of(server.link, text, force_ocr=False):.0f}",
        )
    pages = 4_000 if quick else 20_000
    alone = await layer_rate("", pages)
    report("pages/s, SQLite, durable layer alone", f"{alone:.0f}", ">= 500", alone >= 500)
    with postgresql() as url:
        await _second_worker(folder / "pg", url, images, 1 if quick else 3)
    with postgresql() as url:
        alone = await layer_rate(url, pages)
        report("pages/s, PostgreSQL, durable layer alone", f"{alone:.0f}", ">= 500", alone >= 500)
        two = await layer_rate(url, pages, processes=2)
        report("pages/s, PostgreSQL, layer alone, two processes over one", f"{two / alone:.2f}")


async def _second_worker(folder: Path, url: str, documents: Documents, rounds: int) -> None:
    """Compare two workers with one, in turns."""
    shared: Settings = QUIET | {
        "database_url": url,
        "secret_key": "benchmarks " * 6,
        "blob_url": (folder / "blobs").as_uri(),
        "batches_in_serve": "false",
        "readers": cores(),
    }
    (folder / "blobs").mkdir(parents=True)
    await migrated(url)
    ratios: list[float] = []
    async with house(folder, **shared) as server:
        for number in range(rounds):
            speeds: list[float] = []
            workers = [
                Member(["worker"], shared | {"data_dir": folder / f"w{number}{each}"})
                for each in range(2)
            ]
            async with AsyncExitStack() as stack:
                for worker in workers:
                    stack.push_async_callback(worker.stop)
                    await worker.start()
                    await rate_of(server.link, documents[:5])
                    speeds.append(await rate_of(server.link, documents))
            print(f"     {speeds[0]:.0f} pages/s by one worker, {speeds[1]:.0f} by two", flush=True)
            ratios.append(speeds[1] / speeds[0])
        report("pages/s, PostgreSQL, whole service, one worker", f"{speeds[0]:.0f}")
    ratio = statistics.median(ratios)
    report(f"two workers over one, {cores()} cores", f"{ratio:.2f}", ">= 1.6", ratio >= 1.6)


async def cancel(folder: Path, quick: bool) -> None:
    """Measure how long engines go on after a cancel, by the processor time they take."""
    dice, document = random.Random(2), image_document(["dense"] * 8, 150)
    settings: Settings = {"engine": "ppocr", "engine_workers": cores()}
    answers: list[float] = []
    rests: list[float] = []
    async with house(folder, **settings) as server:
        await finished(server.link, await made(server.link, [("warm.pdf", scans(4))]))
        for _ in range(5 if quick else 20):
            batch = await made(server.link, [("dense.pdf", document)] * 4)
            await asyncio.to_thread(_wait_for_work, server.engines())
            await asyncio.sleep(dice.uniform(0, 1.5))
            await asyncio.to_thread(_wait_for_work, server.engines())
            began = time.perf_counter()
            working = asyncio.create_task(asyncio.to_thread(_last_work, server.engines(), began))
            request = pb.CancelBatchRequest(batch_id=batch.batch_id)
            await server.link.ask(server.link.batches.CancelBatch, request)
            answers.append(time.perf_counter() - began)
            rests.append(await working)
    report("CancelBatch answers, median", f"{statistics.median(answers):.3f} s")
    shown = f"{statistics.median(rests):.2f} s, worst {max(rests):.2f} s of {len(rests)}"
    report("cancel to the last work of an engine", shown, "worst <= 1 s", max(rests) <= 1)


def _wait_for_work(engines: list[psutil.Process]) -> None:
    """Wait until an engine works."""
    while not _works(engines):
        pass


def _last_work(engines: list[psutil.Process], began: float) -> float:
    """Return when an engine last worked, in seconds, seeing that none does for a while."""
    last = began
    while time.perf_counter() - last < QUIET_SECONDS:
        if _works(engines):
            last = time.perf_counter()
    return last - began


def _works(engines: list[psutil.Process]) -> bool:
    """Return whether one of the engines worked in the next moment. Blocks for it."""
    before = [_cpu_seconds(each) for each in engines]
    time.sleep(MOMENT_SECONDS)
    now = [_cpu_seconds(each) for each in engines]
    return any(after - was > SOME_SECONDS for was, after in zip(before, now, strict=True))


def _cpu_seconds(process: psutil.Process) -> float:
    """Return what all threads of a process have worked, finer than psutil counts (Linux)."""
    threads = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


async def fair(folder: Path, quick: bool) -> None:
    """Compare a batch of 20 pages behind 2,000 of somebody else with the same alone."""
    rounds = 1 if quick else 3
    short: Documents = [(f"{n}.pdf", image_document(["invoice-en"] * 5, 100)) for n in range(4)]
    long: Documents = [(f"{n}.pdf", long_document("invoice-en")) for n in range(2)]
    async with (
        house(folder, engine="ppocr", engine_workers=cores()) as server,
        AsyncExitStack() as s,
    ):
        # Of the same role: administrators have a larger share.
        keys = [await further_user(server.port, server.key, name) for name in ("short", "long")]
        ours, theirs = [await s.enter_async_context(caller([server.port], key)) for key in keys]
        await seconds_of(ours, short)
        alone = [await seconds_of(ours, short) for _ in range(rounds)]
        crowd = await made(theirs, long)
        async for event in events(theirs, crowd.batch_id):
            if event.HasField("page_finished"):
                break
        beside = [await seconds_of(ours, short) for _ in range(rounds)]
        request = pb.CancelBatchRequest(batch_id=crowd.batch_id)
        meanwhile = (await theirs.ask(theirs.batches.CancelBatch, request)).batch.progress
    print(f"     alone {alone}, beside {beside}, {meanwhile.pages_ok} of {meanwhile.pages} pages")
    ratio = statistics.median(beside) / statistics.median(alone)
    report(
        "20 pages behind 2,000 of another caller, over alone", f"{ratio:.2f}", "<= 3", ratio <= 3
    )


async def thousand(folder: Path, quick: bool) -> None:
    """Measure what a batch of 1,000 documents takes."""
    picture = small_image()
    new = [pb.NewBatchDocument(content=picture, file_name=f"{n}.png") for n in range(1_000)]
    async with house(folder) as server:
        link, process = server.link, server.process
        await rate_of(link, [("warm.pdf", tiny(50))] * 10)
        with PeakMemory(process) as peak:
            began = time.perf_counter()
            request = pb.CreateBatchRequest(documents=new, options=FORCE_OCR)
            batch = (await link.ask(link.batches.CreateBatch, request, seconds=60)).batch
            seconds = time.perf_counter() - began
            report("1,000 documents: create", f"{seconds:.2f} s", "< 2 s", seconds < 2)
            began = time.perf_counter()
            async for _ in events(link, batch.batch_id):
                break
            report("1,000 documents: first event", f"{time.perf_counter() - began:.3f} s")
            await _time_lists(link, batch, "while they are read")
            seconds, pages = await finished(link, batch)
        await _time_lists(link, batch, "afterwards")
        began = time.perf_counter()
        await finished(link, batch)
        report("1,000 documents: all events again", f"{time.perf_counter() - began:.2f} s")
        report("1,000 documents: read", f"{pages / seconds:.0f} documents/s")
        grown = peak.growth_mib
        report("1,000 documents: growth of the server", f"{grown:.0f} MiB", "< 64", grown < 64)


async def _time_lists(link: BatchLink, batch: batch_pb2.Batch, when: str) -> None:
    began = time.perf_counter()
    await link.ask(link.batches.ListBatches, pb.ListBatchesRequest())
    middle = time.perf_counter()
    listing = pb.ListBatchDocumentsRequest(batch_id=batch.batch_id, page_size=500)
    for _ in range(2):
        answer = await link.ask(link.batches.ListBatchDocuments, listing)
        listing.page_token = answer.next_page_token
    shown = f"{middle - began:.3f} s, documents {time.perf_counter() - middle:.3f} s"
    report(f"1,000 documents: list batches {when}", shown)


PARTS: dict[str, Callable[[Path, bool], Coroutine[Any, Any, None]]] = {
    "rate": rate,
    "cancel": cancel,
    "fair": fair,
    "thousand": thousand,
}


def main() -> None:
    """Run the parts asked for, each on fresh servers, and print all figures in one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--quick", action="store_true", help="on less")
    arguments = parser.parse_args()
    for name in arguments.only.split(","):
        print(f"\n## {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="ocr-") as folder:
            asyncio.run(PARTS[name](Path(folder), arguments.quick))
    print("\n" + aligned(rows, left={0, 1, 2, 3}))
    if any(row[-1] == "MISS" for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
