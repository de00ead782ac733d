"""DeepSeek-OCR's text with `<|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], …]<|/det|>` in it.

Before each block of text stand its kind and its boxes; asked for lines instead of a document, the
model puts the text itself between the first pair of tags. Sources: the makers' run_dpsk_ocr_pdf.py,
whose `eval` of the numbers is not for us, and corrupt numbers as in deepseek-ai/DeepSeek-OCR#278.
"""

import re

from ocr_grpc.engines.vlm.grammars.grammar import Box, Emission, SeenBlock
from ocr_grpc.engines.vlm.grammars.paragraphs import Paragraphs
from ocr_grpc.engines.vlm.grammars.special import Special, SpecialTokens

# As seen in published output. Any other name between the tags is a label if it looks like an
# identifier with an underscore; else it is text, because text that goes is worse than a word more.
_LABEL = re.compile(
    "title|text|table|image|figure|chart|list|header|footer|formula|equation|caption|footnote|"
    "references?|code|algorithm|aside|abstract|author|seal|stamp|signature|[a-z]+(?:_[a-z]+)+|"
)
_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d{1,6})?")
# A tag that never closes: what stands after it is text again beyond so many characters.
MOST_REF_CHARS = 1_000
MOST_DET_CHARS = 4_000


class GroundedGrammar:
    """Takes tags out of the text and makes blocks of them."""

    damaged = False
    turn_degrees = 0

    def __init__(self) -> None:
        self._tokens = SpecialTokens()
        self._paragraphs = Paragraphs()
        self._inside = ""
        self._content = ""
        self._reference: str | None = None

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece."""
        emissions: list[Emission] = []
        for part in self._tokens.feed(text):
            if isinstance(part, Special):
                emissions += self._tag(part.name)
            elif self._inside:
                emissions += self._within(part)
            else:
                emissions += self._outside(part)
        return emissions

    def finish(self) -> list[Emission]:
        """Return what was held back, after the last piece; what stands in an open tag goes."""
        rest = self._tokens.finish()
        if self._inside:
            # A line of text whose place was cut off is still that.
            is_text = self._reference is not None and not _LABEL.fullmatch(self._reference.strip())
            return self._named(boxes="") if self._inside == "det" and is_text else []
        return self._outside(rest) if rest else self._named(boxes="")

    def _tag(self, name: str) -> list[Emission]:
        """Change the state at a tag; other special tokens, such as the end's, leave it alone.

        A tag that was not closed before the next one is taken as closed.
        """
        emissions: list[Emission] = []
        if name == "/ref" and self._inside == "ref":
            self._reference = self._content
            self._inside = self._content = ""
        elif name == "/det" and self._inside == "det":
            emissions += self._located()
        elif name in ("ref", "det"):
            if self._inside == "det":
                emissions += self._located()
            elif self._inside:
                self._reference = self._content
            if name == "ref":
                emissions += self._named(boxes="")
            self._inside, self._content = name, ""
        return emissions

    def _outside(self, text: str) -> list[Emission]:
        if self._reference is None:
            return self._paragraphs.add(text)
        # White space between the pair of tags is none of the text.
        text = text.lstrip()
        return [*self._named(boxes=""), *self._paragraphs.add("\n" + text)] if text else []

    def _within(self, text: str) -> list[Emission]:
        """Collect what stands in a tag; numbers never go on in the next line."""
        self._content = (self._content + text).lstrip()
        if self._inside == "det":
            numbers, line_end, rest = self._content.partition("\n")
            if line_end or len(numbers) > MOST_DET_CHARS:
                numbers, rest = numbers[:MOST_DET_CHARS], numbers[MOST_DET_CHARS:] + line_end + rest
                self._content = numbers
                return [*self._located(), *self._outside(rest)]
        elif len(self._content) > MOST_REF_CHARS:
            text, self._inside, self._content = self._content, "", ""
            return self._outside(text)
        return []

    def _located(self) -> list[Emission]:
        boxes, self._inside, self._content = self._content, "", ""
        return self._named(boxes)

    def _named(self, boxes: str) -> list[Emission]:
        """Return the blocks of the tags read so far; none if there were none."""
        reference, self._reference = self._reference, None
        if reference is None and not boxes:
            return []
        name = (reference or "").strip()
        if _LABEL.fullmatch(name):
            return self._blocks(name, boxes, newlines=2)
        return [*self._blocks("", boxes, newlines=1), *self._paragraphs.add(name)]

    def _blocks(self, label: str, boxes: str, newlines: int) -> list[Emission]:
        emissions: list[Emission] = []
        for box in boxes_in(boxes) or [None]:
            emissions += self._paragraphs.block(SeenBlock(label, box), newlines)
        return emissions


def boxes_in(text: str) -> list[Box]:
    """Return the legible boxes of `[[x1, y1, x2, y2], …]`; a box is four numbers in brackets."""
    boxes: list[Box] = []
    for part in text.split("]"):
        numbers = [float(number) for number in _NUMBER.findall(part)]
        if len(numbers) == 4:
            boxes.append((numbers[0], numbers[1], numbers[2], numbers[3]))
    return boxes
