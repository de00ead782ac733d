"""Text as it may leave: without control characters, in NFC, wherever it was cut into pieces."""

import re
from unicodedata import category, normalize

from ocr_grpc.engines.vlm.grammars.grammar import Emission, Grammar, SeenBlock

# Lone surrogates too: no proto can carry them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")
_NOT_IN_LABEL = re.compile(r"[^\w -]")
MOST_LABEL_CHARS = 64
MOST_MARKS = 30
"""Marks upon one character, as in the stream-safe text format of Unicode (UAX #15, section 13):
to put n of them in order takes n² steps, and text would be held back for as long as they come."""
_JOINER = "\u034f"
"""Melts with nothing, and nothing melts with it across it; not seen."""


class Cleaned:
    """A grammar whose text is clean. Holds back one character and the marks upon it.

    A mark that arrives alone melts with the character before it, which therefore waits: else the
    text would depend on how it was cut, and so would all offsets that are counted on it. After
    `MOST_MARKS` of them comes a joiner, so that no more is ever held back.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._held = ""

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece."""
        # Before the grammar looks: without what stands in it, any of it may be a tag.
        return self._cleaned(self._grammar.feed(without_controls(text)))

    def finish(self) -> list[Emission]:
        """Return what was held back, after the last piece."""
        emissions = self._cleaned(self._grammar.finish())
        self._release(emissions)
        return emissions

    @property
    def damaged(self) -> bool:
        """Whether something of the answer could not be made out."""
        return self._grammar.damaged

    @property
    def turn_degrees(self) -> int:
        """How far the page must be turned clockwise to stand upright."""
        return self._grammar.turn_degrees

    def _cleaned(self, emissions: list[Emission]) -> list[Emission]:
        cleaned: list[Emission] = []
        for emission in emissions:
            if isinstance(emission, str):
                text = _stream_safe(self._held + without_controls(emission))
                end = _last_base(text)
                self._held = text[end:]
                if end:
                    cleaned.append(normalize("NFC", text[:end]))
            else:
                self._release(cleaned)
                cleaned.append(SeenBlock(_label(emission.label), emission.box))
        return cleaned

    def _release(self, emissions: list[Emission]) -> None:
        if self._held:
            emissions.append(normalize("NFC", self._held))
            self._held = ""


def without_controls(text: str) -> str:
    """Return the text without control characters, but for tabs and line feeds."""
    return _CONTROL.sub("", text)


def _label(said: str) -> str:
    """Return a label as words: what else a model can be made to say is not for others to show."""
    return normalize("NFC", _NOT_IN_LABEL.sub("", said)[:MOST_LABEL_CHARS]).strip()


def _stream_safe(text: str) -> str:
    """Return the text with a joiner wherever more marks than `MOST_MARKS` follow each other."""
    if text.isascii():
        return text
    safe: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if _melts(character) else 0
        if marks > MOST_MARKS:
            safe.append(_JOINER)
            marks = 1
        safe.append(character)
    return "".join(safe)


def _last_base(text: str) -> int:
    """Return where the last character stands that does not melt with one before it; else 0."""
    for at in range(len(text) - 1, 0, -1):
        if not _melts(text[at]):
            return at
    return 0


def _melts(character: str) -> bool:
    """Return whether it may melt with what stands before it, or change places with it."""
    if character == _JOINER:
        return False
    # Besides marks only the vowels and finals of Hangul do.
    return category(character)[0] == "M" or "\u1160" <= character <= "\u11ff"
