"""Bounds the pages that exist as pixels, for each engine apart: one must not hold up another."""

from ocr_grpc.extraction.engine_choice import ChosenEngines, Engines
from ocr_grpc.fairness import FairSlots

LEAST_AT_ONCE = 4
MOST_AT_ONCE = 64
"""Pages of one document that are under way together: their events are held for a slow caller."""
SPARE_IMAGES = 1


class ImageSlots:
    """Places for images that an engine reads, or that are ready for it. One for a server."""

    def __init__(self, engines: Engines, pages_at_once: int, at_the_model: int) -> None:
        """Take how many images there may be.

        Args:
            engines: whose workers come and go.
            pages_at_once: of one document; 0: as many as its engine can read, and two more.
            at_the_model: how many pages the language model is given at a time.
        """
        self._engines = engines
        self._pages_at_once = pages_at_once
        self._at_the_model = at_the_model
        self._slots: dict[str, FairSlots] = {}

    def of(self, choice: ChosenEngines) -> FairSlots:
        """Return the places for images of documents that are read so."""
        name = choice.main.name
        if name not in self._slots:
            self._slots[name] = FairSlots(0, SPARE_IMAGES)
        self._slots[name].resize(self._capacity(self._readers(choice)))
        return self._slots[name]

    def at_once(self, choice: ChosenEngines) -> int:
        """Return how many pages of one document may be under way together at this moment."""
        return self._window(self._readers(choice))

    def resize(self) -> None:
        """Adjust to how many pages the engines can read at once at this moment."""
        for name, slots in self._slots.items():
            if not self._engines.is_vision(name):
                slots.resize(self._capacity(self._engines.ready_workers_of(name)))

    def _readers(self, choice: ChosenEngines) -> int:
        if choice.vision:
            return self._at_the_model
        return self._engines.ready_workers_of(choice.main.name)

    def _capacity(self, readers: int) -> int:
        # One page in the engine and one ready for it, for each worker. Never so few that a document
        # fills them all: a short one, of the same caller or of another, is drawn beside it.
        return max(2 * readers, self._window(readers)) + 2 * SPARE_IMAGES

    def _window(self, readers: int) -> int:
        return self._pages_at_once or min(MOST_AT_ONCE, max(LEAST_AT_ONCE, readers + 2))
