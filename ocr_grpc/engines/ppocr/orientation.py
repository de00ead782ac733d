"""Tells pages that lie on their side or stand on their head, only when something looks wrong.

A classifier asked about every line flips good ones: the character error of an upright page was
10 to 14 % with it and 0 without. So the page is asked as a whole, from signs that cost nothing
(lines stand upright, or the first lines read badly), by reading a few lines both ways.
"""

from dataclasses import replace

import numpy as np

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr.decoding import Reading
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.engines.ppocr.print_size import measure_print
from ocr_grpc.engines.ppocr.recognizer import Recognizer, Wanted
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.model import Point

MORE_LETTERS = 1.5
"""So many more letters stand in rows on a page that is turned rightly."""
SAMPLE = 4
"""Lines read to tell which way is up: the longest ones."""
DOUBTFUL = 0.85
"""Lines of a page that stands upright are read with more confidence than this."""
BETTER = 0.1
"""By this much more confidence the other way up must be read to be believed."""


def lies_on_its_side(regions: list[Region]) -> bool:
    """Return whether most of the text runs upward or downward."""
    areas = np.array([region.width * region.height for region in regions])
    upright = np.array([region.height > 1.5 * region.width for region in regions])
    return bool(areas[upright].sum() > areas.sum() / 2) if regions else False


def runs_sideways(pixels: Pixels, cancellation: Cancellation) -> bool:
    """Return whether letters stand in columns rather than in rows, whatever the lines say.

    Where a large stamp stands across small print, the print is seen too coarsely to part its lines.

    Raises:
        ReadCancelled: within a few hundredths of a second of the cancellation.
    """
    rows = len(measure_print(pixels, cancellation).height)
    return len(measure_print(turned(pixels, 1), cancellation).height) > MORE_LETTERS * rows


def reads_badly(readings: list[Reading]) -> bool:
    """Return whether some of the readings leave doubt which way is up."""
    return any(reading.confidence < DOUBTFUL for reading in readings)


def turned(pixels: Pixels, quarters: int) -> Pixels:
    """Return the page turned counterclockwise by quarters, in memory of its own."""
    return np.ascontiguousarray(np.rot90(pixels, quarters))


def is_upside_down(
    page: Pixels,
    regions: list[Region],
    recognizer: Recognizer,
    wanted: Wanted,
    cancellation: Cancellation,
) -> bool:
    """Return whether the longest lines read badly, and better on a page turned by 180 degrees.

    Raises:
        ReadCancelled: within a tenth of a second of the cancellation.
    """
    sample = sorted(regions, key=lambda region: -region.width / region.height)[:SAMPLE]
    if not sample:
        return False
    wanted = replace(wanted, words=False)
    now = _confidence(page, sample, recognizer, wanted, cancellation)
    height, width = page.shape[:2]
    turned = [Region(width - r.x, height - r.y, r.width, r.height, r.angle) for r in sample]
    head_down = _confidence(page[::-1, ::-1], turned, recognizer, wanted, cancellation)
    return head_down > now + BETTER


def _confidence(
    page: Pixels,
    regions: list[Region],
    recognizer: Recognizer,
    wanted: Wanted,
    cancellation: Cancellation,
) -> float:
    readings = recognizer.read(page, regions, wanted, cancellation)
    return float(np.mean([reading.confidence for reading in readings]))


def turned_back(points: list[Point], quarters: int, width: int, height: int) -> list[Point]:
    """Return points of a page turned by `numpy.rot90(page, quarters)` as points of the page.

    Args:
        points: on the turned page.
        quarters: of a full turn, counterclockwise, 0..3.
        width: of the page before it was turned, in pixels.
        height: likewise.
    """
    match quarters % 4:
        case 1:
            return [Point(width - p.y, p.x) for p in points]
        case 2:
            return [Point(width - p.x, height - p.y) for p in points]
        case 3:
            return [Point(p.y, height - p.x) for p in points]
        case _:
            return points
