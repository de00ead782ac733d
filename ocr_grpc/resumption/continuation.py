"""What was sent of an extraction before, and how the events of its next part follow on from it.

A page that was under way is read anew. Its text so far is taken back, and the new text belongs to
the highest revision that was begun, or to higher ones: whoever shows the highest revision is right
at every moment, whatever the earlier reading had come to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocr_grpc.extraction.events import (
    Delta,
    Event,
    Finished,
    PageFinished,
    PageImage,
    PageStarted,
    Retract,
    Started,
)
from ocr_grpc.extraction.totals import Totals
from ocr_grpc.store.base import utc_now


@dataclass(slots=True)
class PageSoFar:
    """What was sent of a page that did not end."""

    started: bool = False
    pictured: bool = False
    revisions: set[int] = field(default_factory=set[int])
    """Those of which text was sent."""

    @property
    def shift(self) -> int:
        """What is added to the revisions of the next reading."""
        return max(self.revisions, default=1) - 1


class Continuation:
    """Turns the events of a reading of the pages that were left into those that callers get.

    Attributes:
        totals: how the pages ended that did.
        open_pages: the others that were begun, by number.
    """

    def __init__(self, create_time: datetime) -> None:
        """Take when the extraction began, in its first part."""
        self._create_time = create_time
        self._begun_anew: set[int] = set()
        self.totals = Totals()
        self.open_pages: dict[int, PageSoFar] = {}

    def page(self, number: int) -> PageSoFar:
        """Return what is known of a page that did not end, to be added to."""
        return self.open_pages.setdefault(number, PageSoFar())

    def events(self, event: Event) -> Iterator[Event]:
        """Yield what callers get for an event; often the same."""
        match event:
            case Started():
                return  # it was sent
            case Finished():
                seconds = (utc_now() - self._create_time).total_seconds()
                yield replace(event, duration_seconds=max(event.duration_seconds, seconds))
            case PageStarted() | PageImage() | Delta() | Retract() | PageFinished():
                if event.page_number in self.open_pages:
                    yield from self._of_page(event, self.open_pages[event.page_number])
                else:
                    yield event
            case _:
                yield event

    def _of_page(
        self, event: PageStarted | PageImage | Delta | Retract | PageFinished, before: PageSoFar
    ) -> Iterator[Event]:
        if event.page_number not in self._begun_anew:
            self._begun_anew.add(event.page_number)
            for revision in sorted(before.revisions):
                yield Retract(event.page_number, 0, revision)
        match event:
            case PageStarted() if before.started:
                return
            case PageImage() if before.pictured:
                return
            case Delta() | Retract():
                yield replace(event, revision=event.revision + before.shift)
            case PageFinished() if event.revision:
                yield replace(event, revision=event.revision + before.shift)
            case _:
                yield event
