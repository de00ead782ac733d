"""The CPU engine behind the `Engine` interface: finds lines, orders them, reads them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import cv2

from ocr_grpc.engines.engine import (
    Cancellation,
    EngineDescription,
    PageImage,
    ReadCancelled,
    ReadOptions,
)
from ocr_grpc.engines.ppocr.backend import Backend, BackendName, PrecisionName
from ocr_grpc.engines.ppocr.decoding import Reading
from ocr_grpc.engines.ppocr.detector import Detector
from ocr_grpc.engines.ppocr.languages import alphabet_for, supported
from ocr_grpc.engines.ppocr.models import MODEL_NAME, model_version
from ocr_grpc.engines.ppocr.orientation import (
    is_upside_down,
    lies_on_its_side,
    reads_badly,
    runs_sideways,
    turned,
    turned_back,
)
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.engines.ppocr.reading_order import Placed, in_reading_order
from ocr_grpc.engines.ppocr.recognizer import Recognizer, Wanted
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.engines.ppocr.runtimes import load_backend
from ocr_grpc.model import Line, Point, Polygon, Separator, Word

LEAST_CONFIDENCE = 0.5
"""Lines read with less are specks and pictures, hardly ever text. Value of the model's makers."""
BATCH_LINES = (1, 2, 4, 8, 16)
"""Lines in the first batches and, the last figure, in all others: the first comes at once, and many
read together take less time."""
FIRST_LINES = 2
"""Lines whose confidence tells whether the page may stand on its head."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page on its way through the engine.

    Attributes:
        pixels: turned so that its text stands upright.
        quarters: by how many quarters of a turn, counterclockwise.
        placed: its lines in reading order.
        known: those that have been read already.
        wanted: what is wanted of the lines.
    """

    pixels: Pixels
    quarters: int
    placed: list[Placed]
    known: dict[Region, Reading]
    wanted: Wanted


