"""The log of one part of an extraction: where its events are kept before they leave."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ocr_grpc.errors import OcrError
from ocr_grpc.resumption.entries import KeptEvent

Lost = Callable[[OcrError], None]
"""Told why nothing more can be kept, at most once."""


class Writes(Protocol):
    """What writes logs; `log_writer.LogWriter`."""

    async def write(self, log: "Log", events: Sequence[KeptEvent]) -> None:
        """Keep events, durably."""
        ...


class Watches(Protocol):
    """What looks after logs; `log_watch.LogWatch`."""

    def opened(self, log: "Log") -> None:
        """Watch a log from now on."""
        ...

    def closed(self, log: "Log") -> None:
        """Watch it no longer."""
        ...


class Log:
    """Keeps the events of one part. Close it, whatever happens.

    Attributes:
        attempt: the fencing token: with another one in the database, somebody else goes on.
        last_sequence: the number of the newest event that is kept.
    """

    def __init__(
        self,
        writer: Writes,
        watch: Watches,
        extraction_id: str,
        attempt: int,
        last_sequence: int,
        lost: Lost,
    ) -> None:
        """Begin to be watched."""
        self._writer = writer
        self._watch = watch
        self._lost = lost
        self._trouble: OcrError | None = None
        self.extraction_id = extraction_id
        self.attempt = attempt
        self.last_sequence = last_sequence
        watch.opened(self)

    async def keep(self, events: Sequence[KeptEvent]) -> None:
        """Keep events, numbered from `last_sequence` on; when this returns they may leave.

        One call at a time.

        Raises:
            ExtractionResumed: somebody else goes on with the extraction.
            ExtractionNotFound: it had no sign of life for so long that it expired.
            DatabaseUnavailable: they could not be kept, as far as is known.
        """
        if self._trouble:
            raise self._trouble
        await self._writer.write(self, events)
        self.last_sequence = events[-1].sequence

    def lose(self, error: OcrError) -> None:
        """Take nothing more, and tell whoever reads pages for it."""
        if self._trouble is None:
            self._trouble = error
            self._lost(error)

    def close(self) -> None:
        """Be watched no longer."""
        self._watch.closed(self)
