"""The cache of results: the same bytes, options and engines give what was read before.

Only documents of which every page ended as `OK` are kept. Two calls for the same document at the
same time both read it: to wait for somebody else's call, which may be slow, end or be cancelled,
would save little and cost much.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ocr_grpc.extraction.cache_entry import CachedDocument
from ocr_grpc.extraction.cache_key import KeyMaker, identities
from ocr_grpc.extraction.cache_page import BrokenPage
from ocr_grpc.extraction.cache_recording import Recording, RecordingTerms
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.order import Order
from ocr_grpc.store.result_cache import Results, Room
from ocr_grpc.telemetry.cache_metrics import CacheMetrics


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What came of looking for a document.

    Attributes:
        document: what was kept of it; None: it is to be read.
        recording: takes the reading down; None: it is not to be kept.
    """

    document: CachedDocument | None = None
    recording: Recording | None = None


NOTHING = LookedUp()


class ResultCache:
    """Looks documents up, and keeps those that were read."""

    def __init__(self, results: Results, keys: KeyMaker, room: Room, metrics: CacheMetrics) -> None:
        """Take where they are kept, what names them, and the room for those under way."""
        self._results = results
        self._keys = keys
        self._room = room
        self._metrics = metrics

    def forget(self, user_id: str) -> None:
        """Forget what was kept of a user's documents."""
        self._results.forget(user_id)

    @asynccontextmanager
    async def looked_up(
        self, order: Order, choice: ChosenEngines
    ) -> AsyncGenerator[LookedUp, None]:
        """Look a document up; what is found is held until the block is left."""
        if not order.owner:
            yield NOTHING
            return
        if order.options.skip_cache:
            self._metrics.looked_up("refused")
            yield NOTHING
            return
        key = await self._keys.key(order, choice)
        async with self._results.holding(key) as value:
            document = self._opened(key, value) if value else None
            self._metrics.looked_up("hit" if document else "miss")
            if document:
                try:
                    yield LookedUp(document)
                except BrokenPage:
                    self._results.remove(key)  # or it would fail whoever asks until it expires
                    raise
                return
        yield LookedUp(recording=self._recording(key, order, choice))

    def _opened(self, key: bytes, value: bytes) -> CachedDocument | None:
        try:
            return CachedDocument.from_bytes(value)
        except ValueError:
            self._results.remove(key)
            return None

    def _recording(self, key: bytes, order: Order, choice: ChosenEngines) -> Recording | None:
        if not order.is_whole:
            return None  # what is left of an extraction is not what its key stands for
        return Recording(
            RecordingTerms(
                self._room,
                self._results.max_entry_bytes,
                identities(choice),
                order.options.page_image_side_px > 0,
                lambda document: self._results.keep(key, order.owner, document.to_bytes()),
            )
        )