class PpOcrEngine:
    """Reads pages with PP-OCRv6 small on the CPU.

    One read at a time, always from the thread that loaded it. Turns off the threads of OpenCV in
    the whole process: a worker has one core, and more threads only get in each other's way.
    """

    def __init__(self, backend: Backend) -> None:
        cv2.setNumThreads(1)
        self._backend = backend
        self._detector = Detector(backend)
        self._recognizer = Recognizer(backend)
        self._description = EngineDescription(
            name="ppocr",
            model=MODEL_NAME,
            model_version=model_version(),
            backend=backend.name,
            precision=backend.precision,
            languages=supported(backend.characters),
            gives_words=True,
        )

    @classmethod
    def load(
        cls,
        backend: BackendName = "auto",
        precision: PrecisionName = "auto",
        threads: int = 1,
    ) -> Self:
        """Load the models; takes some seconds.

        Args:
            backend: the runtime; `auto` takes OpenVINO where it is installed and the CPU suits it.
            precision: `auto` takes bf16 where the CPU computes in it, else f32.
            threads: of one inference.

        Raises:
            ValueError: for a precision the runtime or the CPU does not have.
            ImportError: if the runtime asked for is not installed.
            FileNotFoundError: if the model files are missing.
        """
        return cls(load_backend(backend, precision, threads))

    def describe(self) -> EngineDescription:
        """Return what this engine is."""
        return self._description

    def alphabet(self, options: ReadOptions) -> str:
        """Return `latin` if all languages asked for are written so, else `full`."""
        return alphabet_for(options.languages)

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield the lines of a page in reading order, see `Engine.read`.

        One model reads all languages; naming only such as are written in Latin letters spares it
        the thousands of others, and the mistaking of specks for them.
        """
        wanted = Wanted(alphabet_for(options.languages), options.words)
        sheet = self._upright(page.pixels, wanted, cancellation)
        height, width = page.pixels.shape[:2]
        for batch in self._batches(sheet, cancellation):
            yield [_turned_back(line, sheet.quarters, width, height) for line in batch]

    def _upright(self, pixels: Pixels, wanted: Wanted, cancellation: Cancellation) -> _Sheet:
        """Return the page with its text upright, and its lines."""
        sheet = self._sheet(pixels, 0, wanted, cancellation)
        if lies_on_its_side([place.region for place in sheet.placed]):
            sheet = self._sheet(turned(pixels, 1), 1, wanted, cancellation)
        # These are read first anyway, so on a page that stands upright the question costs nothing.
        doubtful = self._reads_badly(sheet, cancellation)
        if doubtful and not sheet.quarters and runs_sideways(pixels, cancellation):
            sheet = self._sheet(turned(pixels, 1), 1, wanted, cancellation)
            doubtful = self._reads_badly(sheet, cancellation)
        regions = [place.region for place in sheet.placed]
        if doubtful and is_upside_down(
            sheet.pixels, regions, self._recognizer, wanted, cancellation
        ):
            quarters = sheet.quarters + 2
            sheet = self._sheet(turned(pixels, quarters), quarters, wanted, cancellation)
        return sheet

    def _reads_badly(self, sheet: _Sheet, cancellation: Cancellation) -> bool:
        """Read the first lines of a page; return whether they leave doubt which way is up."""
        first = [place.region for place in sheet.placed[:FIRST_LINES]]
        readings = self._recognizer.read(sheet.pixels, first, sheet.wanted, cancellation)
        sheet.known.update(zip(first, readings, strict=True))
        return reads_badly(list(sheet.known.values()))

    def _sheet(
        self, pixels: Pixels, quarters: int, wanted: Wanted, cancellation: Cancellation
    ) -> _Sheet:
        regions = self._detector.find(pixels, cancellation)
        return _Sheet(pixels, quarters, in_reading_order(regions), {}, wanted)

    def _batches(self, sheet: _Sheet, cancellation: Cancellation) -> Iterator[list[Line]]:
        """Yield the lines as they are read; those that say nothing are left out."""
        separator = Separator.NONE
        first = True
        for some in _grouped(sheet.placed):
            if cancellation.is_set():
                raise ReadCancelled
            batch: list[Line] = []
            for place, reading in zip(some, self._read(sheet, some, cancellation), strict=True):
                separator = _stronger(separator, place.separator)
                if not reading.text or reading.confidence < LEAST_CONFIDENCE:
                    continue
                line = _line(place.region, reading, separator)
                batch.append(line.first() if first else line)
                first, separator = False, Separator.NONE
            if batch:
                yield batch

    def _read(self, sheet: _Sheet, some: list[Placed], cancellation: Cancellation) -> list[Reading]:
        regions = [place.region for place in some if place.region not in sheet.known]
        readings = self._recognizer.read(sheet.pixels, regions, sheet.wanted, cancellation)
        found = sheet.known | dict(zip(regions, readings, strict=True))
        return [found[place.region] for place in some]


def _stronger(first: Separator, second: Separator) -> Separator:
    """Return the separator that parts more: a line left out must not hide a paragraph's end."""
    order = list(Separator)
    return max(first, second, key=order.index)


def _turned_back(line: Line, quarters: int, width: int, height: int) -> Line:
    """Return a line of a turned page where it stands on the page, and its words likewise."""
    if not quarters:
        return line

    def back(polygon: Polygon) -> Polygon:
        return tuple(turned_back(list(polygon), quarters, width, height))

    words = tuple(replace(word, polygon=back(word.polygon)) for word in line.words)
    return replace(line, polygon=back(line.polygon), words=words)


def _polygon(region: Region) -> Polygon:
    return tuple(Point(x, y) for x, y in region.corners().tolist())


def _grouped(placed: list[Placed]) -> Iterator[list[Placed]]:
    """Yield the lines a few at a time, in their order."""
    start = 0
    sizes = iter(BATCH_LINES)
    while start < len(placed):
        size = next(sizes, BATCH_LINES[-1])
        yield placed[start : start + size]
        start += size


def _line(region: Region, reading: Reading, separator: Separator) -> Line:
    words = tuple(
        Word(span.text, _polygon(region.part(span.start, span.end)), span.confidence)
        for span in reading.words
    )
    confidence = min(1.0, reading.confidence)
    return Line(reading.text, _polygon(region), confidence, separator, words)
