"""Has one image read by the engines chosen: a draft, a model, and what steps in for it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import EngineCrashed, EngineFailed, EngineUnavailable, PageTimedOut
from ocr_grpc.engines.vlm.errors import VisionFailed
from ocr_grpc.engines.vlm.parts import Piece, TakeBack, VisionRead
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.engine_reading import BeganAnew, EngineReading, ReadingTerms
from ocr_grpc.model import Block, Line, RenderedPage, TextFormat, joined


@dataclass(frozen=True, slots=True)
class Written:
    """The next text of an image, with its lines or with the blocks that begin in it."""

    text: str
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Void:
    """Of the text of a revision only `offset` code points remain valid."""

    offset: int
    revision: int = 1


Part = Written | Void


DRAFT_ERRORS = (EngineCrashed, EngineFailed, EngineUnavailable, PageTimedOut)


class ImageReading:
    """Reads one image once. What the attributes say is known when `parts` is over.

    Attributes:
        engine: whose text counts.
        fallback_from: the name of the engine that was to read it and could not; mostly empty.
        revision: the reading that counts.
        text_format: the form of its text.
        attempts: how many times the engine whose text counts began.
        alphabet: the characters it chose from; empty if it does not choose.
        spent: by language models.
        problem: why the text is less than was asked for; None if it is not.
    """

    def __init__(self, choice: ChosenEngines, terms: ReadingTerms, page_number: int) -> None:
        self._choice = choice
        self._terms = terms
        self._page_number = page_number
        self._draft: list[Line] = []
        self._draft_error: OcrError | None = None
        self._line_engine: EngineDescription | None = None
        self._begun: set[int] = set()
        self.engine: EngineDescription = choice.main
        self.fallback_from = ""
        self.revision = 1
        self.text_format = choice.text_format(terms.text_format)
        self.attempts = 1
        self.alphabet = ""
        self.spent = Spent()
        self.problem: OcrError | None = None

    async def parts(self, image: RenderedPage) -> AsyncGenerator[Part, None]:
        """Yield the text of the image as it is read.

        Raises:
            VisionFailed: the model gave up, and no engine can step in.
            EngineCrashed, EngineFailed, PageTimedOut, EngineUnavailable: see `EngineReading`.
        """
        if self._choice.vision is None:
            parts = self._lines(image, 1)
        elif self._choice.drafts:
            parts = self._draft_then_final(image)
        else:
            parts = self._by_model(image, 1)
        async with aclosing(parts):
            async for part in parts:
                self._begun.add(part.revision)
                yield part

    async def _draft_then_final(self, image: RenderedPage) -> AsyncGenerator[Part, None]:
        draft = self._lines(image, 1)
        try:
            async with aclosing(draft):
                async for part in draft:
                    self._keep(part)
                    yield part
        except DRAFT_ERRORS as error:
            # A draft is worth nothing beside the final text, so its failure is none of the page.
            self._draft, self._draft_error = [], error
            if 1 in self._begun:
                yield Void(0, 1)
        async with aclosing(self._by_model(image, 2)) as final:
            async for part in final:
                yield part

    def _keep(self, part: Part) -> None:
        if isinstance(part, Written):
            self._draft.extend(part.lines)
        else:
            self._draft = []

    async def _by_model(self, image: RenderedPage, revision: int) -> AsyncGenerator[Part, None]:
        try:
            async with aclosing(self._model(image, revision)) as parts:
                async for part in parts:
                    yield part
            self.revision = revision
        except VisionFailed as failed:
            self.spent += failed.spent
            if self._choice.lines is None:
                raise
            self.problem = _told(failed, self._choice.lines.description.name)
            self.fallback_from = self._choice.main.name
            async with aclosing(self._instead(image, revision)) as parts:
                async for part in parts:
                    yield part

    async def _model(self, image: RenderedPage, revision: int) -> AsyncGenerator[Part, None]:
        vision, terms = self._choice.vision, self._terms
        if vision is None:
            raise RuntimeError("No model was chosen.")
        self.engine = vision.description
        read = VisionRead(
            page=image,
            options=terms.options,
            prompt=terms.prompt,
            text_format=terms.text_format,
            caller=terms.caller,
            extraction_id=terms.extraction_id,
            page_number=self._page_number,
            timeout_seconds=terms.timeout_seconds,
            priority=terms.priority,
            weight=terms.weight,
        )
        async with aclosing(vision.read(read)) as parts:
            async for part in parts:
                if isinstance(part, Piece):
                    yield Written(part.text, blocks=part.blocks, revision=revision)
                elif isinstance(part, TakeBack):
                    yield Void(part.offset, revision)
                else:
                    self.spent += part.spent
                    self.attempts, self.problem = max(1, part.spent.attempts), part.problem
                    self.text_format, self.engine = part.text_format, part.engine or self.engine

    async def _instead(self, image: RenderedPage, revision: int) -> AsyncGenerator[Part, None]:
        """Yield what an engine that reads lines has to say where the model said nothing."""
        if self._draft and revision not in self._begun:
            self._counts_as_lines()
            return  # the draft is the highest revision there is, and stays it
        if isinstance(self._draft_error, EngineCrashed):
            raise self._draft_error  # it would only cost more workers
        if revision in self._begun:
            yield Void(0, revision)
        self.revision = revision
        if self._draft:
            self._counts_as_lines()
            lines = tuple(self._draft)
            yield Written(joined(lines), lines, revision=revision)
            return
        async with aclosing(self._lines(image, revision)) as parts:
            async for part in parts:
                yield part

    def _counts_as_lines(self) -> None:
        if self._choice.lines:
            self.engine = self._line_engine or self._choice.lines.description
        self.text_format, self.attempts = TextFormat.PLAIN, 1

    async def _lines(self, image: RenderedPage, revision: int) -> AsyncGenerator[Part, None]:
        if self._choice.lines is None:
            raise RuntimeError("No engine that reads lines was chosen.")
        self._counts_as_lines()
        reading = EngineReading(self._choice.lines, self._terms, self._page_number)
        first = True
        async with aclosing(reading.lines(image)) as parts:
            async for part in parts:
                if isinstance(part, BeganAnew):
                    self.attempts = part.attempts
                    if not first:
                        yield Void(0, revision)
                    first = True
                elif part:
                    lines = (part[0].first(), *part[1:]) if first else tuple(part)
                    first = False
                    yield Written(joined(lines), lines, revision=revision)
        self.alphabet, self.engine = reading.alphabet, reading.engine
        self._line_engine = reading.engine


def _told(failed: VisionFailed, engine: str) -> VisionFailed:
    """Return why the model did not read a page, for one that was read all the same."""
    told = copy(failed)
    told.message = f"{failed.message} The engine {engine} read it instead."
    return told
