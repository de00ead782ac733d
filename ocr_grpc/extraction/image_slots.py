"""Bounds the pages that exist as pixels, for each engine apart: one must not hold up another."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ocr_grpc.engines.page_read import Priority
from ocr_grpc.extraction.engine_choice import ChosenEngines, Engines
from ocr_grpc.fairness import FairSlots

LEAST_AT_ONCE = 4
MOST_AT_ONCE = 64
"""Pages of one document that are under way together: their events are held for a slow caller."""
SPARE_IMAGES = 1
URGENT_IMAGES = 1
"""Never taken by batches, and on top of what they could take if they were alone."""


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
        self._slots: dict[str, EngineImages] = {}

    def of(self, choice: ChosenEngines) -> FairSlots:
        """Return the places for images of documents that are read so."""
        name = choice.main.name
        if name not in self._slots:
            self._slots[name] = EngineImages()
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
        return max(2 * readers, self._window(readers)) + 2 * SPARE_IMAGES + URGENT_IMAGES

    def _window(self, readers: int) -> int:
        return self._pages_at_once or min(MOST_AT_ONCE, max(LEAST_AT_ONCE, readers + 2))


class EngineImages(FairSlots):
    """Places for the images of one engine.

    A page of a batch stands back behind an urgent one in every line, but one that has a place keeps
    it while it waits for the engine, and each urgent page overtakes it there: a few users with
    batches would hold all places, and who waits for an answer would wait for a page of theirs
    first. Batches may use all that they need to keep the engine busy, and take turns at it as ever;
    only the last place is not for them, whoever else is there or not.
    """

    def __init__(self) -> None:
        super().__init__(0, SPARE_IMAGES)
        self._of_batches = FairSlots(0, SPARE_IMAGES)

    def resize(self, capacity: int) -> None:
        """See `FairSlots`."""
        self._of_batches.resize(max(0, capacity - URGENT_IMAGES))
        super().resize(capacity)

    @asynccontextmanager
    async def slot(
        self, caller: str, priority: int = 0, weight: float = 1.0, job: str = ""
    ) -> AsyncGenerator[None]:
        """See `FairSlots`."""
        if priority < Priority.BATCH:
            async with super().slot(caller, priority, weight, job):
                yield
            return
        async with (
            self._of_batches.slot(caller, priority, weight, job),
            super().slot(caller, priority, weight, job),
        ):
            yield
