"""What a caller who sends bombs costs the others, and the memory of the service.

    python -m benchmarks.bombs                  three rounds (some 2 minutes)
    python -m benchmarks.bombs --rounds 1 --seconds 10

Two callers have small documents read again and again, in turns of quiet and of a third caller who
sends one bomb after the other: archives, XML, PDF, pictures, pages and sheets that unpack to far
more than they are. The run ends with exit code 1 if the p99 of the others is more than 1.5 times
that of the quiet turns, or if server and children together ever had more resident than what they
have at rest, 64 MiB, and `READER_MEMORY_BYTES` for each reader.
"""

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import grpc.aio
import psutil

from benchmarks.documents import text_document
from benchmarks.served import Served, launched, timed
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.fuzz import cases  # noqa: F401 - fills the list of recipes
from tests.fuzz.good_documents import good
from tests.fuzz.recipes import RECIPES
from tests.fuzz.traces import Watch

MIB = 2**20
MOST_RATIO = 1.5
GROWTH_BYTES = 64 * MIB
PAUSE_SECONDS = 0.02
"""Between two calls of one of the others, as if it had something else to do."""

BOMBS = (
    "docx: high_ratio", "docx: overlapping_members", "docx: bomb_that_says_it_is_small",
    "docx: many_members_with_fair_ratios", "docx: hundred_thousand_members", "xml: billion laughs",
    "xml: deep", "pdf: flate bomb twice", "pdf: image_bomb", "pdf: tree of 2^60 pages",
    "pdf: endless forms", "png: png_of_900_megapixels", "tif: tiff_in_a_circle",
    "jpg: jpeg_of_many_scans", "xlsx: first and last cell", "ods: repeated both", "html: wide",
    "odt: spaces",
)  # fmt: skip

Latencies = dict[tuple[str, bool], list[float]]
"""Seconds of calls, by the kind of document and whether bombs came meanwhile."""


def bombs() -> list[bytes]:
    """Return the bombs, made before anything is measured."""
    makers = {recipe.name: recipe.make for recipe in RECIPES}
    return [makers[name](Random(name)) for name in BOMBS]


async def reader(served: Served, kind: str, content: bytes, until: float) -> list[float]:
    """Have a document read until then, again and again; return the seconds of each call."""
    seconds = []
    async with served.stub() as stub:
        while time.monotonic() < until:
            run = await timed(stub.StreamExtract(pb.StreamExtractRequest(content=content)))
            assert run.last().HasField("finished"), (kind, run.last())
            seconds.append(run.times("finished")[0])
            await asyncio.sleep(PAUSE_SECONDS)
    return seconds


async def bomber(served: Served, supply: "itertools.cycle[bytes]", ended: Counter[str]) -> None:
    """Send one bomb after the other, until cancelled."""
    async with served.stub() as stub:
        for content in supply:
            try:
                await timed(stub.StreamExtract(pb.StreamExtractRequest(content=content)))
                ended["OK"] += 1
            except grpc.aio.AioRpcError as error:
                ended[error.code().name] += 1


async def measure(served: Served, rounds: int, seconds: float) -> tuple[Latencies, Counter[str]]:
    """Take turns of quiet and of bombs, and return what the others had of it."""
    others = {"PDF": text_document(2), "DOCX": good("docx")}
    supply, ended = itertools.cycle(bombs()), Counter[str]()
    found: Latencies = defaultdict(list)
    for number in range(-1, 2 * rounds):
        bombed = number % 2 == 1
        sending = asyncio.create_task(bomber(served, supply, ended)) if bombed else None
        # The first turn warms up.
        until = time.monotonic() + (seconds if number >= 0 else 3)
        runs = [reader(served, kind, content, until) for kind, content in others.items()]
        for kind, times in zip(others, await asyncio.gather(*runs), strict=True):
            if number >= 0:
                found[kind, bombed] += times
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    return found, ended


def judged(found: Latencies) -> bool:
    """Print both p99s of each kind of document, and return whether the ratios are fine."""
    good_ones = True
    for kind in {kind for kind, _ in found}:
        cuts = {
            bombed: statistics.quantiles(found[kind, bombed], n=100) for bombed in (False, True)
        }
        for bombed, name in ((False, "quiet"), (True, "bombs")):
            count = len(found[kind, bombed])
            middle, late = cuts[bombed][49] * 1000, cuts[bombed][98] * 1000
            print(f"     {kind}, {name}: {count} calls, p50 {middle:.0f} ms, p99 {late:.0f} ms")
        ratio = cuts[True][98] / cuts[False][98]
        fine = ratio <= MOST_RATIO
        print(
            f"{'ok  ' if fine else 'MISS'} {kind}: p99 of others under bombs over quiet: "
            f"{ratio:.2f} "
            f" (bound: <= {MOST_RATIO})"
        )
        good_ones = good_ones and fine
    return good_ones


def at_rest_bytes(server: psutil.Process) -> int:
    """Return what a server and its children have resident."""
    return sum(each.memory_info().rss for each in (server, *server.children(recursive=True)))


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="length of one turn")
    given = parser.parse_args()
    settings = Settings(_env_file=None)
    readers = settings.reader_count + settings.office_reader_count + 2  # kept warm
    with (
        tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder,
        launched(Path(folder) / "data", engine="null", log_level="error") as (process, address),
    ):
        served = Served(psutil.Process(process.pid), address)
        bound = (
            at_rest_bytes(served.process) + GROWTH_BYTES + readers * settings.reader_memory_bytes
        )
        with Watch(served.process) as watch:
            found, ended = asyncio.run(measure(served, given.rounds, given.seconds))
    print(f"     bombs: {dict(ended)}")
    fine = judged(found)
    print(
        f"     one child had {watch.peak_child_bytes / MIB:.0f} MiB at most, "
        f"the server grew by {watch.server_growth_bytes / MIB:.0f} MiB"
    )
    within = watch.peak_bytes <= bound
    print(
        f"{'ok  ' if within else 'MISS'} resident, server and children: "
        f"{watch.peak_bytes / MIB:.0f} MiB  (bound: <= {bound / MIB:.0f}, {readers} readers)"
    )
    if not (fine and within):
        sys.exit(1)


if __name__ == "__main__":
    main()
