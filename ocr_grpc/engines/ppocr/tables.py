"""Orders what stands in rows: tables with cells of one line or several, and plain single lines."""

import numpy as np

from ocr_grpc.engines.ppocr.boxes import Box, bands_of, columns_of, line_height, row_groups, rows_of

CELL_GAP = 0.5
"""The least space between two cells of a row, in heights of a line."""


def in_rows(boxes: list[Box]) -> list[list[Box]]:
    """Return the boxes in reading order, as rows; a cell of several lines is a row of its own."""
    rows: list[list[Box]] = []
    for group in row_groups(bands_of(boxes)):
        members = [box for band in group for box in band]
        cells = columns_of(members, CELL_GAP * line_height(members))
        if len(group) > 1 and _is_wrapped(group, cells):
            rows += [row for cell in cells for row in rows_of(cell)]
        else:
            rows += rows_of(members)
    return rows


def _is_wrapped(group: list[list[Box]], cells: list[list[Box]]) -> bool:
    """Return whether the bands are the lines of one row of cells, and not rows of their own.

    In a row of wrapped cells some are full before others, and the longest fill their width.
    """
    if len(cells) < 2:
        return False
    counts = [len(rows_of(cell)) for cell in cells]
    if min(counts) == max(counts) or len(group[0]) < len(cells):
        return False
    longest = cells[int(np.argmax(counts))]
    span = max(box.right for box in longest) - min(box.left for box in longest)
    return any(box.width >= 0.8 * span and box.width > 6 * box.line_height for box in longest)
