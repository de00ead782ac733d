"""Text as it may leave: without control characters, in NFC, wherever it was cut into pieces."""

import re
from unicodedata import category, normalize

from ocr_grpc.engines.vlm.grammars.grammar import Emission, Grammar

# Lone surrogates too: no proto can carry them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")


class Cleaned:
    """A grammar whose text is clean. Holds back one character and the marks upon it.

    A mark that arrives alone melts with the character before it, which therefore waits: else the
    text would depend on how it was cut, and so would all offsets that are counted on it.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._held = ""

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece."""
        return self._cleaned(self._grammar.feed(text))

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
                text = self._held + _CONTROL.sub("", emission)
                end = _last_base(text)
                self._held = text[end:]
                if end:
                    cleaned.append(normalize("NFC", text[:end]))
            else:
                self._release(cleaned)
                cleaned.append(emission)
        return cleaned

    def _release(self, emissions: list[Emission]) -> None:
        if self._held:
            emissions.append(normalize("NFC", self._held))
            self._held = ""


def _last_base(text: str) -> int:
    """Return where the last character stands that does not melt with one before it; else 0."""
    for at in range(len(text) - 1, 0, -1):
        # Besides marks only the vowels and finals of Hangul do.
        if category(text[at])[0] != "M" and not "\u1160" <= text[at] <= "\u11ff":
            return at
    return 0
