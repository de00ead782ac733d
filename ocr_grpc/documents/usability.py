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
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

_GARBAGE_SHARE = 0.1
_PICTURE_COVERAGE = 0.5
_TEXT_COVERAGE = 1 / 30
_MIN_LETTERS = 80
"""Fewer letters say nothing about their frequencies."""
_SUSPICIOUS_BITS = 4.7
"""No language is above; see `_bits`."""
_IMPOSSIBLE_BITS = 5.05
"""Nothing meant to be read is above."""
_CLEARLY_FEWER_BITS = 0.3
"""A shift of the alphabet that makes the text so much more plausible was applied to it."""
_WORDS_SHARE = 0.6
_MAX_SCRIPTS = 6
_SYMBOL_SHARE = 0.5

_WORDS = re.compile(r"[^\W\d_]{3,}")
"""Shorter ones are the variables of formulas as often as words."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
# How often the letters occur, in percent, averaged over English, German, French, Spanish, Italian,
# Portuguese, Dutch, Swedish, Polish and Finnish, accents removed. Rounded on purpose: the
# question is only whether a text could be of any language at all.
_PERCENT = (
    9.2, 1.4, 3.0, 4.2, 13.0, 1.3, 1.8, 2.4, 7.6, 0.8, 1.8, 4.6, 2.8,
    7.6, 6.0, 2.6, 0.5, 6.3, 6.4, 6.4, 3.9, 1.5, 1.3, 0.3, 1.4, 1.0,
)  # fmt: skip
_LETTER_BITS = [-math.log2(percent / 100) for percent in _PERCENT]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a page.

    Attributes:
        text: its words, separated by spaces.
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
    counts = Counter(page.text.replace(" ", ""))
    if not any(character.isalnum() for character in counts):
        return "garbage" if counts and _stands_for_nothing(counts) > _GARBAGE_SHARE else "none"
    if page.unmapped_share > _GARBAGE_SHARE or _is_garbage(page.text, counts):
        return "garbage"
    covered = page.image_share >= _PICTURE_COVERAGE
    if covered and not page.invisible and page.text_share < _TEXT_COVERAGE:
        return "picture"
    return ""


def _is_garbage(text: str, counts: Counter[str]) -> bool:
    return (
        _stands_for_nothing(counts) > _GARBAGE_SHARE
        or _is_symbols(counts)
        or _mixes_scripts(counts)
        or _is_no_language(text, counts.total())
    )


def _stands_for_nothing(counts: Counter[str]) -> float:
    lost = sum(
        count
        for character, count in counts.items()
        if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
    )
    return lost / counts.total()


def _is_symbols(counts: Counter[str]) -> bool:
    """Whether most characters are signs; punctuation is fine, as contents pages are full of it."""
    if counts.total() < _MIN_LETTERS:
        return False
    odd = 0
    for character, count in counts.items():
        category = unicodedata.category(character)
        if category in ("Me", "Sk", "So") or (category in ("Sc", "Sm") and character > "\x7f"):
            odd += count
    return odd > _SYMBOL_SHARE * counts.total()


def _mixes_scripts(counts: Counter[str]) -> bool:
    """Whether letters come from more scripts than a page in any language has."""
    scripts = Counter[str]()
    for character, count in counts.items():
        if ord(character) > 0x7F and character.isalpha():
            scripts[unicodedata.name(character, "UNNAMED").split(" ")[0]] += count
    common = [script for script, count in scripts.items() if count > 0.02 * counts.total()]
    return len(common) > _MAX_SCRIPTS


def _is_no_language(text: str, characters: int) -> bool:
    """Whether Latin letters are distributed as in no language: shifted or shuffled codes."""
    words = "".join(_WORDS.findall(text))
    # Decomposed, so that each accented letter counts as the letter it is.
    letters = Counter(unicodedata.normalize("NFD", words.casefold()))
    counts = [letters[letter] for letter in _ALPHABET]
    # Where words are not most of it, they are codes in a table and follow no language.
    if sum(counts) < max(_MIN_LETTERS, _WORDS_SHARE * characters):
        return False
    bits = _bits(counts)
    if bits <= _SUSPICIOUS_BITS:
        return False
    rotated = (_bits(counts[shift:] + counts[:shift]) for shift in range(1, len(counts)))
    return bits > _IMPOSSIBLE_BITS or min(rotated) < bits - _CLEARLY_FEWER_BITS


def _bits(counts: list[int]) -> float:
    """Return how surprising a letter is on average, if the text were of a language.

    Measured on Article 1 of the Universal Declaration in 19 languages: 3.96 (French) to 4.65
    (Welsh); source code and lists of packages up to 4.66; with shifted letters 4.7 to 6.1.
    """
    return sum(n * bits for n, bits in zip(counts, _LETTER_BITS, strict=True)) / sum(counts)
