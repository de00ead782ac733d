"""Finds where the words of a line stand, from the steps at which its characters were seen.

A step tells about where a character stands, within half a letter. The blank between two words is
seen on the strip itself, so words end where their ink does.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.backend import Steps
from ocr_grpc.engines.ppocr.decoding import Span, character_starts, has_east_asian, tidied
from ocr_grpc.engines.ppocr.models import STEP_WIDTH
from ocr_grpc.engines.ppocr.pixels import Pixels, grey

BLANK = 24
"""Grey levels a column between words may vary by, more than the calmest one of the line does."""
CALM = 64
"""A line whose calmest column varies by more has no blanks: it is underlined, or on a pattern."""


@dataclass(frozen=True, slots=True)
class _Character:
    """A character with the marks combined with it.

    Attributes:
        text: one or more code points.
        place: the middle of the steps that show it, in pixels of the strip.
        probabilities: one for each code point.
    """

    text: str
    place: float
    probabilities: tuple[float, ...]


_Run = list[_Character]
"""The characters of one word."""


def decode_words(
    steps: Steps, alphabet: tuple[str, ...], strip: Pixels, inner: int
) -> tuple[Span, ...]:
    """Return the words of a strip from left to right, in pixels of the strip.

    Joined by spaces they are what `decode_greedy` gives; only in scripts that put no spaces between
    words each character is a word, and so is what of other scripts stands between them.

    Args:
        steps: what the recognizer saw.
        alphabet: the character of each label.
        strip: (48, width, 3) what it was given.
        inner: the columns of it that the line takes; the rest is padding.
    """
    characters = list(_characters(steps, alphabet))
    western = not has_east_asian("".join(character.text for character in characters))
    kept: list[tuple[str, _Run]] = []
    for run in _runs(characters, western):
        text = tidied("".join(character.text for character in run), western)
        if text:
            kept.append((text, run))
    if not kept:
        return ()
    borders = list(_borders([run for _, run in kept], strip[:, :inner]))
    return tuple(
        Span(text, start, max(end, start + 1), _confidence(run))
        for (text, run), (start, end) in zip(kept, borders, strict=True)
    )


def _characters(steps: Steps, alphabet: tuple[str, ...]) -> Iterator[_Character]:
    """Yield the characters of a strip, marks together with the letters they belong to."""
    whole: _Character | None = None
    changes = np.append(np.flatnonzero(np.diff(steps.labels)) + 1, len(steps.labels))
    for start in character_starts(steps).tolist():
        end = int(changes[np.searchsorted(changes, start, side="right")])
        text, probability = alphabet[steps.labels[start]], float(steps.probabilities[start])
        if whole and all(map(unicodedata.combining, text)):
            both = (*whole.probabilities, probability)
            whole = _Character(whole.text + text, whole.place, both)
            continue
        if whole:
            yield whole
        whole = _Character(text, (start + end) / 2 * STEP_WIDTH, (probability,))
    if whole:
        yield whole


def _runs(characters: list[_Character], western: bool) -> Iterator[_Run]:
    """Yield the characters word by word, without the white space between them."""
    run: _Run = []
    for character in characters:
        space = character.text.isspace()
        alone = not space and not western and _is_wide(character)
        if run and (space or alone):
            yield run
            run = []
        if alone:
            yield [character]
        elif not space:
            run.append(character)
    if run:
        yield run


def _is_wide(character: _Character) -> bool:
    """Return whether it is an East Asian letter, or punctuation as wide."""
    return unicodedata.east_asian_width(character.text[0]) in "WF"


def _borders(runs: list[_Run], line: Pixels) -> Iterator[tuple[float, float]]:
    """Yield where each word starts and ends, in columns of the line."""
    light = grey(np.ascontiguousarray(line)).astype(np.int16)
    spread = light.max(axis=0) - light.min(axis=0)
    blank = spread <= min(int(spread.min()), CALM) + BLANK
    start = _outer(blank, runs[0][0].place)
    for run, following in pairwise(runs):
        end, next_start = _gap(blank, run[-1], following[0])
        yield start, end
        start = next_start
    yield start, len(blank) - _outer(blank[::-1], len(blank) - runs[-1][-1].place)


def _outer(blank: NDArray[np.bool_], place: float) -> float:
    """Return how many columns are blank before the first character, which is at about `place`."""
    ink = np.flatnonzero(~blank[: max(1, int(place) + STEP_WIDTH)])
    return float(ink[0]) if len(ink) else max(0.0, place - STEP_WIDTH)


def _gap(blank: NDArray[np.bool_], left: _Character, right: _Character) -> tuple[float, float]:
    """Return the widest blank between two characters; if there is none, their middle twice."""
    middle = (left.place + right.place) / 2
    # Between wide characters blanks are narrow, and within them there are some as well.
    reach = (right.place - left.place) / (4 if _is_wide(left) or _is_wide(right) else 2)
    first, last = max(0, int(middle - reach)), min(len(blank), int(middle + reach) + 1)
    edges = np.flatnonzero(np.diff(blank[first:last].astype(np.int8), prepend=0, append=0))
    gaps = edges.reshape(-1, 2) + first
    if not len(gaps):
        return middle, middle
    start, end = gaps[np.argmax(gaps[:, 1] - gaps[:, 0])].tolist()
    # A character may be seen late, beyond its own ink.
    before, after = np.flatnonzero(~blank[:start]), np.flatnonzero(~blank[end:])
    start = int(before[-1]) + 1 if len(before) else start
    end = end + int(after[0]) if len(after) else end
    return float(start), float(end)


def _confidence(run: _Run) -> float:
    return min(1.0, float(np.mean([p for character in run for p in character.probabilities])))
