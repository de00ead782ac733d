"""What styles say about what is shown of HTML, and where its pages end. Child only."""

import re

from ocr_grpc.documents.office.archives.xml import Element

_HIDDEN = re.compile(r"(display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_BREAK = re.compile(
    r"(?:page-)?break-(before|after)\s*:\s*(?:page|always|left|right|recto|verso|all)\b", re.I
)
_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?(?:\.([\w-]+))?", re.I)
_MAX_CHARACTERS = 1_000_000
"""Of all style sheets together; the largest that people use have half of it."""
Breaks = dict[tuple[str, str], set[str]]
"""Before or after which elements a page ends, by tag and class; either may be empty."""


def hides(style: str) -> bool:
    """Return whether declarations say that an element is not shown."""
    return _HIDDEN.search(style) is not None


def breaks(declarations: str) -> set[str]:
    """Return at which sides of an element declarations end a page: `before`, `after`."""
    return {each.lower() for each in _BREAK.findall(declarations)}


def sheet_breaks(root: Element) -> Breaks:
    """Return what the style sheets of a document say about page breaks."""
    found: Breaks = {}
    room = _MAX_CHARACTERS
    for sheet in root.iter("style"):
        text = (sheet.text or "")[:room]
        room -= len(text)
        # Expressions that look for both ends of a rule or a comment take a time that grows with
        # the square of what has only beginnings.
        for rule in _without_comments(text).split("}")[:-1]:
            selectors, _, declarations = rule.rpartition("{")
            places = breaks(declarations)
            for selector in selectors.rpartition("{")[2].split(",") if places else ():
                simple = _SELECTOR.fullmatch(selector.strip())
                if simple is not None and any(simple.groups()):
                    key = ((simple[1] or "").lower(), simple[2] or "")
                    found.setdefault(key, set()).update(places)
    return found


def _without_comments(sheet: str) -> str:
    parts: list[str] = []
    place = 0
    while (start := sheet.find("/*", place)) >= 0:
        parts.append(sheet[place:start])
        end = sheet.find("*/", start + 2)
        if end < 0:
            return "".join(parts)  # it goes on to the end
        place = end + 2
    return "".join([*parts, sheet[place:]])
