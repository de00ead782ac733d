"""Reads a page of a structured document: its own text, and the pictures in their places."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from ocr_grpc.documents.document import Picture, StructuredPage
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import PicturesLeftOut, PictureUnreadable
from ocr_grpc.extraction.events import TextSource
from ocr_grpc.extraction.image_reading import ImageReading, Part, Void
from ocr_grpc.extraction.options import Mode
from ocr_grpc.extraction.page_context import UNREADABLE, PageContext
from ocr_grpc.model import TextFormat

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
        pictures_read: how many pictures were read.
        engine: what read the last of them.
        alphabet: the characters it chose from.
        fallback_from: the engine that was to read one of them and could not.
        spent: by language models, over all pictures.
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
        self.engine: EngineDescription = context.choice.main
        self.alphabet = ""
        self.fallback_from = ""
        self.spent = Spent()
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
        reading = self._context.picture_reading(self._page_number)
        try:
            async with aclosing(self._picture_texts(picture, reading)) as texts:
                async for text in texts:
                    if text is None:
                        yield Cut(self._text.restore(before))
                        self._begin(picture)
                    elif piece := self._text.add(self._fitted(text, picture.inline)):
                        yield piece
            if not picture.inline:
                self._text.part()
            self.pictures_read += 1
            self.problem = self.problem or reading.problem
        except UNREADABLE as error:
            if self._text.state != before:
                yield Cut(self._text.restore(before))
            self.problem = self.problem or PictureUnreadable(self._page_number, error)
        finally:
            self.spent += reading.spent
            self.engine, self.alphabet = reading.engine, reading.alphabet
            self.fallback_from = self.fallback_from or reading.fallback_from

    async def _picture_texts(
        self, picture: Picture, reading: ImageReading
    ) -> AsyncGenerator[str | None, None]:
        """Yield the text of a picture as it is read, and None where it begins anew."""
        context = self._context
        async with context.rendering_slot():
            image = await context.document.render_picture(picture.number, self._page_number)
            try:
                if image.blank:
                    return
                self._begin(picture)
                whole = ""
                async with aclosing(reading.parts(image)) as parts:
                    async for part in parts:
                        if context.choice.vision:
                            # A model may take parts of its text back: better once, and whole.
                            whole = _with(whole, part)
                        else:
                            yield None if isinstance(part, Void) else part.text
                if whole:
                    yield whole
            finally:
                image.path.unlink(missing_ok=True)

    def _begin(self, picture: Picture) -> None:
        if not picture.inline:
            self._text.part()

    def _fitted(self, text: str, inline: bool) -> str:
        if not inline:
            return text
        text = " ".join(text.split()) + " "
        if self._text.ends_in_a_word:
            text = f" {text}"
        # A bar would end the cell of a table that the picture stands in.
        markdown = self._page.format is TextFormat.MARKDOWN
        return text.replace("|", "\\|") if markdown else text


def _with(text: str, part: Part) -> str:
    return text[: part.offset] if isinstance(part, Void) else text + part.text


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
