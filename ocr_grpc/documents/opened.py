"""An opened document, as the rest of the program holds it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ocr_grpc.documents import answers, refusals
from ocr_grpc.documents.call import Question
from ocr_grpc.documents.document import DocumentKind, PageInspection, StructuredPage, TextLayer
from ocr_grpc.documents.files import DocumentFiles
from ocr_grpc.documents.formats import FORMATS, Family
from ocr_grpc.documents.lease import Leases, Workplace
from ocr_grpc.documents.protocol import MAX_DPI, MIN_DPI, Message
from ocr_grpc.model import RenderedPage, TextFormat

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document in a file, and what is known of it.

    Attributes:
        kind: as its first bytes tell; None if they do not.
        family: which readers open it.
        name_ending: of its file name, in lower case, such as `md`.
        password: for encrypted documents; may be empty.
    """

    path: Path
    kind: DocumentKind | None
    family: Family = Family.PAGES
    name_ending: str = ""
    password: str = field(default="", repr=False)


class PooledDocument:
    """Implements `Document` with the readers of a pool."""

    def __init__(
        self, file: DocumentFile, caller: str, priority: int, workplace: Workplace
    ) -> None:
        self._file = file
        self._kind = file.kind
        self._page_count = 0
        self._work = workplace
        opening: Message = {
            "op": "open",
            "kind": file.kind.value if file.kind else "",
            "name": file.name_ending,
            "password": file.password,
        }
        self._scratch = self._new_path("scratch") if file.family is Family.OFFICE else None
        self._leases = Leases(
            opening, DocumentFiles(file.path, self._scratch), caller, priority, workplace
        )

    @property
    def kind(self) -> DocumentKind:
        """Return the format; known once it is open."""
        if self._kind is None:
            raise RuntimeError("not open yet")
        return self._kind

    @property
    def page_count(self) -> int:
        """Return the number of pages; 0 until `open`."""
        return self._page_count

    @property
    def has_text_layers(self) -> bool:
        """Return whether pages of this kind can carry text of their own."""
        return FORMATS[self.kind].text_layer

    @property
    def is_structured(self) -> bool:
        """Return whether its pages are text with structure."""
        return FORMATS[self.kind].structured

    async def open(self) -> int:
        """Open it in a reader and return the number of pages it says it has.

        Raises:
            DocumentError: it cannot be opened.
        """
        limits = self._work.limits
        file = self._file
        question = Question(
            None,
            limits.open_seconds,
            lambda it: answers.opened(it, file.family, file.kind),
            refusals.opening_lost(limits),
            refusals.opening_refused(limits),
        )
        self._page_count, self._kind = await self._leases.ask(question)
        return self._page_count

    async def text_layer(self, page_number: int, dpi: int) -> TextLayer:
        """Return the page's own text; see `Document`."""
        limit = self._work.limits.max_page_pixels
        return await self._leases.ask(
            self._about_page(
                page_number, _at({"op": "text"}, dpi), lambda it: answers.text_layer(it, limit)
            )
        )

    async def structured_page(self, page_number: int, wanted: TextFormat) -> StructuredPage:
        """Return a page of a structured document; see `Document`."""
        limit = self._work.limits.max_pictures_per_page
        request: Message = {"op": "structured", "format": wanted.value}
        return await self._leases.ask(
            self._about_page(page_number, request, lambda it: answers.structured_page(it, limit))
        )

    async def inspect(self, page_number: int, dpi: int) -> PageInspection:
        """Return what a page is; see `Document`."""
        limit = self._work.limits.max_page_pixels
        request = _at({"op": "inspect"}, dpi)
        return await self._leases.ask(
            self._about_page(page_number, request, lambda it: answers.inspection(it, limit))
        )

    async def render(self, page_number: int, dpi: int) -> RenderedPage:
        """Write the page to a new spool file; see `Document`."""
        return await self._drawn(page_number, _at({"op": "render"}, dpi))

    async def render_picture(self, number: int, page_number: int) -> RenderedPage:
        """Write a picture to a new spool file; see `Document`."""
        return await self._drawn(page_number, {"op": "picture", "picture": number})

    async def close(self) -> None:
        """Stop all calls under way and let go of the file. May be called twice."""
        try:
            await self._leases.close()
        finally:
            if self._scratch is not None:
                self._work.readers.delete_later(self._scratch)

    async def _drawn(self, page_number: int, request: Message) -> RenderedPage:
        limit = self._work.limits.max_page_pixels
        path = self._new_path("page")
        question = self._about_page(
            page_number, request, lambda it: answers.rendered(it, limit), path
        )
        geometry, channels, blank = await self._leases.ask(question)
        return RenderedPage(path, geometry, channels, blank)

    def _new_path(self, ending: str) -> Path:
        return self._work.spool / f"{secrets.token_hex(16)}.{ending}"

    def _about_page(
        self,
        page_number: int,
        request: Message,
        understand: Callable[[Message], T],
        output: Path | None = None,
    ) -> Question[T]:
        limits = self._work.limits
        if not 1 <= page_number <= self._page_count:
            raise refusals.no_such_page(page_number, self._page_count)
        return Question(
            {**request, "page": page_number - 1},
            limits.page_seconds,
            understand,
            refusals.page_lost(page_number, limits),
            refusals.page_refused(page_number, limits),
            output,
            # The callers hold the few places for pages that an engine is to read; were these to
            # wait behind the opening of other documents, the engine would have nothing to do.
            urgent=output is not None,
        )


def _at(request: Message, dpi: int) -> Message:
    if dpi != 0 and not MIN_DPI <= dpi <= MAX_DPI:
        raise ValueError(f"dpi must be 0 or from {MIN_DPI} to {MAX_DPI}")
    return {**request, "dpi": dpi}
