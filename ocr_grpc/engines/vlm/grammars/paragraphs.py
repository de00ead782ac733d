"""Keeps the blank lines of a page's text in order where markup between them went."""

from ocr_grpc.engines.vlm.grammars.grammar import Emission, SeenBlock


class Paragraphs:
    """Puts a gap before each block that has text before it, and none anywhere twice."""

    def __init__(self) -> None:
        self._any = False
        self._fresh = True
        self._newlines = 0

    def add(self, text: str) -> list[Emission]:
        """Return this text; white space at the start of the page or of a block says nothing."""
        if self._fresh:
            text = text.lstrip()
        if not text:
            return []
        self._any, self._fresh = True, False
        ended = text.rstrip("\n")
        trailing = len(text) - len(ended)
        self._newlines = trailing if ended else self._newlines + trailing
        return [text]

    def block(self, block: SeenBlock, newlines: int = 2) -> list[Emission]:
        """Return a block that begins here, at least so many line breaks after the last text."""
        gap = "\n" * (newlines - self._newlines) if self._any else ""
        self._newlines = max(self._newlines, newlines)
        self._fresh = True
        return [gap, block] if gap else [block]
