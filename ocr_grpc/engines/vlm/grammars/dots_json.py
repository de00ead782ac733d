"""dots.ocr's JSON array of `{"bbox": [x1, y1, x2, y2], "category": …, "text": …}`.

Each element becomes a block with its text as soon as it is complete. Source: the prompt
`prompt_layout_all_en` and `layoutjson2md` in rednote-hilab/dots.ocr, dots_ocr/utils.
"""

import io
import re
from collections.abc import Mapping
from typing import Any, cast

import ijson

from ocr_grpc.engines.vlm.grammars.clean import without_controls
from ocr_grpc.engines.vlm.grammars.grammar import Box, Emission, SeenBlock
from ocr_grpc.engines.vlm.grammars.json_repair import JsonRepair
from ocr_grpc.engines.vlm.grammars.paragraphs import Paragraphs
from ocr_grpc.engines.vlm.grammars.special import SpecialTokens, without_tokens

# White space is bounded, so that it cannot be held back, and looked at again, for ever.
_ARRAY = re.compile(r"(?:```(?:json)?\s{0,64})?(?=\[\s{0,64}[{\]])")
_ARRAY_BEGUN = re.compile(
    r"`{0,3}|```(?:j|js|jso|json)|```(?:json)?\s{0,64}(?:\[\s{0,64})?|\[\s{0,64}"
)
_TO_BRACE = re.compile(r"[^}]*\}|[^}]+")
_ELEMENT = re.compile(r'\{\s{0,64}"bbox"')
MOST_BEGUN_CHARS = 70
"""Of what may still become a start of an element."""
_BBOX = re.compile(r'"bbox"\s*:\s*\[((?:\s*\d{1,6}\s*,){3}\s*\d{1,6}\s*)\]')
_CATEGORY = re.compile(r'"category"\s*:\s*"([\w-]{1,64})"')
_TEXT = re.compile(r'"text"\s*:\s*"')
_ESCAPE = re.compile(r'\\(["\\/nt])')
_MEANING = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t"}
_ENDS = " \r\n\t[],`"
_HEADINGS = {"Title": "# ", "Section-header": "## "}
# After so many elements that are no JSON the rest is given up: each costs a look at all the rest.
MOST_RECOVERIES = 50


class _Array:
    """One array under way. Raises `ijson.JSONError` where it is none."""

    def __init__(self) -> None:
        self._repair = JsonRepair()
        self._found: list[Any] = ijson.sendable_list()
        # Without floats a number of a million digits would become an int of as many.
        self._parser = ijson.items_coro(self._found, "item", use_float=True)

    def feed(self, text: str) -> list[Any]:
        """Return the elements that this piece completed."""
        # Nothing would be the end to this parser.
        if repaired := self._repair.feed(text):
            self._parser.send(repaired.encode(errors="replace"))
        found = self._found[:]
        del self._found[:]
        return found


