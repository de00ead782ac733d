"""From the detector's map of probabilities to the rectangles of lines."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.pixels import Corners, Probabilities
from ocr_grpc.engines.ppocr.skew import angle_of_rows

INK_LEVEL = 77
"""0.3 of 255: what belongs to a line. Value of the model's makers."""
CONFIDENT = 0.5
"""The least mean probability of a line's area. Value of the model's makers."""
UNCLIP = 1.6
"""How far a line reaches beyond the core the detector draws, see `unclipped`."""
LONG = 6
"""A box this many times as long as high tells its own angle."""
WORD = 1.5
"""A box less long may stand upright as well."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle that holds a line of text, or part of one.

    Attributes:
        x, y: its centre in pixels.
        width: along the text, in pixels.
        height: across the text, in pixels.
        angle: degrees clockwise by which the text is turned, in [-45, 45).
    """

    x: float
    y: float
    width: float
    height: float
    angle: float

    def corners(self) -> Corners:
        """Return its corners."""
        turn = np.deg2rad(self.angle)
        along = np.array([np.cos(turn), np.sin(turn)]) * self.width / 2
        across = np.array([-np.sin(turn), np.cos(turn)]) * self.height / 2
        centre = np.array([self.x, self.y])
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return np.array([centre + a * along + b * across for a, b in signs], np.float32)

    def part(self, start: float, end: float) -> "Region":
        """Return the part from `start` to `end`, in pixels along the text from its left end."""
        turn = np.deg2rad(self.angle)
        shift = (start + end - self.width) / 2
        x, y = self.x + shift * float(np.cos(turn)), self.y + shift * float(np.sin(turn))
        return Region(x, y, end - start, self.height, self.angle)

    def scaled(self, factor: float) -> "Region":
        """Return the same region in an image `factor` times as large."""
        x, y, width, height = (n * factor for n in (self.x, self.y, self.width, self.height))
        return Region(x, y, width, height, self.angle)


def find_regions(map_: Probabilities) -> list[Region]:
    """Return the rectangles of all lines, in pixels of the map, in no order."""
    mask = (map_ >= INK_LEVEL).astype(np.uint8)
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contours = [np.asarray(contour, np.int32) for contour in found]
    contours = [contour for contour in contours if _confidence(map_, contour) >= CONFIDENT]
    upright = [_rectangle(contour, _angle(contour)) for contour in contours]
    skew = _skew(upright)
    regions: list[Region] = []
    for contour, rectangle in zip(contours, upright, strict=True):
        # A line's own angle is mostly chance, ascenders that stand left or right; it counts where
        # the page's would lead out of the line, as on a photographed page that bends.
        drop = np.sin(np.deg2rad(abs(rectangle.angle - skew))) * rectangle.width
        own = rectangle.width >= LONG * rectangle.height and drop > 0.7 * rectangle.height
        core = rectangle if own else _rectangle(contour, skew)
        if min(core.width, core.height) >= 2:
            regions.append(unclipped(core))
    return regions


def page_angle(regions: list[Region]) -> float:
    """Return the angle of the page in degrees, from regions that `find_regions` gave.

    Looked for once more where lines are short: their rows tell it better than a few long ones did.
    """
    long = _long(regions)
    return _median_angle(long) if long else _angle_of_rows(regions)


def _skew(rectangles: list[Region]) -> float:
    """Return the angle of the text in degrees, the median over long lines; 0.0 without any.

    Where lines are short, the rows tell in which they stand.
    """
    long = _long(rectangles)
    if long:
        return _median_angle(long)
    return _angle_of_rows([r for r in rectangles if r.width > WORD * r.height])


def _angle_of_rows(words: list[Region]) -> float:
    if not words:
        return 0.0
    x, y, height = np.array([(r.x, r.y, r.height) for r in words]).T
    return angle_of_rows(x, y, height, _median_angle(words))


def _long(rectangles: list[Region]) -> list[Region]:
    """Return those that tell their own angle; none if it is but one, which may be anything."""
    long = [r for r in rectangles if r.width > LONG * r.height]
    return long if len(long) >= 2 else []


def _median_angle(rectangles: list[Region]) -> float:
    """Return the median, each rectangle weighing as much as it is long."""
    angles, widths = np.array([(r.angle, r.width) for r in rectangles]).T
    order = np.argsort(angles)
    reached: NDArray[np.float64] = np.cumsum(widths[order])
    return float(angles[order][np.argmax(reached >= reached[-1] / 2)])


def unclipped(core: Region, ratio: float = UNCLIP) -> Region:
    """Return the region around the core of a line that the detector draws.

    All sides move outward by area × ratio / perimeter, as Vatti's clipping would move them.

    Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020,
    section 3.4.
    """
    distance = core.width * core.height * ratio / (2 * (core.width + core.height))
    width, height = core.width + 2 * distance, core.height + 2 * distance
    return Region(core.x, core.y, width, height, core.angle)


def _confidence(map_: Probabilities, contour: NDArray[np.int32]) -> float:
    left, top, width, height = cv2.boundingRect(contour)
    part = map_[top : top + height, left : left + width]
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(inside, [contour], (1,), offset=(-left, -top))
    return cv2.mean(part, inside)[0] / 255


def _angle(contour: NDArray[np.int32]) -> float:
    """Return the direction of the longer axis of an area, in degrees in [-45, 45).

    Source: Teague, Image analysis via the general theory of moments, JOSA 70(8), 1980.
    """
    m = cv2.moments(contour)
    angle = np.rad2deg(np.arctan2(2 * m["mu11"], m["mu20"] - m["mu02"]) / 2)
    return float((angle + 45) % 90 - 45)


def _rectangle(contour: NDArray[np.int32], angle: float) -> Region:
    """Return the smallest rectangle of a given angle around the contour."""
    turn = np.deg2rad(angle)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    points = contour.reshape(-1, 2)
    a, b = points @ along, points @ across
    x, y = (along * (a.min() + a.max()) + across * (b.min() + b.max())) / 2
    # Contours run through the centres of pixels; a run of n pixels is n wide, not n - 1.
    return Region(float(x), float(y), float(np.ptp(a)) + 1, float(np.ptp(b)) + 1, angle)
