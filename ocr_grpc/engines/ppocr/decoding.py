"""From the labels along a line to its text."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.backend import Steps


@dataclass(frozen=True, slots=True)
class Span:
    """A word and where it stands along its strip or line.

    Attributes:
        text: in NFC, without white space.
        start: in pixels from the left end.
        end: likewise, greater than `start`.
        confidence: the mean probability of its characters in [0, 1].
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a strip says.

    Attributes:
        text: in NFC, without control characters, without spaces at the ends.
        confidence: the mean probability of its characters in [0, 1]; 0.0 if the text is empty.
        words: where its words stand, if that was asked for.
    """

    text: str
    confidence: float
    words: tuple[Span, ...] = ()


def alphabet_of(characters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the character of each label: nothing for the blank, the list, and a space at last."""
    return ("", *characters, " ")


def decode_greedy(steps: Steps, alphabet: tuple[str, ...]) -> Reading:
    """Return the text of one strip, taking the best label at each step.

    Raises:
        IndexError: if a label lies outside the alphabet.

    Source: Graves et al., Connectionist Temporal Classification, ICML 2006, section 3.2.
    """
    starts = character_starts(steps)
    if not len(starts):
        return Reading("", 0.0)
    text = cleaned("".join(alphabet[label] for label in map(int, steps.labels[starts])))
    return Reading(text, float(steps.probabilities[starts].mean()) if text else 0.0)


def character_starts(steps: Steps) -> NDArray[np.intp]:
    """Return (characters,) the step at which each character begins."""
    labels = steps.labels
    return np.flatnonzero((labels != 0) & (np.diff(labels, prepend=0) != 0))


def cleaned(text: str) -> str:
    """Return the text in NFC, without control characters, Western punctuation in Western text."""
    return tidied(text, not has_east_asian(text))


def has_east_asian(text: str) -> bool:
    """Return whether there are letters beside which full-width punctuation is right."""
    return bool(_EAST_ASIAN.search(unicodedata.normalize("NFC", text)))


def tidied(text: str, western: bool) -> str:
    """Return a part of a text as `cleaned` does, told whether the text is Western.

    Parts that begin and end at white space, each tidied, make up the text tidied as a whole.
    """
    text = unicodedata.normalize("NFC", text)
    if western:
        text = text.translate(_TO_WESTERN)
    text = "".join(" " if character.isspace() else character for character in text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return " ".join(text.split())


_EAST_ASIAN = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_TO_WESTERN = _FULL_WIDTH | {0x3000: " ", 0x3001: ",", 0x3002: ".", 0xFFE5: "¥", 0xFFE1: "£"}
