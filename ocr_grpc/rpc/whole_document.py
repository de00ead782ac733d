"""Puts the events of an extraction together again, for `Extract` and for the command line."""

from ocr_grpc.rpc.errors import AnswerTooLarge
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import page_pb2

EventResponse = pb.StreamExtractResponse | pb.UploadExtractResponse


class WholeDocument:
    """Collects events, in the order they were sent, into the response of `Extract`."""

    def __init__(self, max_bytes: int | None = None) -> None:
        """Take how large the response may become; None: as large as it does."""
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._response = pb.ExtractResponse()
        self._open: dict[int, page_pb2.Page] = {}

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
                self._page(response.delta.page_number).lines.extend(response.delta.lines)
            case "retract":
                self._retract(response)
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

    def _retract(self, response: EventResponse) -> None:
        """Drop the lines that lie beyond the offset, whole or in part."""
        lines = self._page(response.retract.page_number).lines
        kept, end = 0, 0
        for line in lines:
            end += len(line.text)
            if end > response.retract.offset:
                break
            kept += 1
            end += 1  # at least one separating character
        del lines[kept:]

    def _finish(self, response: EventResponse) -> None:
        finished = response.page_finished
        page = self._page(finished.page_number)
        page.outcome, page.text = finished.outcome, finished.text
        page.usage.CopyFrom(finished.usage)
        page.provenance.CopyFrom(finished.provenance)
        page.reason, page.message = finished.reason, finished.message
        page.text_format, page.blank = finished.text_format, finished.blank
        if page.outcome == page_pb2.PAGE_OUTCOME_FAILED:
            del page.lines[:]
        self._response.pages.append(page)
        del self._open[finished.page_number]
