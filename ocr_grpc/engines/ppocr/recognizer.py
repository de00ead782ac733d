"""Reads the lines of a page, a few at a time."""

from dataclasses import dataclass, replace

import numpy as np

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr.backend import AlphabetName, Backend, Steps
from ocr_grpc.engines.ppocr.decoding import Reading, Span, alphabet_of, decode_greedy
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.engines.ppocr.strips import Strip, cut_out, place_of_cut, strips_of
from ocr_grpc.engines.ppocr.words import decode_words


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a line.

    Attributes:
        alphabet: the characters to choose from.
        words: whether to say where its words stand, in pixels along the region.
    """

    alphabet: AlphabetName = "full"
    words: bool = False


class Recognizer:
    """Reads regions of a page."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._alphabet = alphabet_of(backend.characters)

    def read(
        self, page: Pixels, regions: list[Region], wanted: Wanted, cancellation: Cancellation
    ) -> list[Reading]:
        """Return what some regions say, in their order; several at once take less time.

        Raises:
            ReadCancelled: within a tenth of a second of the cancellation.
        """
        widths = self._backend.strip_widths
        lines = [strips_of(cut_out(page, region), widths) for region in regions]
        strips = [strip for line in lines for strip in line]
        steps = iter(
            self._backend.read_strips([s.pixels for s in strips], wanted.alphabet, cancellation)
        )
        readings: list[Reading] = []
        for region, line in zip(regions, lines, strict=True):
            reading = joined_readings([self._reading(s, next(steps), wanted) for s in line])
            if reading.words:
                offset, column = place_of_cut(page, region)
                reading = replace(reading, words=_moved(reading.words, offset, column))
            readings.append(reading)
        return readings

    def _reading(self, strip: Strip, steps: Steps, wanted: Wanted) -> Reading:
        reading = decode_greedy(steps, self._alphabet)
        if not wanted.words:
            return reading
        words = decode_words(steps, self._alphabet, strip.pixels, strip.inner)
        column = (strip.right - strip.left) / strip.inner
        return replace(reading, words=_moved(words, strip.left, column))


def joined_readings(readings: list[Reading]) -> Reading:
    """Return the reading of a line from those of its pieces, which were cut between words."""
    kept = [reading for reading in readings if reading.text]
    if len(kept) == 1:
        return kept[0]
    if not kept:
        return Reading("", 0.0)
    weights = [len(reading.text) for reading in kept]
    confidence = float(np.average([reading.confidence for reading in kept], weights=weights))
    words = tuple(word for reading in kept for word in reading.words)
    return Reading(" ".join(reading.text for reading in kept), confidence, words)


def _moved(words: tuple[Span, ...], offset: float, scale: float) -> tuple[Span, ...]:
    return tuple(
        replace(word, start=offset + word.start * scale, end=offset + word.end * scale)
        for word in words
    )
