"""How well lines are put into reading order, apart from how well they are read.

    python -m benchmarks.order
    python -m benchmarks.order --folder DOCUMENTS --worst 20

The lines and their words come from the text layer of PDFs, so that all that can be wrong is the
order: the figure is the character error of the joined text. Beside it stands what plain sorting
from top to bottom and left to right gives. Skewed, the same lines are turned by 2 degrees.
The order of a file in `--folder` is believed, and rightly so only where its makers cared.
"""

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pypdfium2 as pdfium

from benchmarks.layouts import layouts
from benchmarks.layouts_lines import TextLine, text_lines
from benchmarks.pages import text_pdf
from benchmarks.score import character_error
from ocr_grpc.engines.ppocr.reading_order import in_reading_order
from ocr_grpc.engines.ppocr.regions import Region

LEAST_CHARACTERS = 200
"""Pages of files with less have no order to speak of."""
PAGES = 3
"""So many pages of each file, spread over it, so that a book does not outweigh the rest."""


@dataclass(frozen=True)
class Figure:
    """What one page gave: its kind and name, both errors, and the CPU-seconds of ordering."""

    kind: str
    name: str
    error: float
    sorted_error: float
    cpu_seconds: float


def measured(kind: str, name: str, lines: list[TextLine], degrees: float = 0.0) -> Figure:
    """Order the lines of a page, given in no order, and compare with the order they came in."""
    texts = {_turned(line.region, degrees): line.text for line in lines}
    regions = list(texts)
    random.Random(name).shuffle(regions)
    started = time.process_time()
    placed = in_reading_order(regions)
    spent = time.process_time() - started
    reference = " ".join(texts.values())
    ours = " ".join(texts[place.region] for place in placed)
    plain = " ".join(texts[region] for region in _sorted(regions))
    errors = character_error(reference, ours), character_error(reference, plain)
    return Figure(kind, name, *errors, spent)


def _turned(region: Region, degrees: float) -> Region:
    turn = np.deg2rad(degrees)
    x = float(region.x * np.cos(turn) - region.y * np.sin(turn))
    y = float(region.y * np.cos(turn) + region.x * np.sin(turn))
    return Region(x, y, region.width, region.height, degrees)


def _sorted(regions: list[Region]) -> list[Region]:
    rows: list[list[Region]] = []
    for region in sorted(regions, key=lambda region: region.y):
        if rows and region.y < rows[-1][0].y + rows[-1][0].height / 2:
            rows[-1].append(region)
        else:
            rows.append([region])
    return [region for row in rows for region in sorted(row, key=lambda region: region.x)]


def synthetic() -> Iterator[Figure]:
    """Yield the figures of the synthetic layouts, each upright and skewed."""
    for page in layouts():
        with pdfium.PdfDocument(text_pdf(page)) as document:
            lines = text_lines(document[0])
        yield measured(page.groups[0], page.name, lines)
        yield measured("skewed", f"{page.name}, skewed", lines, 2.0)


def folder(path: Path) -> Iterator[Figure]:
    """Yield the figures of some pages of every PDF in a folder that has a text layer."""
    for source in sorted(path.rglob("*.pdf")):
        try:
            with pdfium.PdfDocument(source) as document:
                for place in sorted({len(document) * n // PAGES for n in range(PAGES)}):
                    lines = text_lines(document[place])
                    if sum(len(line.text) for line in lines) >= LEAST_CHARACTERS:
                        yield measured(path.name, f"{source.name} {place + 1}", lines)
        except pdfium.PdfiumError:
            print(f"{source.name} cannot be opened.")


def table(figures: list[Figure]) -> str:
    """Return the figures by kind as a Markdown table, all of them first."""
    kinds = ["all", *dict.fromkeys(figure.kind for figure in figures)]
    rows = [
        "| layout | pages | order error | sorted plainly | ms a page |",
        "|---|--:|--:|--:|--:|",
    ]
    for kind in kinds:
        chosen = [figure for figure in figures if kind in ("all", figure.kind)]
        error = fmean(figure.error for figure in chosen)
        plain = fmean(figure.sorted_error for figure in chosen)
        spent = fmean(figure.cpu_seconds for figure in chosen) * 1000
        rows.append(f"| {kind} | {len(chosen)} | {error:.4f} | {plain:.4f} | {spent:.1f} |")
    return "\n".join(rows)


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="PDFs with text layers, instead")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="name the worst pages")
    options = parser.parse_args()
    figures = list(folder(options.folder) if options.folder else synthetic())
    if not figures:
        parser.error("no page with a text layer was found")
    print(table(figures))
    for figure in sorted(figures, key=lambda figure: -figure.error)[: options.worst]:
        print(f"{figure.error:.3f} {figure.sorted_error:.3f} {figure.name}")


if __name__ == "__main__":
    main()
