"""The geometry of reading order: boxes of lines, the bands they form, the space they leave free."""

from dataclasses import dataclass

import numpy as np

from ocr_grpc.engines.ppocr.regions import Region, page_angle

CORE = 0.6
"""A box has this share of the height of its region, so that boxes of neighbours are apart."""

ROW_GAP = 1.25
"""Lines this much further apart than usual are not of one paragraph or cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Where a region stands on the page after its lines were turned level.

    Attributes:
        left, top, right, bottom: of the letters, in pixels.
        region: the region itself.
    """

    left: float
    top: float
    right: float
    bottom: float
    region: Region

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def middle(self) -> float:
        """The y halfway between top and bottom."""
        return (self.top + self.bottom) / 2

    @property
    def line_height(self) -> float:
        """The height of the whole line, of which the box is the core."""
        return (self.bottom - self.top) / CORE


def level_boxes(regions: list[Region]) -> list[Box]:
    """Return the boxes of the regions on a page turned so that its lines are level."""
    turn = np.deg2rad(page_angle(regions))
    boxes: list[Box] = []
    for region in regions:
        x = float(region.x * np.cos(turn) + region.y * np.sin(turn))
        y = float(region.y * np.cos(turn) - region.x * np.sin(turn))
        half_width = max(region.width - 0.4 * region.height, 0.6 * region.width) / 2
        half_height = region.height * CORE / 2
        boxes.append(Box(x - half_width, y - half_height, x + half_width, y + half_height, region))
    return boxes


def bands_of(boxes: list[Box]) -> list[list[Box]]:
    """Return the boxes in horizontal bands that a straight blank line parts, from the top."""
    bands: list[list[Box]] = []
    bottom = -np.inf
    for box in sorted(boxes, key=lambda box: box.top):
        if box.top >= bottom:
            bands.append([])
        bands[-1].append(box)
        bottom = max(bottom, box.bottom)
    return bands


def rows_of(boxes: list[Box]) -> list[list[Box]]:
    """Return rows from the top, each from the left; a box is in a row if its middle is."""
    rows: list[list[Box]] = []
    bottoms: list[float] = []
    for box in sorted(boxes, key=lambda box: box.middle):
        if rows and box.middle < sum(bottoms) / len(bottoms):
            rows[-1].append(box)
        else:
            rows.append([box])
            bottoms = []
        bottoms.append(box.bottom)
    return [sorted(row, key=lambda box: box.left) for row in rows]


def row_groups(bands: list[list[Box]]) -> list[list[list[Box]]]:
    """Return the bands in groups, parted where the lines stand further apart than usual."""
    if len(bands) < 2:
        return [bands] if bands else []
    pitches = np.diff([max(box.bottom for box in band) for band in bands])
    usual = float(np.percentile(pitches, 20))
    groups = [[bands[0]]]
    for band, pitch in zip(bands[1:], pitches.tolist(), strict=True):
        if pitch > ROW_GAP * usual:
            groups.append([])
        groups[-1].append(band)
    return groups


def columns_of(boxes: list[Box], least: float) -> list[list[Box]]:
    """Return the boxes in vertical columns that a straight gap of `least` pixels parts."""
    columns: list[list[Box]] = []
    right = -np.inf
    for box in sorted(boxes, key=lambda box: box.left):
        if box.left >= right + least:
            columns.append([])
        columns[-1].append(box)
        right = max(right, box.right)
    return columns


def line_height(boxes: list[Box]) -> float:
    """Return the median height of lines."""
    return float(np.median([box.line_height for box in boxes]))
