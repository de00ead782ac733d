"""Finds the lines of a page: measures the print, looks at tiles, joins what they show."""

import numpy as np

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr.backend import Backend
from ocr_grpc.engines.ppocr.models import PAD_LEVEL
from ocr_grpc.engines.ppocr.pixels import Pixels, Probabilities, contrasted, resized, rgb
from ocr_grpc.engines.ppocr.print_size import measure_print
from ocr_grpc.engines.ppocr.reach import reached
from ocr_grpc.engines.ppocr.regions import Region, find_regions
from ocr_grpc.engines.ppocr.tiling import MARGIN, Tile, plan_tiles


class Detector:
    """Finds lines of any size on pages of any size, without shrinking them out of sight."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def find(self, pixels: Pixels, cancellation: Cancellation) -> list[Region]:
        """Return the regions of all lines in pixels of the page, in no order.

        The tiles' answers are laid side by side into one map before lines are taken from it, so
        that a line cut by the border of two tiles is found once and whole.

        Raises:
            ReadCancelled: within a tenth of a second of the cancellation.
        """
        height, width = pixels.shape[:2]
        if not pixels.size:
            return []
        print_ = measure_print(pixels, cancellation)
        tiles = plan_tiles(width, height, print_, self._backend.tile_shapes[-1])
        if not tiles:
            return []
        scale = max(tile.scale for tile in tiles)
        map_ = np.zeros((round(height * scale), round(width * scale)), np.uint8)
        for tile in tiles:
            self._look(pixels, tile, scale, map_, cancellation)
        return reached(pixels, [region.scaled(1 / scale) for region in find_regions(map_)])

    def _look(
        self,
        pixels: Pixels,
        tile: Tile,
        scale: float,
        map_: Probabilities,
        cancellation: Cancellation,
    ) -> None:
        """Draw what one tile shows into the map of the page, which has `scale`."""
        left, top, right, bottom = _with_margin(tile, pixels.shape[1], pixels.shape[0])
        part = pixels[top:bottom, left:right]
        width = max(1, round((right - left) * tile.scale))
        height = max(1, round((bottom - top) * tile.scale))
        shape = smallest_shape(self._backend.tile_shapes, height, width)
        image = np.full((*shape, 3), PAD_LEVEL, np.uint8)
        image[:height, :width] = rgb(contrasted(resized(part, width, height)))
        seen = self._backend.find_text(image, cancellation)[:height, :width]
        wide, high = round((right - left) * scale), round((bottom - top) * scale)
        seen = resized(seen, max(1, wide), max(1, high))
        x, y, x_end, y_end = (
            round(n * scale) for n in (tile.left, tile.top, tile.right, tile.bottom)
        )
        x_shift, y_shift = round(left * scale), round(top * scale)
        answer = seen[y - y_shift : y_end - y_shift, x - x_shift : x_end - x_shift]
        map_[y : y + answer.shape[0], x : x + answer.shape[1]] = answer[
            : map_.shape[0] - y, : map_.shape[1] - x
        ]


def smallest_shape(shapes: tuple[tuple[int, int], ...], height: int, width: int) -> tuple[int, int]:
    """Return the first shape, smallest first, that holds an image; the last if none does."""
    return next((s for s in shapes if s[0] >= height and s[1] >= width), shapes[-1])


def _with_margin(tile: Tile, width: int, height: int) -> tuple[int, int, int, int]:
    margin = int(MARGIN / tile.scale)
    left, top = max(0, tile.left - margin), max(0, tile.top - margin)
    return left, top, min(width, tile.right + margin), min(height, tile.bottom + margin)
