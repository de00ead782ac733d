"""Reads a page of a structured document: its own text, and the pictures in their places."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from ocr_grpc.documents.document import Picture, StructuredPage
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.engine_reading import BeganAnew
from ocr_grpc.extraction.errors import PicturesLeftOut, PictureUnreadable
from ocr_grpc.extraction.events import TextSource
from ocr_grpc.extraction.options import Mode
from ocr_grpc.extraction.page_context import UNREADABLE, PageContext
from ocr_grpc.model import Line, RenderedPage, TextFormat, joined

PIECE_CHARS = 4_000
"""A page of text comes all at once; a delta must stay a small message."""

_APART = "\n\n"


@dataclass(frozen=True, slots=True)
class Cut:
    """Of the text so far only `length` characters remain valid."""

    length: int


class WrittenPage:
    """Reads one page once.

    Attributes:
        pictures_read: how many pictures the engine has read.
        problem: what makes the page less than was asked for; None if nothing does.
    """

    def __init__(self, context: PageContext, page_number: int, page: StructuredPage) -> None:
        self._context = context
        self._page_number = page_number
        self._page = page
        options = context.options
        self._reads_pictures = not options.skip_pictures and options.mode is Mode.AUTO
        self._text = _Text()
        self.pictures_read = 0
        self.problem: OcrError | None = None

    @property
    def source(self) -> TextSource:
        """Where the text comes from: a page that is one picture is read like a scan."""
        written = any(isinstance(part, str) and part.strip() for part in self._page.segments)
        pictured = any(isinstance(part, Picture) for part in self._page.segments)
        only_pictures = pictured and not written and self._reads_pictures
        return TextSource.IMAGE if only_pictures else TextSource.TEXT_LAYER

    async def pieces(self) -> AsyncGenerator[str | Cut, None]:
        """Yield the text piece by piece.

        Raises:
            ReaderUnavailable, SpoolFull, EngineUnavailable: nothing is wrong with the page.
        """
        for segment in self._page.segments:
            if isinstance(segment, str):
                for piece in _pieces(self._text.add(segment)):
                    yield piece
            elif self._reads_pictures:
                async with aclosing(self._picture(segment)) as pieces:
                    async for piece in pieces:
                        yield piece
        if self._page.pictures_left_out and self._reads_pictures:
            self.problem = self.problem or PicturesLeftOut(
                self._page_number, self._page.pictures_left_out
            )

    async def _picture(self, picture: Picture) -> AsyncGenerator[str | Cut, None]:
        before = self._text.state
        try:
            async with aclosing(self._picture_lines(picture)) as parts:
                async for part in parts:
                    if isinstance(part, BeganAnew):
                        yield Cut(self._text.restore(before))
                    elif piece := self._text.add(self._written(part, picture.inline)):
                        yield piece
            if not picture.inline:
                self._text.part()
            self.pictures_read += 1
        except UNREADABLE as error:
            if self._text.state != before:
                yield Cut(self._text.restore(before))
            self.problem = self.problem or PictureUnreadable(self._page_number, error)

    async def _picture_lines(
        self, picture: Picture
    ) -> AsyncGenerator[list[Line] | BeganAnew, None]:
        context = self._context
        async with context.rendering.slot(context.caller):
            image = await context.document.render_picture(picture.number, self._page_number)
            try:
                if image.blank:
                    return
                async with aclosing(self._engine_lines(image, picture.inline)) as parts:
                    async for part in parts:
                        yield part
            finally:
                image.path.unlink(missing_ok=True)

    async def _engine_lines(
        self, image: RenderedPage, inline: bool
    ) -> AsyncGenerator[list[Line] | BeganAnew, None]:
        if not inline:
            self._text.part()
        first = True
        lines = self._context.reading(self._page_number).lines(image)
        async with aclosing(lines) as parts:
            async for part in parts:
                if isinstance(part, BeganAnew):
                    first = True
                elif first and part:
                    part[0], first = part[0].first(), False
                yield part

    def _written(self, lines: list[Line], inline: bool) -> str:
        if not inline:
            return joined(lines)
        text = " ".join(line.text for line in lines) + " "
        if self._text.ends_in_a_word:
            text = f" {text}"
        # A bar would end the cell of a table that the picture stands in.
        markdown = self._page.format is TextFormat.MARKDOWN
        return text.replace("|", "\\|") if markdown else text


class _Text:
    """Puts texts together so that the empty lines between them never pile up."""

    def __init__(self) -> None:
        self.state = (0, "", False)
        """How many characters there are, the line breaks that stand before the next, and whether
        the last one is no white space."""

    @property
    def ends_in_a_word(self) -> bool:
        """Return whether what is added next would stick to what is there."""
        _, held, open_ = self.state
        return open_ and not held

    def add(self, text: str) -> str:
        """Return what is to be appended for `text`, which may be nothing as yet."""
        length, held, open_ = self.state
        body = text.strip("\n")
        if not body:
            self.state = (length, max(held, text, key=len), open_)
            return ""
        leading = text[: len(text) - len(text.lstrip("\n"))]
        more = (max(held, leading, key=len) if length else "") + body
        self.state = (
            length + len(more),
            text[len(text.rstrip("\n")) :],
            not more[-1].isspace(),
        )
        return more

    def part(self) -> None:
        """Put an empty line before what comes next."""
        self.add(_APART)

    def restore(self, state: tuple[int, str, bool]) -> int:
        """Go back to an earlier state and return how many characters there were."""
        self.state = state
        return state[0]


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]
