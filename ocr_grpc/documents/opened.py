"""An opened document, as the rest of the program holds it."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ocr_grpc.documents import answers, refusals
from ocr_grpc.documents.call import Question
from ocr_grpc.documents.document import DocumentKind, TextLayer
from ocr_grpc.documents.lease import Leases, Workplace
from ocr_grpc.documents.protocol import MAX_DPI, MIN_DPI, Message
from ocr_grpc.model import RenderedPage

T = TypeVar("T")


class PooledDocument:
    """Implements `Document` with the readers of a pool."""

    def __init__(
        self, path: Path, kind: DocumentKind, caller: str, priority: int, workplace: Workplace
    ) -> None:
        self._kind = kind
        self._page_count = 0
        self._work = workplace
        opening: Message = {"op": "open", "path": str(path), "kind": kind.value}
        self._leases = Leases(opening, caller, priority, workplace)

    @property
    def kind(self) -> DocumentKind:
        """Return the format."""
        return self._kind

    @property
    def page_count(self) -> int:
        """Return the number of pages; 0 until `open`."""
        return self._page_count

    @property
    def has_text_layers(self) -> bool:
        """Return whether pages of this kind can carry text of their own."""
        return self._kind is DocumentKind.PDF

    async def open(self) -> int:
        """Open it in a reader and return the number of pages it says it has.

        Raises:
            DocumentError: it cannot be opened.
        """
        limits = self._work.limits
        lost = refusals.opening_lost(limits)
        question = Question(
            None, limits.open_seconds, answers.pages, lost, refusals.opening_refused
        )
        self._page_count = await self._leases.ask(question)
        return self._page_count

    async def text_layer(self, page_number: int, dpi: int) -> TextLayer:
        """Return the page's own text; see `Document`."""
        limit = self._work.limits.max_page_pixels
        return await self._leases.ask(
            self._about_page(
                page_number, {"op": "text", "dpi": dpi}, lambda it: answers.text_layer(it, limit)
            )
        )

    async def render(self, page_number: int, dpi: int) -> RenderedPage:
        """Write the page to a new spool file; see `Document`."""
        limit = self._work.limits.max_page_pixels
        # Nobody can guess the name, and the reader refuses to write to what exists already.
        path = self._work.spool / f"{secrets.token_hex(16)}.page"
        request: Message = {"op": "render", "dpi": dpi, "path": str(path)}
        geometry, channels = await self._leases.ask(
            self._about_page(page_number, request, lambda it: answers.rendered(it, limit), path)
        )
        return RenderedPage(path, geometry, channels)

    async def close(self) -> None:
        """Stop all calls under way and let go of the file. May be called twice."""
        await self._leases.close()

    def _about_page(
        self,
        page_number: int,
        request: Message,
        understand: Callable[[Message], T],
        leftover: Path | None = None,
    ) -> Question[T]:
        limits = self._work.limits
        if not 1 <= page_number <= self._page_count:
            raise refusals.no_such_page(page_number, self._page_count)
        if request["dpi"] != 0 and not MIN_DPI <= request["dpi"] <= MAX_DPI:
            raise ValueError(f"dpi must be 0 or from {MIN_DPI} to {MAX_DPI}")
        return Question(
            {**request, "page": page_number - 1},
            limits.page_seconds,
            understand,
            refusals.page_lost(page_number, limits),
            refusals.page_refused(page_number, limits),
            leftover,
            # The callers hold the few places for pages that an engine is to read; were these to
            # wait behind the opening of other documents, the engine would have nothing to do.
            urgent=request["op"] == "render",
        )
