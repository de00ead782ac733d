"""Decides whether the text a page carries is worth more than a look at its image. Child only.

A text layer is used in place of OCR unless

* `none`: it has no letter and no digit;
* `garbage`: more than a tenth of its characters stand for nothing (no mapping in the font, control
  or private characters, U+FFFD), or are no text at all, or mix many scripts, or its Latin letters
  occur as in no language, which is what a font with shifted codes yields;
* `picture`: images cover half of the page, and the visible text less than a thirtieth of it, as a
  stamp over a scan does. An invisible layer over a scan is somebody's OCR and is used;
* `too_long`: it has more characters than a page can have.

The doubt is for the text: numbers, code and every language must pass.
"""

import math
import unicodedata
from collections import Counter
from dataclasses import dataclass

_GARBAGE_SHARE = 0.1
_PICTURE_COVERAGE = 0.5
_TEXT_COVERAGE = 1 / 30
_MIN_LETTERS = 80
"""Fewer letters say nothing about their frequencies."""
_MAX_BITS = 5.0
_MAX_SCRIPTS = 6
_SYMBOL_SHARE = 0.5

# Frequencies in percent of a to z, averaged over English, German, French, Spanish, Italian,
# Portuguese, Dutch, Swedish, Polish and Finnish, accents removed. Rounded on purpose: the
# question is only whether a text could be any language at all.
_FREQUENCIES = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            9.2, 1.4, 3.0, 4.2, 13.0, 1.3, 1.8, 2.4, 7.6, 0.8, 1.8, 4.6, 2.8,
            7.6, 6.0, 2.6, 0.5, 6.3, 6.4, 6.4, 3.9, 1.5, 1.3, 0.3, 1.4, 1.0,
        ),
        strict=True,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a page.

    Attributes:
        text: its characters without white space.
        unmapped_share: of the characters, how many the font maps to nothing, in [0, 1].
        text_share: of the page's area, what the visible text covers, in [0, 1].
        image_share: what images cover, in [0, 1].
        invisible: the text is drawn invisibly.
    """

    text: str
    unmapped_share: float
    text_share: float
    image_share: float
    invisible: bool


def why_unusable(page: Evidence) -> str:
    """Return the word for why the text is not to be used; empty if it is."""
    counts = Counter(page.text)
    if not any(character.isalnum() for character in counts):
        return "garbage" if counts and _stands_for_nothing(counts) > _GARBAGE_SHARE else "none"
    if page.unmapped_share > _GARBAGE_SHARE or _is_garbage(counts):
        return "garbage"
    covered = page.image_share >= _PICTURE_COVERAGE
    if covered and not page.invisible and page.text_share < _TEXT_COVERAGE:
        return "picture"
    return ""


def _is_garbage(counts: Counter[str]) -> bool:
    return (
        _stands_for_nothing(counts) > _GARBAGE_SHARE
        or _is_symbols(counts)
        or _mixes_scripts(counts)
        or _is_no_language(counts)
    )


def _stands_for_nothing(counts: Counter[str]) -> float:
    lost = sum(
        count
        for character, count in counts.items()
        if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
    )
    return lost / counts.total()


def _is_symbols(counts: Counter[str]) -> bool:
    """Whether most characters are marks that no text is made of; punctuation of tables is fine."""
    if counts.total() < _MIN_LETTERS:
        return False
    odd = sum(
        count
        for character, count in counts.items()
        if unicodedata.category(character) in ("Lm", "Me", "Mn", "No", "Sk", "So")
        or (ord(character) > 0x7F and unicodedata.category(character) in ("Sc", "Sm", "Po"))
    )
    return odd > _SYMBOL_SHARE * counts.total()


def _mixes_scripts(counts: Counter[str]) -> bool:
    """Whether letters come from more scripts than a page in any language has."""
    scripts = Counter[str]()
    for character, count in counts.items():
        if ord(character) > 0x7F and character.isalpha():
            scripts[unicodedata.name(character, "UNNAMED").split(" ")[0]] += count
    common = [script for script, count in scripts.items() if count > 0.02 * counts.total()]
    return len(common) > _MAX_SCRIPTS


def _is_no_language(counts: Counter[str]) -> bool:
    """Whether Latin letters are distributed as in no language: shifted or shuffled codes."""
    letters = Counter[str]()
    for character, count in counts.items():
        base = unicodedata.normalize("NFD", character.casefold())[:1]
        if base in _FREQUENCIES:
            letters[base] += count
    total = letters.total()
    # Where letters are the smaller part, they are codes in a table and follow no language.
    if total < _MIN_LETTERS or total < 0.5 * counts.total():
        return False
    bits = -sum(n * math.log2(_FREQUENCIES[letter] / 100) for letter, n in letters.items()) / total
    return bits > _MAX_BITS
