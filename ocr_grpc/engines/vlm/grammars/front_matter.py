"""olmOCR's Markdown with a head of YAML, of which only the page's rotation is of use.

The head is five lines `key: value` between two lines `---`. Source: `PageResponse` and
`FrontMatterParser` in allenai/olmocr, olmocr/prompts/prompts.py and olmocr/train/front_matter.py.
"""

import re

from ocr_grpc.engines.vlm.grammars.grammar import Emission
from ocr_grpc.engines.vlm.grammars.paragraphs import Paragraphs
from ocr_grpc.engines.vlm.grammars.special import SpecialTokens

_FIELD = re.compile(r"([a-z_]{1,40}):(?:[ \t]{1,8}(.{0,200}?))?[ \t]{0,8}")
_FIELD_BEGUN = re.compile(r"[a-z_]{0,40}(?::.{0,220})?")
MOST_FIELDS = 20
MOST_LINE_CHARS = 300
"""Of the head; a longer line is text, even of spaces alone."""


class FrontMatterGrammar:
    """Cuts the head off; a page that begins with a rule instead keeps it."""

    damaged = False

    def __init__(self) -> None:
        self._tokens = SpecialTokens()
        self._paragraphs = Paragraphs()
        self._head: str | None = ""
        self._fields: dict[str, str] = {}

    @property
    def turn_degrees(self) -> int:
        """How far the page must be turned clockwise, as the head says; 0 if it does not.

        The model counts counter-clockwise: so its training turned pages and so its pipeline turns
        them back (olmocr/train/dataloader.py, `RotationAugmentation`, and olmocr/pipeline.py).
        """
        if self._fields.get("is_rotation_valid", "").lower() != "false":
            return 0
        correction = self._fields.get("rotation_correction", "")
        return {"90": 270, "180": 180, "270": 90}.get(correction, 0)

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece."""
        runs = [part for part in self._tokens.feed(text) if isinstance(part, str)]
        return [emission for run in runs for emission in self._run(run)]

    def finish(self) -> list[Emission]:
        """Return what was held back, after the last piece; a head that never ended goes."""
        emissions = self._run(self._tokens.finish())
        if self._head is None or not self._head:
            return emissions
        if self._head.rstrip().endswith("\n---"):
            return [*emissions, *self._run("\n")]
        return emissions if self._head.startswith("---\n") else [*emissions, *self._all_text()]

    def _run(self, text: str) -> list[Emission]:
        if self._head is None:
            return self._paragraphs.add(text)
        self._head = (self._head + text).lstrip()
        *lines, last = self._head.split("\n")
        for at, line in enumerate(lines):
            if at and _is_rule(line):
                return self._cut(lines[1:at], "\n".join([*lines[at + 1 :], last]))
            if at > MOST_FIELDS or not (_FIELD.fullmatch(line) if at else _is_rule(line)):
                return self._all_text()
        may_go_on = "---".startswith(last.rstrip()) or (lines and _FIELD_BEGUN.fullmatch(last))
        return [] if may_go_on and len(last) <= MOST_LINE_CHARS else self._all_text()

    def _cut(self, lines: list[str], rest: str) -> list[Emission]:
        for line in lines:
            if field := _FIELD.fullmatch(line):
                self._fields[field[1]] = field[2] or ""
        self._head = None
        return self._paragraphs.add(rest)

    def _all_text(self) -> list[Emission]:
        text, self._head = self._head or "", None
        return self._paragraphs.add(text)


def _is_rule(line: str) -> bool:
    return len(line) <= MOST_LINE_CHARS and line.rstrip() == "---"
