"""How an extraction ended, from how its pages did."""

from itertools import chain

from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.events import Failed, Finished, PageFinished, PageOutcome, Usage


class Totals:
    """Adds up how the pages of an extraction ended."""

    def __init__(self) -> None:
        self._usage = Usage()
        self._count = dict.fromkeys(PageOutcome, 0)
        self._first_failure: tuple[int, OcrError] | None = None
        self._pages: set[int] = set()

    @property
    def usage(self) -> Usage:
        """What they consumed together."""
        return self._usage

    @property
    def has_pages(self) -> bool:
        """Whether a page ended."""
        return bool(self._pages)

    def add(self, page: PageFinished) -> None:
        """Take a page that ended in."""
        self._usage += page.usage
        self._pages.add(page.page_number)
        self._count[page.outcome] += 1
        if page.outcome is PageOutcome.FAILED and page.error:
            failure = (page.page_number, page.error)
            if self._first_failure is None or failure[0] < self._first_failure[0]:
                self._first_failure = failure

    def without(self, pages: list[range]) -> list[range]:
        """Return the pages that have not ended, as ascending ranges."""
        if not self._pages:
            return pages
        left: list[range] = []
        for number in chain.from_iterable(pages):
            if number in self._pages:
                continue
            if left and left[-1].stop == number:
                left[-1] = range(left[-1].start, number + 1)
            else:
                left.append(range(number, number + 1))
        return left

    def last_event(self, duration_seconds: float) -> Finished | Failed:
        """Return `Finished`, or `Failed` with the first page's reason if no page was read."""
        read = self._count[PageOutcome.OK] + self._count[PageOutcome.DEGRADED]
        if not read and self._first_failure:
            return Failed(self._first_failure[1], self._usage)
        return Finished(
            usage=self._usage,
            pages_ok=self._count[PageOutcome.OK],
            pages_degraded=self._count[PageOutcome.DEGRADED],
            pages_failed=self._count[PageOutcome.FAILED],
            duration_seconds=duration_seconds,
        )
