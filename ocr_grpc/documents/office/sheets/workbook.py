"""Workbooks: XLSX, XLS, ODS; a sheet is a page. Child only.

Sheets that are hidden are left out, as people who open the workbook do not see them, and so are
sheets that are nothing but a chart.
"""

import io
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import ole
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.pages import WrittenPages
from ocr_grpc.documents.office.sheets import anchored_pictures
from ocr_grpc.documents.office.sheets.cells import filled_rows, used_columns
from ocr_grpc.documents.office.sheets.grid import (
    MAX_PART_BYTES,
    OpenDocumentGrid,
    prepared,
    with_text_cells,
)
from ocr_grpc.documents.office.sheets.shared_texts import SharedTexts
from ocr_grpc.documents.office.sheets.sheet_pages import Sheet, SheetPages
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_CONTENT = "content.xml"
_TEXTS = "xl/sharedStrings.xml"


def open_sheets(opening: Opening, kind: DocumentKind, archive: Archive | None) -> WrittenPages:
    """Open a workbook.

    Args:
        opening: the document.
        kind: XLSX, XLS or ODS.
        archive: the document as a container; None for XLS, which is none. Closed with it.

    Raises:
        ReaderFailure: CORRUPT, ENCRYPTED, TOO_MANY_PAGES, MEMORY, DOCTYPE.
    """
    return Workbook(opening, kind, archive)


class Workbook(SheetPages):
    """A workbook whose sheets are read once, when it is opened for the first time."""

    def __init__(self, opening: Opening, kind: DocumentKind, archive: Archive | None) -> None:
        self._archive = archive
        # A picture's number is its place among the members, so that all readers agree.
        self._names = archive.names if archive is not None else ()
        super().__init__(opening, kind)

    def close(self) -> None:
        """Close the document's files."""
        if self._archive is not None:
            self._archive.close()
        super().close()

    def _sheets(self, opening: Opening) -> Iterator[Sheet]:
        file, pictures_of = self._prepared(opening)
        workbook = _calling(lambda: CalamineWorkbook.from_filelike(file))
        try:
            for place, about in enumerate(workbook.sheets_metadata):
                visible = about.visible == SheetVisibleEnum.Visible
                if visible and about.typ == SheetTypeEnum.WorkSheet:
                    numbers = [self._names.index(name) for name in pictures_of(about.name)]
                    yield _sheet(workbook, place, about.name, numbers)
        finally:
            workbook.close()

    def _picture(self, number: int) -> bytes:
        if self._archive is None or not 0 <= number < len(self._names):
            raise ReaderFailure(Failure.BROKEN)
        return self._archive.read(self._names[number])

    def _prepared(self, opening: Opening) -> tuple[Any, Callable[[str], list[str]]]:
        """Return the workbook as calamine may see it, and what tells a sheet's pictures."""
        archive = self._archive
        if archive is None:
            opening.file.seek(0)
            content = opening.file.read()
            if ole.is_encrypted_workbook(content):
                raise ReaderFailure(Failure.ENCRYPTED)
            return io.BytesIO(content), lambda _: []
        if _CONTENT in archive:
            grid = OpenDocumentGrid(archive.chunks(_CONTENT))
            if archive.size_bytes(_CONTENT) > MAX_PART_BYTES:
                raise ReaderFailure(Failure.MEMORY)
            content = with_text_cells(archive.read(_CONTENT))
            file = io.BytesIO(archive.without_media({_CONTENT: content}))
            return file, lambda sheet: [
                name for name in grid.pictures.get(sheet, []) if name in archive
            ]
        parts = anchored_pictures.sheet_parts(archive)
        file = io.BytesIO(archive.without_media(_replaced(archive, list(parts.values()))))
        return (
            file,
            lambda sheet: (
                anchored_pictures.pictures_of(archive, parts[sheet]) if sheet in parts else []
            ),
        )


def _replaced(archive: Archive, parts: list[str]) -> dict[str, bytes]:
    """Return the sheets that calamine may not see as they are."""
    if any(archive.size_bytes(part) > MAX_PART_BYTES for part in (_TEXTS, *parts)):
        raise ReaderFailure(Failure.MEMORY)
    texts = SharedTexts(archive.read(_TEXTS) if _TEXTS in archive else b"")
    replaced: dict[str, bytes] = {}
    for part in parts:
        content = archive.read(part)
        texts.check(content)
        changed = prepared(content)
        if changed is not None:
            replaced[part] = changed
    return replaced


def _sheet(workbook: CalamineWorkbook, place: int, name: str, pictures: list[int]) -> Sheet:
    sheet = _calling(lambda: workbook.get_sheet_by_index(place))
    columns = used_columns(sheet.iter_rows())
    rows = filled_rows(sheet.iter_rows(), columns)
    return Sheet(name, rows, len(columns), pictures)


_Result = TypeVar("_Result")


def _calling(call: Callable[[], _Result]) -> _Result:
    """Return what calamine returns.

    Raises:
        ReaderFailure: ENCRYPTED; CORRUPT.
    """
    try:
        return call()
    except PasswordError as error:
        raise ReaderFailure(Failure.ENCRYPTED) from error
    except (CalamineError, OSError, ValueError) as error:
        raise ReaderFailure(Failure.CORRUPT) from error
