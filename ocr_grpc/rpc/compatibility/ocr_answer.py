"""The answer of Mistral's OCR endpoint."""

from typing import Any

from ocr_grpc.extraction.events import (
    Event,
    Failed,
    Finished,
    PageFinished,
    PageOutcome,
    PageStarted,
    Started,
)
from ocr_grpc.model import PageGeometry


class OcrAnswer:
    """Collects the events of an extraction."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._geometries: dict[int, PageGeometry] = {}
        self._pages: dict[int, dict[str, Any]] = {}
        self._size_bytes = 0
        self._pages_read = 0

    def add(self, event: Event) -> None:
        """Take the next event in.

        Raises:
            OcrError: the extraction failed with it.
        """
        match event:
            case Started():
                self._size_bytes = event.size_bytes
                self._model = event.engine.name if event.engine else self._model
            case PageStarted():
                self._geometries[event.page_number] = event.geometry
            case PageFinished():
                self._pages[event.page_number] = self._page(event)
            case Finished():
                self._pages_read = event.pages_ok + event.pages_degraded
            case Failed():
                raise event.error
            case _:
                pass

    def whole(self) -> dict[str, Any]:
        """Return the answer."""
        return {
            "pages": [page for _, page in sorted(self._pages.items())],
            "model": self._model,
            "document_annotation": None,
            "usage_info": {
                "pages_processed": self._pages_read,
                "doc_size_bytes": self._size_bytes,
            },
        }

    def _page(self, event: PageFinished) -> dict[str, Any]:
        page: dict[str, Any] = {
            "index": event.page_number - 1,
            "markdown": event.text,
            "images": [],
            "dimensions": self._dimensions(event.page_number),
        }
        if event.outcome is PageOutcome.FAILED and event.error:
            # Their page has no place for it, but an empty one must not pass for a blank one.
            page["error"] = {"reason": event.error.reason, "message": event.error.message}
        return page

    def _dimensions(self, page_number: int) -> dict[str, int] | None:
        geometry = self._geometries.get(page_number)
        if geometry is None or not geometry.width_px:
            return None
        return {
            "dpi": round(geometry.dpi),
            "height": geometry.height_px,
            "width": geometry.width_px,
        }
