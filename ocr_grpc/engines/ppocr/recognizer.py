"""Reads the lines of a page, a few at a time and in order."""

from collections.abc import Iterator

import numpy as np

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr.backend import Backend
from ocr_grpc.engines.ppocr.decoding import Reading, alphabet_of, decode_greedy
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.engines.ppocr.strips import cut_out, strips_of


class Recognizer:
    """Reads regions of a page."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._alphabet = alphabet_of(backend.characters)

    def read(self, page: Pixels, region: Region, cancellation: Cancellation) -> Reading:
        """Return what one region says.

        Raises:
            ReadCancelled: within a tenth of a second of the cancellation.
        """
        strips = strips_of(cut_out(page, region), self._backend.strip_widths)
        return joined_readings(list(self._readings(strips, cancellation)))

    def _readings(self, strips: list[Pixels], cancellation: Cancellation) -> Iterator[Reading]:
        for strip in strips:
            steps = self._backend.read_strips([strip], cancellation)[0]
            yield decode_greedy(steps, self._alphabet)


def joined_readings(readings: list[Reading]) -> Reading:
    """Return the reading of a line from those of its pieces, which were cut between words."""
    kept = [reading for reading in readings if reading.text]
    if len(kept) == 1:
        return kept[0]
    if not kept:
        return Reading("", 0.0)
    weights = [len(reading.text) for reading in kept]
    confidence = float(np.average([reading.confidence for reading in kept], weights=weights))
    return Reading(" ".join(reading.text for reading in kept), confidence)
