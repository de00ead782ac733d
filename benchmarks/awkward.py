"""Character error and CPU time of pages that lie turned or skewed, beside the same pages upright.

    python -m benchmarks.awkward --quick
    python -m benchmarks.awkward --dpi 150 --only table --show 0.02

The synthetic pages are drawn at an angle, so that no pixel is blurred by turning it; long receipts
and wide plans are drawn as such, and the real ones are those of `../shared/corpus` where that is.
Ends with status 1 if a variant reads worse than the upright pages by more than half a percentage
point, or cannot be measured. Pages skewed by more than five degrees are shown and may be worse.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import cos, radians, sin
from pathlib import Path
from statistics import fmean

import numpy as np
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from benchmarks.engine import CORPUS, read_all, show
from benchmarks.pages import pages, pixels, quick_pages
from benchmarks.readers import Result
from benchmarks.samples import Pixels, Sample, documents
from benchmarks.score import character_error
from benchmarks.sheet import Page

ENGINE = "ours"
UPRIGHT = "upright"
TURNS = {"turned 90": 1, "turned 180": 2, "turned 270": 3}
"""Quarters of a turn, counterclockwise."""
SKEWS = (-5.0, -3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0, 5.0)
STEEP = (-15.0, -10.0, 10.0, 15.0)
"""Degrees, counterclockwise; these are allowed to cost more."""
STAMPED = ("invoice-en", "table-open-9pt", "letter-en", "large-print")
"""Pages that are also read with a stamp across their margin, which stands in their way only."""
ALLOWED = 0.005
"""What a variant's mean character error may be above that of the upright pages."""
TWINS = {
    "phototest-rotated-180.png": "phototest.tif",
    "phototest-rotated-L.png": "phototest.tif",
    "phototest-rotated-R.png": "phototest.tif",
    "skew.pdf": "linn.pdf",
    "rotated_skew.pdf": "linn.pdf",
}
"""Documents of the corpus that are turned or skewed, and the same ones upright."""


@dataclass(frozen=True)
class Row:
    """What one variant gave, beside the same pages upright.

    Attributes:
        error: mean character error.
        more: by how much that is above the error of the upright pages.
        times: the CPU time as a multiple of theirs.
        gated: whether it has to stay within `ALLOWED`.
    """

    variant: str
    pages: int
    error: float
    more: float
    times: float
    gated: bool

    def __str__(self) -> str:
        """Return the row as the table shows it."""
        verdict = "" if not self.gated else "ok" if self.more <= ALLOWED else "WORSE"
        return (
            f"| {self.variant:<28} | {self.pages:>5} | {self.error:>8.2%} "
            f"| {100 * self.more:>+7.2f} | {self.times:>5.2f} | {verdict:<5} |"
        )


HEADER = (
    f"| {'variant':<28} | pages |    error |  points |   CPU | {'':<5} |\n"
    f"| {'-' * 28} | ----: | -------: | ------: | ----: | {'-' * 5} |"
)


def skewed(page: Page, degrees: float) -> Page:
    """Return the page drawn at an angle, counterclockwise, on a sheet that holds all of it."""
    width, height = page.size_pt
    turn = radians(abs(degrees))
    size = width * cos(turn) + height * sin(turn), width * sin(turn) + height * cos(turn)

    def draw(canvas: Canvas) -> None:
        canvas.translate(size[0] / 2, size[1] / 2)
        canvas.rotate(degrees)
        canvas.translate(-width / 2, -height / 2)
        page.draw(canvas)

    return replace(page, draw=draw, size_pt=size)


def receipt(lines: int = 400) -> Page:
    """Return a strip of paper with one line below the other, 20 times as high as wide."""
    texts = [f"{number:03d}  Article no. {number * 7919 % 10_000:04d}" for number in range(lines)]
    return _lines("receipt-long", texts, (216, 12 * lines + 24), 9)


def plan() -> Page:
    """Return a sheet 8 times as wide as high, with labels side by side along all of it."""
    width, height = 4320, 540
    places = [(x, y) for y in range(40, height, 100) for x in range(20, width - 130, 160)]
    texts = [f"Room {100 + number} store" for number in range(len(places))]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 12)
        for text, (x, y) in zip(texts, places, strict=True):
            canvas.drawString(x, height - y, text)
            canvas.rect(x - 8, height - y - 40, 150, 60)

    return Page("plan-wide", (), "\n".join(texts), draw, (width, height))


def _lines(name: str, texts: Sequence[str], size: tuple[float, float], points: float) -> Page:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", points)
        for number, text in enumerate(texts):
            canvas.drawString(15, size[1] - 12 * (number + 1) - 6, text)

    return Page(name, (), "\n".join(texts), draw, size)


def stamped(page: Page) -> Page:
    """Return an upright page with a stamp that runs up its margin; the stamp is not in its text."""

    def draw(canvas: Canvas) -> None:
        page.draw(canvas)
        canvas.saveState()
        canvas.translate(24, A4[1] / 3)
        canvas.rotate(90)
        canvas.setFont("Helvetica-Bold", 22)
        canvas.drawString(0, 0, "RECEIVED 3 MAY 2024")
        canvas.restoreState()

    return replace(page, draw=draw)


