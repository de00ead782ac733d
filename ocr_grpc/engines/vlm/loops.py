"""Notices that a model says the same again and again, while it does.

A run of repetition at the end of a text begins, read backwards, with the text's end and comes back
to it one unit later: the unit's length is a period of that run, and how far the two readings agree
is the value of the Z-function there (Gusfield, Algorithms on Strings, Trees and Sequences, section
1.4). A key of `m` characters finds every unit up to `m` long, so a few keys find all.
"""

import re
from dataclasses import dataclass

from ocr_grpc.engines.vlm.profile import LoopRule

KEYS = (16, 64, 256, 1024)
"""The last characters whose previous occurrence is looked for. Longer units are found as well
unless they repeat a thousand characters in themselves."""
_MARKUP = re.compile(r"<[^<>]{0,200}>")
_SIGN = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")
_TABLE = re.compile(r"[<|]")
_DIGITS = re.compile(r"\d+")
MARK_WEIGHT = 1 / 3
DIGITS_EVERY = 4
"""Counters are looked for at every fourth look: it costs more and is seldom."""


@dataclass(frozen=True, slots=True)
class Run:
    """Repetition at the end of a text.

    Attributes:
        unit: what is repeated.
        again_chars: how much of the end of the text is more than the first unit.
    """

    unit: str
    again_chars: int

    @property
    def copies(self) -> float:
        """How often the unit is there."""
        return 1 + self.again_chars / len(self.unit)


class LoopGuard:
    """Watches the text of one answer; not for two threads at once.

    Usage: `cut = guard.feed(text)` for all text that was emitted, in order. What it says does not
    depend on where the text was cut into pieces. Once it returned an offset it is done, and text
    beyond the offset is to be taken back. Time is linear in the text; memory is the rule's window.
    """

    def __init__(self, rule: LoopRule) -> None:
        self._rule = rule
        self._tail = ""
        self._fed_chars = 0

    def feed(self, text: str) -> int | None:
        """Return where repetition began, in code points of all text fed; None while all is well.

        What is kept includes the first occurrence of what was repeated.
        """
        every = self._rule.check_chars
        start = 0
        while start < len(text):
            end = start + every - self._fed_chars % every
            piece = text[start:end]
            self._tail += piece
            self._fed_chars += len(piece)
            start = end
            if self._fed_chars % every == 0:
                self._tail = self._tail[-self._rule.window_chars :]
                if (again_chars := self._repeated()) is not None:
                    return self._fed_chars - again_chars
        return None

    def _repeated(self) -> int | None:
        """Return how many of the last characters are too much repetition."""
        for run in runs_at_end(self._tail):
            if self._is_loop(run):
                return run.again_chars
        if self._fed_chars // self._rule.check_chars % DIGITS_EVERY:
            return None
        same = _DIGITS.sub("0", self._tail)
        for run in runs_at_end(same):
            if self._is_counting_loop(run):
                return _chars_behind(self._tail, len(same) - run.again_chars)
        return None

    def _is_loop(self, run: Run) -> bool:
        rule, unit = self._rule, run.unit
        chars = run.again_chars + len(unit)
        if run.copies < rule.least_copies:
            return False
        one_line = "<" not in unit and ("\n" not in unit or unit.isspace())
        if len(unit) <= rule.mark_unit_chars and one_line:
            return chars >= rule.mark_chars
        if chars >= rule.window_chars:
            return True
        signs, letters = _signs(unit)
        block = letters >= rule.block_letters and not _TABLE.search(unit)
        bound = rule.block_weight if block else rule.line_weight
        return _weight(unit, signs) * run.copies >= bound

    def _is_counting_loop(self, run: Run) -> bool:
        rule, unit = self._rule, run.unit
        if "0" not in unit or run.copies < rule.least_copies:
            return False
        signs, letters = _signs(unit)
        if letters < rule.counter_letters:
            return False
        return _weight(unit, signs) * run.copies >= rule.counter_weight


class AnswerGuard:
    """Watches the text of one answer, and what the model says that is no text, or not yet.

    A parser may wait for the end of an element that repeats itself and never ends, and blocks
    without text may follow each other for ever. What becomes text is noticed first, as it says
    where to cut: for all that was said, the bounds are twice as far away.
    """

    def __init__(self, rule: LoopRule) -> None:
        self._text = LoopGuard(rule)
        self._answer = LoopGuard(rule.doubled)
        self._chars = 0

    def feed(self, said: str, emitted: str) -> int | None:
        """Return where repetition began, in code points of all emitted text; None: all is well.

        Args:
            said: what the model said next.
            emitted: the text that this made certain; may be empty.
        """
        self._chars += len(emitted)
        offset = self._text.feed(emitted)
        if offset is None and self._answer.feed(said) is not None:
            return self._chars
        return offset


def runs_at_end(text: str) -> list[Run]:
    """Return the runs of repetition that the text ends in, those of short units first."""
    backward = text[::-1]
    runs: list[Run] = []
    for key_chars in KEYS:
        if 2 * key_chars > len(text):
            break
        period = backward.find(backward[:key_chars], 1)
        if period < 0:
            # A longer key cannot be found either.
            break
        if not runs or len(runs[-1].unit) != period:
            again_chars = _common_prefix_chars(backward, period, key_chars)
            first = len(text) - again_chars - period
            runs.append(Run(text[first : first + period], again_chars))
    return runs


def _common_prefix_chars(text: str, other: int, least: int) -> int:
    """Return how far the text agrees with itself from `other` on; `least` is known to."""
    most = len(text) - other
    while least < most:
        middle = (least + most + 1) // 2
        if text[least:middle] == text[other + least : other + middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _signs(unit: str) -> tuple[int, int]:
    """Return how many letters and digits a unit has outside of tags, and how many letters."""
    seen = _MARKUP.sub("", unit)
    return len(_SIGN.findall(seen)), len(_LETTER.findall(seen))


def _weight(unit: str, signs: int) -> float:
    return signs + (len(unit) - signs) * MARK_WEIGHT


def _chars_behind(text: str, at: int) -> int:
    """Return how many characters stand behind place `at` of the text with numbers as one digit."""
    gone = 0
    for number in _DIGITS.finditer(text):
        if number.start() - gone >= at:
            break
        gone += len(number[0]) - 1
    return len(text) - at - gone
