"""Whether the engine's memory levels off: its resident set over many pages of varied size.

    python -m benchmarks.memory --pages 100
    python -m benchmarks.memory --engine rapidocr --pages 40

Each page is one of the synthetic ones, cut to a size of its own, because inference runtimes tend
to keep something for every new input shape. Nothing is scored. The engine runs in a process of its
own; the about 45 MiB that this package itself takes there are included.
"""

import argparse
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.pages import RESOLUTIONS
from benchmarks.readers import LOADERS, loaded
from benchmarks.samples import Pixels, load, save, synthetic

MIB = 2**20


def resident_mib() -> float:
    """Return the resident set of this process."""
    return psutil.Process().memory_info().rss / MIB


def peak_mib() -> float:
    """Return the largest resident set this process has had (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def varied(folder: Path, count: int) -> Iterator[tuple[Pixels, float]]:
    """Yield `count` pages with their dpi, in a fixed random order, each cut to its own size."""
    chance, samples = random.Random("memory"), load(folder)
    for _ in range(count):
        sample = chance.choice(samples)
        page = np.load(folder / sample.images[0], mmap_mode="r")
        height, width = (round(side * chance.uniform(0.5, 1)) for side in page.shape[:2])
        yield np.array(page[:height, :width]), sample.dpi


def follow(engine: str, folder: Path, count: int, step: int) -> None:
    """Read the pages and print the resident set every `step` pages."""
    read = loaded(engine)
    previous, middle, began = resident_mib(), 0.0, time.process_time()
    print(f"pages {0:4}   RSS {previous:7.0f} MiB   (model loaded)", flush=True)
    for number, (page, dpi) in enumerate(varied(folder, count), start=1):
        list(read(page, dpi, "eng"))
        if number == max(1, count // 2):
            middle = resident_mib()
        if number % step == 0 or number == count:
            now, cpu = resident_mib(), (time.process_time() - began) / number
            figures = f"{now:7.0f} MiB ({now - previous:+5.0f})   peak {peak_mib():7.0f} MiB"
            print(f"pages {number:4}   RSS {figures}   {cpu:.2f} CPU-s/page", flush=True)
            previous = now
    print(f"Grew by {resident_mib() - middle:.0f} MiB over the second half of {count} pages.")


def main() -> None:
    """Write the pages, then follow the engine in a fresh process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=100, help="how many to read, default 100")
    parser.add_argument("--step", type=int, default=10, help="pages between lines, default 10")
    parser.add_argument("--engine", default="ours", help=f"one of {', '.join(LOADERS)}")
    options = parser.parse_args()
    if options.engine in ("tesseract", "rapidocr-api"):
        parser.error(f"{options.engine} reads in a process of its own; there is nothing to follow")
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as name:
        folder = Path(name)
        save(folder, synthetic(folder, RESOLUTIONS, group=None, quick=False))
        # Spawned, not forked: the engine must not inherit what rendering the pages has taken.
        process = multiprocessing.get_context("spawn").Process(
            target=follow, args=(options.engine, folder, options.pages, options.step)
        )
        process.start()
        process.join()
    raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