class DotsJsonGrammar:
    """Makes blocks and Markdown of the array; an answer that is none is text."""

    turn_degrees = 0

    def __init__(self) -> None:
        self._tokens = SpecialTokens()
        self._paragraphs = Paragraphs()
        self._start: str | None = ""
        self._is_text = False
        self._array: _Array | None = None
        # All since the last element that was whole.
        self._since = io.StringIO()
        # Where the element under way begins in it, and one more; 0: not known.
        self._searched = 0
        # Up to where no other element begins.
        self._looked = 0
        self._recoveries = 0
        self._category = ""
        self.damaged = False

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece."""
        runs = [part for part in self._tokens.feed(text) if isinstance(part, str)]
        return [emission for run in runs for emission in self._run(run)]

    def finish(self) -> list[Emission]:
        """Return what was held back, after the last piece; an element cut off goes."""
        emissions = self._run(self._tokens.finish())
        if self._start is not None:
            # All there was could still have become an array.
            return [*emissions, *self._paragraphs.add(self._start.strip("[` \n"))]
        if self._array is None and self._searched:
            return [*emissions, *self._broken(self._from(self._searched - 1).rstrip(_ENDS))]
        self.damaged = self.damaged or bool(self._from(0).strip(_ENDS))
        return emissions

    def _run(self, text: str) -> list[Emission]:
        if self._start is not None:
            text = (self._start + text).lstrip()
            if not _ARRAY.match(text) and _ARRAY_BEGUN.fullmatch(text):
                self._start = text
                return []
            self._start = None
            if found := _ARRAY.match(text):
                text, self._array = text[found.end() :], _Array()
            else:
                self._is_text = True
        if self._is_text:
            return self._paragraphs.add(text)
        # Cut at braces, so that it is known where each element ended.
        return [part for piece in _TO_BRACE.findall(text) for part in self._piece(piece)]

    def _piece(self, piece: str) -> list[Emission]:
        self._since.seek(0, io.SEEK_END)
        self._since.write(piece)
        emissions: list[Emission] = []
        while True:
            try:
                if self._array is not None:
                    for element in self._array.feed(piece):
                        # Anything else does not end at a brace, and what it hides may be one.
                        if isinstance(element, Mapping):
                            emissions += self._element(cast(Mapping[str, object], element))
                            self._forget()
                    return emissions
            except (ijson.JSONError, ValueError):
                self._array = None
                self._recoveries += 1
            if self._recoveries > MOST_RECOVERIES:
                self.damaged = True
                self._forget()
                return emissions
            # The next element may be whole.
            rest = self._from(self._looked)
            found = _ELEMENT.search(rest)
            if not found:
                self._looked += max(0, len(rest) - MOST_BEGUN_CHARS)
                return emissions
            start = self._looked + found.start()
            if self._searched:
                begun = self._searched - 1
                emissions += self._broken(self._from(begun)[: start - begun])
            self._searched = self._looked = start + 1
            self._array = _Array()
            piece = "[" + rest[found.start() :]

    def _from(self, at: int) -> str:
        self._since.seek(at)
        return self._since.read()

    def _forget(self) -> None:
        self._since = io.StringIO()
        self._searched = self._looked = 0

    def _broken(self, element: str) -> list[Emission]:
        """Return what can be had of an element that is no JSON, mostly for quotes in its text."""
        begins = _TEXT.search(element)
        text = element[begins.end() :].rstrip(_ENDS).removesuffix("}").rstrip() if begins else ""
        if not text.endswith('"'):
            self.damaged = True
            return []
        category, numbers = _CATEGORY.search(element), _BBOX.search(element)
        return self._element(
            {
                "category": category[1] if category else "",
                "bbox": [float(side) for side in numbers[1].split(",")] if numbers else None,
                "text": _ESCAPE.sub(lambda sign: _MEANING[sign[1]], text[:-1]),
            }
        )

    def _element(self, fields: Mapping[str, object]) -> list[Emission]:
        category, text = fields.get("category"), fields.get("text")
        category = category if isinstance(category, str) else ""
        together = category == self._category == "List-item"
        self._category = category
        block = SeenBlock(category, _box_of(fields.get("bbox")))
        emissions = self._paragraphs.block(block, newlines=1 if together else 2)
        if isinstance(text, str) and category != "Picture":
            emissions += self._paragraphs.add(_markdown_of(category, _decoded(text)))
        return emissions


def _decoded(text: str) -> str:
    """Return the text of an element without what stood in it as escapes of JSON."""
    return without_tokens(without_controls(text)).strip()


def _markdown_of(category: str, text: str) -> str:
    """Return the text of an element; the model marks headings and formulas itself, mostly."""
    if category in _HEADINGS and text and not text.startswith("#"):
        return _HEADINGS[category] + text
    if category == "Formula" and text and "$" not in text and not text.startswith("\\["):
        return f"$$\n{text}\n$$"
    return text


def _box_of(value: object) -> Box | None:
    numbers = cast(list[object], value) if isinstance(value, list) else []
    sides = [float(number) for number in numbers if isinstance(number, int | float)]
    if len(sides) != 4 or len(numbers) != 4:
        return None
    return (sides[0], sides[1], sides[2], sides[3])
