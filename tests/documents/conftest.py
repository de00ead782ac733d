"""What the tests of documents share: a PDF opened in this process, and a pool of readers."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening, ReaderLimits
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pdf import PdfFile, open_pdf
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.readers import ReaderWatch

MAX_PIXELS = 100_000_000


def opening(
    file: BinaryIO, kind: DocumentKind | None, name_ending: str = "", password: str = "", **limits
) -> Opening:
    """Return what a reader is asked to open, with the default limits but for those given."""
    default = DocumentLimits(**limits)
    known = {each.name: getattr(default, each.name) for each in fields(ReaderLimits)}
    return Opening(file, kind, name_ending, ReaderLimits(**known), password)


@pytest.fixture
def pdf(tmp_path: Path) -> Iterator[Callable[..., PdfFile]]:
    """Open a PDF without a sandbox, as the child does; for tests about what is on a page."""
    with ExitStack() as stack:

        def open_it(content: bytes, max_pixels: int = MAX_PIXELS) -> PdfFile:
            file = tmp_path / "document"
            file.write_bytes(content)
            source = stack.enter_context(file.open("rb"))
            opened = open_pdf(opening(source, DocumentKind.PDF, max_page_pixels=max_pixels))
            stack.callback(opened.close)
            return opened

        yield open_it


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Start a pool of readers with limits of one's own."""
    async with AsyncExitStack() as stack:

        async def start(
            readers: int = 1, watch: ReaderWatch | None = None, **limits
        ) -> DocumentPool:
            started = DocumentPool(
                tmp_path / "spool", DocumentLimits(**limits), readers, watch=watch
            )
            stack.push_async_callback(started.close)
            await started.start()
            return started

        yield start


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    """Put a document into a file, whose name says nothing."""
    count = 0

    def put(content: bytes) -> Path:
        nonlocal count
        count += 1
        path = tmp_path / f"upload-{count}.txt"
        path.write_bytes(content)
        return path

    return put
