"""Says what a document is and what reading it would cost, without reading it."""

import asyncio
from dataclasses import dataclass
from itertools import chain, islice

from ocr_grpc.documents.document import Document, DocumentKind, PageInspection
from ocr_grpc.documents.errors import NoTextLayer, PageError
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.options import ExtractOptions, Mode, select_pages

MAX_INSPECTED_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class InspectedPage:
    """One page: what it is, or why it cannot be read."""

    page_number: int
    page: PageInspection | None
    error: OcrError | None = None


@dataclass(frozen=True, slots=True)
class InspectedDocument:
    """A document and the first of its pages asked for; see `InspectResponse`."""

    kind: DocumentKind
    document_page_count: int
    size_bytes: int
    pages: tuple[InspectedPage, ...]
    cost_pages: int


async def inspected(
    documents: DocumentPool, file: SpooledDocument, name: str, options: ExtractOptions, caller: str
) -> InspectedDocument:
    """Return what a document is.

    Raises:
        DocumentError: it cannot be opened.
        InvalidOption: the options do not fit it.
        ReaderUnavailable: no page can be looked at at present.
    """
    opened = await documents.open(file.path, name=name, password=options.password, caller=caller)
    try:
        options.check_fits(opened.kind)
        ranges = select_pages(options.pages, opened.page_count)
        numbers = list(islice(chain.from_iterable(ranges), MAX_INSPECTED_PAGES))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_page(opened, number, options)) for number in numbers]
        pages = tuple(task.result() for task in tasks)
        failing = sum(page.error is not None for page in pages)
        return InspectedDocument(
            kind=opened.kind,
            document_page_count=opened.page_count,
            size_bytes=file.size_bytes,
            pages=pages,
            cost_pages=sum(len(part) for part in ranges) - failing,
        )
    finally:
        await opened.close()


async def _page(document: Document, number: int, options: ExtractOptions) -> InspectedPage:
    try:
        page = await document.inspect(number, options.dpi)
    except PageError as error:
        return InspectedPage(number, None, error)
    only_text = options.mode is Mode.TEXT_LAYER_ONLY
    if only_text and page.unusable_because:
        return InspectedPage(number, page, NoTextLayer.on_page(number, page.unusable_because))
    return InspectedPage(number, page)
