"""Engines that say what a test wrote down for them."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from ocr_grpc.engines.engine import EngineDescription, ReadOptions
from ocr_grpc.engines.page_read import PageRead, Priority, ReadTimes
from ocr_grpc.engines.vlm.parts import VisionPart, VisionRead
from ocr_grpc.extraction.engine_reading import ReadingTerms
from ocr_grpc.model import Line, PageGeometry, RenderedPage, Separator, TextFormat, box

ENGINE = EngineDescription("fake", "fake", "1", "none", "f32", ("en",), gives_words=True)
VISION = EngineDescription(
    "vlm", "seer", "1", "none", "", takes_prompt=True, gives_blocks=True, writes_markdown=True
)
TERMS = ReadingTerms(
    options=ReadOptions(),
    prompt="",
    text_format=None,
    caller="",
    priority=Priority.INTERACTIVE,
    weight=1.0,
    extraction_id="x",
    timeout_seconds=9,
)


class Lines:
    """Answers each time with the next of its scripts: texts of lines, or an exception."""

    ready_workers = 1

    def __init__(self, *scripts: list[str | Exception], **described) -> None:
        self.description = replace(ENGINE, **described) if described else ENGINE
        self.scripts = list(scripts)

    async def read(self, read: PageRead) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        assert read.page.path.exists()
        for part in self.scripts.pop(0):
            if isinstance(part, Exception):
                raise part
            yield [Line(part, box(0, 0, 1, 1), 1.0, Separator.LINE)]
        yield ReadTimes(0.0, 0.0, "full")


class Vision:
    """Answers each time with the next of its scripts: parts of a reading, or an exception."""

    ready_workers = 1

    @property
    def description(self) -> EngineDescription:
        return replace(VISION)  # another one each time, as what a model's server tells may change

    def __init__(self, *scripts: list[VisionPart | Exception]) -> None:
        self.scripts = list(scripts)
        self.asked: list[VisionRead] = []

    def supports(self, text_format: TextFormat) -> bool:
        return text_format is TextFormat.MARKDOWN

    async def read(self, read: VisionRead) -> AsyncGenerator[VisionPart, None]:
        self.asked.append(read)
        assert read.page.path.exists()
        for part in self.scripts.pop(0):
            if isinstance(part, Exception):
                raise part
            yield part


def image_in(folder: Path, number: int = 0) -> RenderedPage:
    """Return an image of one black pixel."""
    path = folder / f"{number}.page"
    path.write_bytes(b"\0")
    return RenderedPage(path, PageGeometry(1, 1, 0), 1)
