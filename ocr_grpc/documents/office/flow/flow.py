"""Documents that pandoc reads: opened as a tree, cut into pages, written when asked. Child only."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypedDict, cast
from urllib.parse import unquote, unquote_to_bytes

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import pictures
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.flow import forms, pandoc
from ocr_grpc.documents.office.flow.cuts import PAGE_CHARACTERS, Cutter
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.simple_tree import Simplifier
from ocr_grpc.documents.office.flow.tree import Blocks, load
from ocr_grpc.documents.office.kept_pages import KeptPages
from ocr_grpc.documents.office.pages import Segment, WrittenPages
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_BATCH_PAGES = 16
"""How many pages go through pandoc at once: it takes longer to start than to write one."""
_NO_PAGES = 2**31
_DATA = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_NONE: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Flow:
    """A document made ready for pandoc.

    Attributes:
        content: with words for page breaks in it.
        form: its name at pandoc.
        marks: the words.
        member: returns the member of the archive that a picture's target means; None without.
        embedded: pictures that were taken out of the content, by what stands there instead.
        pictures: those whose words stand in the content already, in the order of their numbers.
        page_characters: after how many a page ends.
        raw: makes blocks of what pandoc leaves as it is; None if it is to be dropped.
    """

    content: bytes
    form: str
    marks: Marks
    member: Callable[[str], str | None] | None = None
    embedded: Mapping[str, bytes] = field(default_factory=lambda: _NONE)
    pictures: Sequence[bytes] = ()
    page_characters: int = PAGE_CHARACTERS
    raw: Callable[[Blocks], Blocks] | None = None


class _About(TypedDict):
    """What is kept behind the pages.

    Attributes:
        starts: the first page of each batch, and the number of pages.
        pictures: members of the archive, or where the picture is kept itself, by number.
    """

    kind: str
    token: str
    starts: list[int]
    pictures: list[str | int]


class FlowPages(WrittenPages):
    """A document whose tree is kept in batches of pages, in its scratch file if it has one."""

    def __init__(
        self, opening: Opening, kept: KeptPages, about: _About, archive: Archive | None = None
    ) -> None:
        """Take over what this reader or an earlier one has kept."""
        self._starts = about["starts"]
        self._members = about["pictures"]
        self._marks = Marks(about["token"])
        self._kept = kept
        self._archive = archive
        self._batch: tuple[int, bool] | None = None
        self._written: list[list[Segment]] = []
        super().__init__(opening, DocumentKind(about["kind"]), self._starts[-1])

    def _segments(self, page: int, markdown: bool) -> list[Segment]:
        batch = max(at for at, start in enumerate(self._starts[:-1]) if start <= page)
        if self._batch != (batch, markdown):
            self._batch = None
            self._written = self._write(self._kept[batch], markdown)
            self._batch = (batch, markdown)
        return self._written[page - self._starts[batch]]

    def _write(self, pages: list[Blocks], markdown: bool) -> list[list[Segment]]:
        try:
            written = forms.written(pages, self._marks, markdown=markdown)
        except RecursionError as error:
            raise ReaderFailure(Failure.CORRUPT) from error
        if len(written) != len(pages):
            raise ReaderFailure(Failure.BROKEN)
        return written

    def _picture(self, number: int) -> bytes:
        if not 0 <= number < len(self._members):
            raise ReaderFailure(Failure.BROKEN)
        member = self._members[number]
        if isinstance(member, int):
            return base64.b64decode(self._kept[member])
        if self._archive is None:
            self._archive = Archive(self._opening.file, self._opening.limits)
        return self._archive.read(member)

    def _worth_reading(self, number: int) -> bool:
        # The others were left out when it was opened.
        return 0 <= number < len(self._members)


def reopened(opening: Opening) -> FlowPages | None:
    """Return a document as an earlier reader has left it; None if none has."""
    kept = KeptPages(opening.scratch, _NO_PAGES)
    if not kept.complete or len(kept) == 0:
        return None
    # Sheets are kept in the same way, but their last page is one.
    about = kept[len(kept) - 1]
    known = isinstance(about, dict) and "token" in about
    return FlowPages(opening, kept, cast("_About", about)) if known else None


def open_flow(
    opening: Opening, kind: DocumentKind, flow: Flow, archive: Archive | None = None
) -> FlowPages:
    """Convert a document, and keep its pages.

    Raises:
        ReaderFailure: CORRUPT, MEMORY or TOO_MANY_PAGES.
    """
    found = _Pictures(flow, archive)
    try:
        tree = pandoc.convert(flow.content, flow.form, "json")
        # In Word documents that is the paragraphs in the style of a title: text like any other.
        blocks = load(tree, front_matter=kind is DocumentKind.DOCX)
        if flow.raw is not None:
            blocks = flow.raw(blocks)
        blocks = Simplifier(flow.marks, found.number).blocks(blocks)
        pages = Cutter(flow.marks, flow.page_characters).pages(blocks)
    except RecursionError as error:
        raise ReaderFailure(Failure.CORRUPT) from error
    if len(pages) > opening.limits.max_pages:
        raise ReaderFailure(Failure.TOO_MANY_PAGES, found=len(pages))
    kept = KeptPages(opening.scratch, _NO_PAGES)
    starts = [*range(0, len(pages), _BATCH_PAGES), len(pages)]
    for start, end in pairwise(starts):
        kept.append(pages[start:end])
    members: list[str | int] = []
    for source in found.sources:
        if isinstance(source, bytes):
            members.append(len(kept))
            kept.append(base64.b64encode(source).decode())
        else:
            members.append(source)
    about: _About = {
        "kind": kind.value,
        "token": flow.marks.token,
        "starts": starts,
        "pictures": members,
    }
    kept.append(about)
    kept.finish()
    return FlowPages(opening, kept, about, archive)


class _Pictures:
    """Numbers the pictures of a document that are worth reading."""

    def __init__(self, flow: Flow, archive: Archive | None) -> None:
        self._flow = flow
        self._archive = archive
        self._numbers: dict[str, int | None] = {}
        self.sources: list[str | bytes] = [*flow.pictures]
        """Members of the archive, or files of pictures, by number."""

    def number(self, target: str) -> int | None:
        """Return the number of a picture; None if it is elsewhere, or holds no words."""
        if target not in self._numbers:
            source, content = self._found(target)
            worth = bool(content) and pictures.may_have_text(content)
            self._numbers[target] = len(self.sources) if worth else None
            if worth:
                self.sources.append(source)
        return self._numbers[target]

    def _found(self, target: str) -> tuple[str | bytes, bytes]:
        if target in self._flow.embedded:
            content = self._flow.embedded[target]
            return content, content
        if _DATA.match(target):
            content = data_of(target)
            return content, content
        if self._archive is None or self._flow.member is None:
            return "", b""
        # Pandoc writes targets as addresses, with some letters as numbers.
        for member in map(self._flow.member, (target, unquote(target))):
            if member is not None and member in self._archive:
                try:
                    return member, self._archive.read(member)
                except ReaderFailure:
                    break  # one damaged picture is no reason to refuse the text
        return "", b""


def data_of(uri: str) -> bytes:
    """Return the content of a `data:` URI; empty if it is damaged."""
    head, _, body = uri.partition(",")
    content = unquote_to_bytes(body)
    if not head.lower().rstrip().endswith(";base64"):
        return content
    try:
        return base64.b64decode(b"".join(content.split()) + b"==", validate=False)
    except (binascii.Error, ValueError):
        return b""
