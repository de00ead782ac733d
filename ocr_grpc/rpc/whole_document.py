"""Puts the events of an extraction together again, for `Extract` and for the command line."""

from ocr_grpc.rpc.errors import AnswerTooLarge
from ocr_grpc.v1 import extraction_pb2, page_pb2
from ocr_grpc.v1 import ocr_service_pb2 as pb

EventResponse = pb.StreamExtractResponse | pb.UploadExtractResponse


class WholeDocument:
    """Collects events, in the order they were sent, into the response of `Extract`."""

    def __init__(self, max_bytes: int | None = None) -> None:
        """Take how large the response may become; None: as large as it does."""
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._response = pb.ExtractResponse()
        self._open: dict[int, page_pb2.Page] = {}
        self._revisions: dict[int, int] = {}

    def add(self, response: EventResponse) -> None:
        """Take the next event in; `failed` adds nothing.

        Raises:
            AnswerTooLarge: the response would become larger than it may.
        """
        # Text comes twice: in deltas and in the page, and it leaves twice: in pages and as a whole.
        self._size_bytes += response.ByteSize()
        if self._max_bytes is not None and self._size_bytes > self._max_bytes:
            raise AnswerTooLarge(self._max_bytes)
        match response.WhichOneof("event"):
            case "started":
                self._response.extraction_id = response.started.extraction_id
                self._response.kind = response.started.kind
                self._response.document_page_count = response.started.document_page_count
            case "page_started":
                started = response.page_started
                page = self._page(started.page_number)
                page.width_px, page.height_px = started.width_px, started.height_px
                page.dpi = started.dpi
            case "delta":
                self._add_text(response.delta)
            case "retract":
                self._retract(response.retract)
            case "page_finished":
                self._finish(response)
            case "finished":
                self._response.usage.CopyFrom(response.finished.usage)
                self._response.duration_seconds = response.finished.duration_seconds
            case _:
                pass

    def response(self) -> pb.ExtractResponse:
        """Return the whole document, its pages in ascending order."""
        pages = self._response.pages
        pages.sort(key=lambda page: page.page_number)
        read = [page.text for page in pages if page.outcome != page_pb2.PAGE_OUTCOME_FAILED]
        self._response.text = "\f".join(read)
        return self._response

    def _page(self, number: int) -> page_pb2.Page:
        return self._open.setdefault(number, page_pb2.Page(page_number=number))

    def _add_text(self, delta: extraction_pb2.TextDelta) -> None:
        page = self._page(delta.page_number)
        if self._is_newest(delta.page_number, delta.revision):
            page.lines.extend(delta.lines)
            page.blocks.extend(delta.blocks)

    def _is_newest(self, page_number: int, revision: int) -> bool:
        """Return whether a revision is the highest so far; what lower ones said is dropped."""
        highest = self._revisions.get(page_number, 0)
        if revision > highest:
            page = self._page(page_number)
            del page.lines[:], page.blocks[:]
            self._revisions[page_number] = revision
        return revision >= highest

    def _retract(self, retract: extraction_pb2.TextRetract) -> None:
        """Drop the lines beyond the offset, whole or in part, and blocks that begin there."""
        page = self._page(retract.page_number)
        if not self._is_newest(retract.page_number, retract.revision):
            return
        kept, end = 0, 0
        for line in page.lines:
            end += len(line.text)
            if end > retract.offset:
                break
            kept += 1
            end += 1  # at least one separating character
        del page.lines[kept:]
        blocks = [block for block in page.blocks if block.offset < retract.offset]
        del page.blocks[len(blocks) :]

    def _finish(self, response: EventResponse) -> None:
        finished = response.page_finished
        page = self._page(finished.page_number)
        page.outcome, page.text = finished.outcome, finished.text
        page.usage.CopyFrom(finished.usage)
        page.provenance.CopyFrom(finished.provenance)
        page.reason, page.message = finished.reason, finished.message
        page.text_format, page.blank = finished.text_format, finished.blank
        if page.outcome == page_pb2.PAGE_OUTCOME_FAILED:
            del page.lines[:], page.blocks[:]
        self._response.pages.append(page)
        del self._open[finished.page_number]
        self._revisions.pop(finished.page_number, None)
