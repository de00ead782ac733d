"""Pages that were costly to get at, kept in the document's scratch file. Child only.

A reader is taken away from a document after seconds if others wait for it. The next one finds the
pages here, and need not read a workbook of a hundred thousand rows again. They are not held in
memory either.
"""

import errno
import io
import json
from typing import Any, BinaryIO

from ocr_grpc.documents.protocol import Failure, ReaderFailure

_MAGIC = b"kept pages 1\n"
_LENGTH_BYTES = 8


class KeptPages:
    """A list of pages, each anything that JSON can say. Written once, then read.

    The file ends with where each page is, so that one whose writer died is not taken for whole.
    """

    def __init__(self, scratch: BinaryIO | None, max_pages: int) -> None:
        """Look for pages in `scratch`; without it they are kept in memory."""
        self._file = io.BytesIO() if scratch is None else scratch
        self._max_pages = max_pages
        self._places: list[int] = []
        self.complete = self._load()
        """Whether all pages are there."""

    def __len__(self) -> int:
        """Return how many pages there are."""
        return max(0, len(self._places) - 1)

    def __getitem__(self, page: int) -> Any:
        """Return a page, counted from 0."""
        start, end = self._places[page : page + 2]
        self._file.seek(start)
        return json.loads(self._file.read(end - start))

    def append(self, page: Any) -> None:
        """Write a page behind the others.

        Raises:
            ReaderFailure: TOO_MANY_PAGES; MEMORY if the file may not grow any more.
        """
        if not self._places:
            self._file.seek(0)
            self._file.truncate()
            self._places.append(0)
        if len(self) == self._max_pages:
            raise ReaderFailure(Failure.TOO_MANY_PAGES, found=len(self) + 1)
        self._places.append(self._places[-1] + self._write(page))

    def finish(self) -> None:
        """Say that there are no more pages."""
        if not self._places:
            raise ReaderFailure(Failure.BROKEN)
        size = self._write(self._places)
        self._file.write(size.to_bytes(_LENGTH_BYTES, "big") + _MAGIC)
        self._file.flush()
        self.complete = True

    def _write(self, value: Any) -> int:
        content = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
        try:
            self._file.write(content)
            self._file.flush()
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise ReaderFailure(Failure.MEMORY) from error
            raise
        return len(content)

    def _load(self) -> bool:
        tail_bytes = _LENGTH_BYTES + len(_MAGIC)
        size = self._file.seek(0, io.SEEK_END)
        if size < tail_bytes:
            return False
        self._file.seek(size - tail_bytes)
        tail = self._file.read()
        length = int.from_bytes(tail[:_LENGTH_BYTES], "big")
        if not tail.endswith(_MAGIC) or length > size - tail_bytes:
            return False
        self._file.seek(size - tail_bytes - length)
        self._places = json.loads(self._file.read(length))
        return True