def synthetic(folder: Path, options: argparse.Namespace) -> Iterator[Sample]:
    """Write every variant of the synthetic pages."""
    chosen = quick_pages() if options.quick else pages()
    for page in chosen:
        if options.only and options.only not in page.groups:
            continue
        upright = pixels(page, options.dpi)
        yield _sample(folder, page, UPRIGHT, upright, options.dpi)
        if page.name in STAMPED:
            across = pixels(stamped(page), options.dpi)
            yield _sample(folder, page, "stamp across", across, options.dpi)
            yield _sample(folder, page, "stamp, turned", np.rot90(across), options.dpi)
        for variant, quarters in TURNS.items():
            yield _sample(folder, page, variant, np.rot90(upright, quarters), options.dpi)
        for degrees in (-2.0, 0.5, 5.0) if options.quick else (*SKEWS, *STEEP):
            image = pixels(skewed(page, degrees), options.dpi)
            yield _sample(folder, page, f"skewed {degrees:+}", image, options.dpi)


def shapes(folder: Path, dpi: float) -> Iterator[Sample]:
    """Write the pages of unusual shape, which have no variant that is upright."""
    for page in (receipt(), plan()):
        yield _sample(folder, page, page.name, pixels(page, dpi), dpi)


def _sample(folder: Path, page: Page, variant: str, image: Pixels, dpi: float) -> Sample:
    name = f"{page.name}-{variant}".replace(" ", "-")
    np.save(folder / f"{name}.npy", np.ascontiguousarray(image))
    return Sample(name, [variant, page.name], page.text, "eng", dpi, [f"{name}.npy"])


def synthetic_rows(samples: list[Sample], results: list[Result]) -> Iterator[Row]:
    """Yield a row for each variant, over all pages."""
    read = {
        (sample.groups[0], sample.groups[1]): (sample, result)
        for sample, result in zip(samples, results, strict=True)
    }
    for variant in dict.fromkeys(variant for variant, _ in read):
        pairs = [read[key] for key in read if key[0] == variant]
        upright = [read.get((UPRIGHT, sample.groups[1])) for sample, _ in pairs]
        gated = variant not in {f"skewed {degrees:+}" for degrees in STEEP}
        yield row(variant, pairs, [pair for pair in upright if pair], gated)


def real_rows(samples: list[Sample], results: list[Result]) -> Iterator[Row]:
    """Yield a row for each turned or skewed document."""
    read = {s.name: (s, result) for s, result in zip(samples, results, strict=True)}
    for name, twin in TWINS.items():
        if name in read and twin in read:
            yield row(f"{name}", [read[name]], [read[twin]], gated=True)


def row(
    variant: str,
    pairs: list[tuple[Sample, Result]],
    upright: list[tuple[Sample, Result]],
    gated: bool,
) -> Row:
    """Return one row; without upright pages the error itself must be small."""
    error = _error(pairs)
    more = error - (_error(upright) if upright else 0.0)
    times = _seconds(pairs) / _seconds(upright) if upright else 1.0
    return Row(variant, len(pairs), error, more, times, gated)


def _error(pairs: list[tuple[Sample, Result]]) -> float:
    return fmean(character_error(sample.text, result.text) for sample, result in pairs)


def _seconds(pairs: list[tuple[Sample, Result]]) -> float:
    return sum(result.cpu_seconds for _, result in pairs)


def measured(
    title: str,
    write: Callable[[Path], list[Sample]],
    rows: Callable[[list[Sample], list[Result]], Iterator[Row]],
    show_above: float | None,
) -> bool:
    """Print the table of one set; return whether all of it is as good as it has to be."""
    with tempfile.TemporaryDirectory(prefix="ocr-awkward-") as name:
        folder = Path(name)
        samples = write(folder)
        results = read_all([ENGINE], samples, folder)
    if ENGINE not in results:
        return False
    found = list(rows(samples, results[ENGINE]))
    print(f"\n## {title}\n\n{HEADER}", *found, sep="\n", flush=True)
    if show_above is not None:
        show(samples, results, show_above)
    return bool(found) and all(row.more <= ALLOWED for row in found if row.gated)


def main() -> None:
    """Measure all sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only a few pages and angles")
    parser.add_argument("--dpi", type=int, default=200, help="of the synthetic pages; default 200")
    parser.add_argument("--only", metavar="GROUP", help="synthetic pages of one group, as `small`")
    parser.add_argument(
        "--show", type=float, metavar="CER", help="print differences of pages above this error"
    )
    options = parser.parse_args()
    good = [
        measured(
            f"Synthetic pages at {options.dpi} dpi",
            lambda folder: [*synthetic(folder, options), *shapes(folder, options.dpi)],
            synthetic_rows,
            options.show,
        )
    ]
    if CORPUS.is_dir():
        real = measured(
            "Real pages of ../shared/corpus",
            lambda folder: [
                sample
                for sample in documents(folder, CORPUS)
                if sample.name in {*TWINS, *TWINS.values()}
            ],
            real_rows,
            options.show,
        )
        good.append(real)
    else:
        print("There is no ../shared/corpus here, so real pages are skipped.")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
