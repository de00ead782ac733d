"""Puts pages together from the events of an extraction."""

from bisect import bisect_right, insort
from dataclasses import dataclass, field

from .extraction import ExtractEvent
from .messages import (
    Block,
    DocumentKind,
    ExtractionFinished,
    ExtractionStarted,
    Line,
    PageFinished,
    PageOutcome,
    PageStarted,
    Provenance,
    TextDelta,
    TextFormat,
    TextRetract,
    Usage,
)


class Reading:
    """One reading of a page, as far as it came."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: list[Line] = []
        self.blocks: list[Block] = []
        self._ends: list[int] = []  # where the text of each line ends

    def append(self, delta: TextDelta) -> None:
        """Add the next text, and find its lines in it."""
        position = len(self.text)
        self.text += delta.text
        for line in delta.lines:
            start = self.text.find(line.text, position)
            position = min((position if start < 0 else start) + len(line.text), len(self.text))
            self._ends.append(position)
        self.lines += delta.lines
        self.blocks += delta.blocks

    def retract(self, offset: int) -> None:
        """Take back the text from `offset` on, with its lines, and blocks that begin there."""
        # Characters of a str are code points, as the service counts them.
        self.text = self.text[:offset]
        kept = bisect_right(self._ends, offset) if offset else 0
        del self.lines[kept:], self._ends[kept:]
        self.blocks[:] = [each for each in self.blocks if each.offset < offset]


@dataclass
class Page:
    """One page. While it is read, `text` and `lines` are those of its highest revision.

    Attributes:
        number: in the document, from 1.
        outcome: how it ended; unspecified until it has.
        text: its text.
        lines: its lines in reading order, from engines that know them.
        blocks: its blocks in reading order, from engines that see blocks.
        reason: why it is not `OK`, a stable word. Empty if it is.
        message: the same as a sentence.
        width_px, height_px: the space of all polygons. 0 for structured text.
        text_format: the form of the text.
        blank: whether there is nothing on it.
        usage: what it consumed.
        provenance: how it was read.
    """

    number: int
    outcome: PageOutcome = PageOutcome.UNSPECIFIED
    text: str = ""
    lines: list[Line] = field(default_factory=list[Line])
    blocks: list[Block] = field(default_factory=list[Block])
    reason: str = ""
    message: str = ""
    width_px: int = 0
    height_px: int = 0
    text_format: TextFormat = TextFormat.UNSPECIFIED
    blank: bool = False
    usage: Usage = field(default_factory=Usage)
    provenance: Provenance = field(default_factory=Provenance)


@dataclass
class Document:
    """A whole document.

    Attributes:
        extraction_id: names the extraction, in logs and support requests.
        kind: its format.
        document_page_count: how many pages it has, whatever was asked for.
        pages: those that were asked for, in ascending order.
        usage: what all pages consumed.
        pages_ok, pages_degraded, pages_failed: how many ended so.
        duration_seconds: from its arrival at the service to the end.
    """

    extraction_id: str = ""
    kind: DocumentKind = DocumentKind.UNSPECIFIED
    document_page_count: int = 0
    pages: list[Page] = field(default_factory=list[Page])
    usage: Usage = field(default_factory=Usage)
    pages_ok: int = 0
    pages_degraded: int = 0
    pages_failed: int = 0
    duration_seconds: float = 0

    @property
    def text(self) -> str:
        """The text of all pages that were read, a form feed between pages."""
        failed = PageOutcome.FAILED
        return "\f".join(page.text for page in self.pages if page.outcome is not failed)


class Assembler:
    """Takes the events of one extraction in their order.

    `document` is what is known of it so far, and may be looked at any time.
    """

    def __init__(self) -> None:
        self.document = Document()
        self._pages: dict[int, Page] = {}
        self._readings: dict[int, dict[int, Reading]] = {}

    def add(self, event: ExtractEvent) -> Page | None:
        """Take an event in; return the page that it changed, if it changed one."""
        if event.started:
            self._start(event.started)
        elif event.page_started:
            return self._start_page(event.page_started)
        elif event.delta:
            return self._append(event.delta)
        elif event.retract:
            return self._retract(event.retract)
        elif event.page_finished:
            return self._finish_page(event.page_finished)
        elif event.finished:
            self._finish(event.finished)
        return None

    def _start(self, started: ExtractionStarted) -> None:
        self.document.extraction_id, self.document.kind = started.extraction_id, started.kind
        self.document.document_page_count = started.document_page_count

    def _page(self, number: int) -> Page:
        if number not in self._pages:
            self._pages[number] = Page(number)
            insort(self.document.pages, self._pages[number], key=lambda page: page.number)
        return self._pages[number]

    def _start_page(self, started: PageStarted) -> Page:
        page = self._page(started.page_number)
        page.width_px, page.height_px = started.width_px, started.height_px
        page.text_format = started.text_format
        return page

    def _reading(self, number: int, revision: int) -> Reading:
        return self._readings.setdefault(number, {}).setdefault(revision, Reading())

    def _append(self, delta: TextDelta) -> Page:
        self._reading(delta.page_number, delta.revision).append(delta)
        return self._show(delta.page_number)

    def _retract(self, retract: TextRetract) -> Page:
        self._reading(retract.page_number, retract.revision).retract(retract.offset)
        return self._show(retract.page_number)

    def _show(self, number: int) -> Page:
        """Make the page what its highest revision is."""
        page, readings = self._page(number), self._readings[number]
        newest = readings[max(readings)]
        page.text, page.lines, page.blocks = newest.text, newest.lines, newest.blocks
        return page

    def _finish_page(self, finished: PageFinished) -> Page:
        page = self._page(finished.page_number)
        readings = self._readings.pop(finished.page_number, {})
        counted = readings.get(finished.revision, Reading())
        page.lines, page.blocks = counted.lines, counted.blocks
        page.text, page.outcome = finished.text, finished.outcome
        page.reason, page.message = finished.reason, finished.message
        page.text_format, page.blank = finished.text_format, finished.blank
        page.usage = finished.usage or Usage()
        page.provenance = finished.provenance or Provenance()
        return page

    def _finish(self, finished: ExtractionFinished) -> None:
        document = self.document
        document.usage = finished.usage or Usage()
        document.pages_ok, document.pages_degraded = finished.pages_ok, finished.pages_degraded
        document.pages_failed = finished.pages_failed
        document.duration_seconds = finished.duration_seconds
