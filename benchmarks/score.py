"""How far a recognized text is from the true one.

Run `python -m benchmarks.score REFERENCE RECOGNIZED` to see the figures and what differs.
"""

import argparse
import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Score:
    """How well one text was read.

    Attributes:
        character_error: edit distance over the length of the reference; 0 is perfect, and more
            than 1 is possible where much was invented.
        word_f1: in [0, 1], blind to order: high beside a high `character_error`, the words were
            read well and put in the wrong order.
    """

    character_error: float
    word_f1: float


@dataclass(frozen=True)
class Difference:
    """Words that differ, between words that agree."""

    before: str
    expected: str
    found: str
    after: str

    def __str__(self) -> str:
        return f"… {self.before} [{self.expected} → {self.found}] {self.after} …"


def score(reference: str, recognized: str) -> Score:
    """Return both figures for one text."""
    return Score(character_error(reference, recognized), word_f1(reference, recognized))


def normalized(text: str) -> str:
    """Return the text in NFC with each run of white space as one space, and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def character_error(reference: str, recognized: str) -> float:
    """Return the edit distance of the normalized texts over the length of the reference.

    An empty reference counts as one character long, so that anything found there is an error.
    """
    expected, found = normalized(reference), normalized(recognized)
    return edit_distance(expected, found) / max(1, len(expected))


def edit_distance(first: str, second: str) -> int:
    """Return the Levenshtein distance, in code points.

    One column of the matrix is held as two integers of `len(first)` bits, so 10,000 characters on
    both sides take well under a second.

    Source: Myers, A fast bit-vector algorithm for approximate string matching, JACM 46(3), 1999, in
    the form of Hyyrö, A bit-vector algorithm for computing Levenshtein and Damerau edit distances,
    Nordic Journal of Computing 10(1), 2003; here with the first row growing, a global match.
    """
    if not first:
        return len(second)
    matches: dict[str, int] = {}
    for place, character in enumerate(first):
        matches[character] = matches.get(character, 0) | 1 << place
    every, last = (1 << len(first)) - 1, 1 << len(first) - 1
    rises, falls, distance = every, 0, len(first)  # of the column, going down
    for character in second:
        match = matches.get(character, 0)
        diagonal = (((match & rises) + rises) ^ rises) | match | falls
        rises_right = falls | (every & ~(diagonal | rises))
        falls_right = diagonal & rises
        distance += bool(rises_right & last) - bool(falls_right & last)
        rises_right = rises_right << 1 | 1
        rises = every & (falls_right << 1 | ~(diagonal | rises_right))
        falls = every & rises_right & diagonal
    return distance


def word_f1(reference: str, recognized: str) -> float:
    """Return the harmonic mean of precision and recall over the words as a bag, in [0, 1]."""
    expected = Counter(normalized(reference).split())
    found = Counter(normalized(recognized).split())
    total = expected.total() + found.total()
    return 2 * (expected & found).total() / total if total else 1.0


def differences(reference: str, recognized: str, context: int = 2) -> Iterator[Difference]:
    """Yield where the texts differ, word by word, with `context` words on either side."""
    expected, found = normalized(reference).split(), normalized(recognized).split()
    matcher = difflib.SequenceMatcher(None, expected, found, autojunk=False)
    for kind, left, right, found_left, found_right in matcher.get_opcodes():
        if kind != "equal":
            yield Difference(
                " ".join(expected[max(0, left - context) : left]),
                " ".join(expected[left:right]),
                " ".join(found[found_left:found_right]),
                " ".join(expected[right : right + context]),
            )


def describe(reference: str, recognized: str, limit: int = 40) -> str:
    """Return both figures and the first `limit` differences, for people.

    Words missing or invented wherever they stand come first: where whole columns changed places,
    the differences below them are about order and hide what was misread.
    """
    figures = score(reference, recognized)
    expected = Counter(normalized(reference).split())
    read = Counter(normalized(recognized).split())
    lines = [f"character error {figures.character_error:.4f}, word F1 {figures.word_f1:.4f}"]
    for kind, words in (("missing", expected - read), ("invented", read - expected)):
        lines.append(f"  {kind} {words.total()}: {' '.join(list(words.elements())[:limit])}")
    found = list(differences(reference, recognized))
    lines += [f"  {difference}" for difference in found[:limit]]
    if len(found) > limit:
        lines.append(f"  and {len(found) - limit} more")
    return "\n".join(lines)


def main() -> None:
    """Compare two text files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("recognized", type=Path)
    parser.add_argument("--limit", type=int, default=40, help="differences to show, default 40")
    options = parser.parse_args()
    texts = (path.read_text(encoding="utf-8") for path in (options.reference, options.recognized))
    print(describe(*texts, limit=options.limit))


if __name__ == "__main__":
    main()
