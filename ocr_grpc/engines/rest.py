"""How long a worker that refused a page is left alone."""

from time import monotonic

LEAST_SECONDS = 0.05
MOST_SECONDS = 1.0


class Rest:
    """Doubles with each refusal; a worker that says something about itself ends it early."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._until = 0.0

    @property
    def seconds(self) -> float:
        """How long the last one was; 0 if it was ended."""
        return self._seconds

    @property
    def needed(self) -> bool:
        """Whether it is too early to ask the worker again."""
        return monotonic() < self._until

    def begin(self) -> None:
        """Leave the worker alone for a moment."""
        self._seconds = min(MOST_SECONDS, max(LEAST_SECONDS, 2 * self._seconds))
        self._until = monotonic() + self._seconds

    def end(self) -> None:
        """Ask it again whenever there is a page."""
        self._seconds = self._until = 0.0
