"""What `ocr-grpc extract` prints: text in page order, one JSON object, or one event a line."""

from collections import deque
from enum import Enum
from itertools import chain
from types import TracebackType
from typing import Protocol, Self, TextIO

from ocr_grpc.commands.tables import to_json
from ocr_grpc.extraction.options import select_pages
from ocr_grpc.rpc.whole_document import WholeDocument
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2


class Output(Enum):
    """The forms of output."""

    TEXT = "text"
    JSON = "json"
    NDJSON = "ndjson"


class Printer(Protocol):
    """Prints the events of one file after another."""

    def event(self, response: pb.UploadExtractResponse) -> None:
        """Print what an event brings."""
        ...

    def end(self) -> None:
        """Print what is left of this file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Printer:
    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._out.flush()


class EventPrinter(_Printer):
    """One event a line, as it comes."""

    def event(self, response: pb.UploadExtractResponse) -> None:
        """Print the event."""
        self._out.write(to_json(response) + "\n")
        self._out.flush()

    def end(self) -> None:
        """Print nothing."""


class DocumentPrinter(_Printer):
    """One JSON object for each file, the same as `Extract` returns."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self._whole = WholeDocument()

    def event(self, response: pb.UploadExtractResponse) -> None:
        """Keep the event."""
        self._whole.add(response)

    def end(self) -> None:
        """Print the document, if it was opened at all."""
        response = self._whole.response()
        self._whole = WholeDocument()
        if response.extraction_id:
            self._out.write(to_json(response, indent=2) + "\n")


class TextPrinter(_Printer):
    """The text in page order, a form feed between pages: the page at hand as its text comes.

    Text that was printed cannot be taken back. A page that is read again is printed on from where
    it stood, or, should it read differently this time, once more. So drafts are not printed at all.
    """

    def __init__(self, out: TextIO, pages: str, revision: int) -> None:
        """Take what pages are asked for, and the first revision that is no draft."""
        super().__init__(out)
        self._pages = pages
        self._revision = revision
        self._order: deque[int] = deque()
        self._texts: dict[int, str] = {}
        self._finished: set[int] = set()
        self._printed = ""

    def event(self, response: pb.UploadExtractResponse) -> None:
        """Keep the text of an event and print what may be printed."""
        match response.WhichOneof("event"):
            case "started":
                ranges = select_pages(self._pages, response.started.document_page_count)
                self._order = deque(chain.from_iterable(ranges))
            case "delta" if response.delta.revision >= self._revision:
                page = response.delta.page_number
                self._texts[page] = self._texts.get(page, "") + response.delta.text
            case "retract" if response.retract.revision >= self._revision:
                page = response.retract.page_number
                self._texts[page] = self._texts.get(page, "")[: response.retract.offset]
            case "page_finished":
                self._texts[response.page_finished.page_number] = response.page_finished.text
                self._finished.add(response.page_finished.page_number)
            case _:
                return
        self._print_on()

    def end(self) -> None:
        """Print what came of pages that never finished."""
        self._finished.update(self._order)
        self._print_on()

    def _print_on(self) -> None:
        while self._order:
            page = self._order[0]
            finished = page in self._finished
            self._print_page(self._texts.get(page, ""), finished)
            if not finished:
                break
            self._order.popleft()
            self._texts.pop(page, None)
            self._finished.discard(page)
            end = "\n" if self._printed else ""
            self._out.write(end + ("\f" if self._order else ""))
            self._printed = ""
        self._out.flush()

    def _print_page(self, text: str, finished: bool) -> None:
        if text.startswith(self._printed):
            self._out.write(text[len(self._printed) :])
            self._printed = text
        elif finished and text:
            self._out.write("\n" + text)
            self._printed = text


def make_printer(output: Output, out: TextIO, options: options_pb2.ExtractOptions) -> Printer:
    """Return the printer for a form of output, of documents that are read with these options."""
    drafts = options.quality == options_pb2.QUALITY_DRAFT_THEN_FINAL
    match output:
        case Output.TEXT:
            return TextPrinter(out, options.pages, revision=2 if drafts else 1)
        case Output.JSON:
            return DocumentPrinter(out)
        case Output.NDJSON:
            return EventPrinter(out)
