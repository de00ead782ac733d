"""How large a page is rendered. Pure arithmetic, so that nothing is allocated to find out."""

import math

from ocr_grpc.documents.protocol import Failure, ReaderFailure
from ocr_grpc.model import PageGeometry

POINTS_PER_INCH = 72.0
AUTO_DPI = 200
"""For pages made of text and lines: 6-point print is still 17 pixels high."""
SCAN_DPI = (100.0, 300.0)
"""A scan is rendered at its own resolution within these: below, engines see nothing; above, they
see nothing more."""
LOWEST_USEFUL_DPI = 50.0
LOWEST_TEXT_DPI = 0.01
"""Text positions need no pixels, so a poster too large to render still gives its text."""


def fitting(
    width_pt: float, height_pt: float, dpi: float, max_pixels: int, lowest_dpi: float
) -> PageGeometry:
    """Return the size at `dpi`, or at the highest dpi at which the page fits.

    Raises:
        ReaderFailure: it does not even fit at `lowest_dpi`.
    """
    wanted = _at(width_pt, height_pt, dpi)
    if wanted.width_px * wanted.height_px <= max_pixels:
        return wanted
    # The margins of one pixel are for the rounding up of both sides.
    area = (width_pt / POINTS_PER_INCH) * (height_pt / POINTS_PER_INCH)
    half = (width_pt + height_pt) / POINTS_PER_INCH / 2
    fits_at = (math.sqrt(half * half + area * (max_pixels - 1)) - half) / area
    lowered = _at(width_pt, height_pt, math.floor(fits_at * 100) / 100)
    if lowered.dpi < lowest_dpi or lowered.width_px * lowered.height_px > max_pixels:
        raise ReaderFailure(Failure.PAGE_TOO_LARGE, width=wanted.width_px, height=wanted.height_px)
    return lowered


def _at(width_pt: float, height_pt: float, dpi: float) -> PageGeometry:
    scale = dpi / POINTS_PER_INCH
    # A page 1,654.0000001 pixels wide is not 1,655: floats from a PDF carry such dust.
    width = max(1, math.ceil(width_pt * scale - 1e-3))
    height = max(1, math.ceil(height_pt * scale - 1e-3))
    return PageGeometry(width, height, dpi)
