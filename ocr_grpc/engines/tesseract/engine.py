"""Tesseract behind the `Engine` interface: a program that is run anew for each page."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self

from ocr_grpc.engines.engine import Cancellation, EngineDescription, PageImage, ReadOptions
from ocr_grpc.engines.tesseract.languages import (
    SCRIPT_DETECTION,
    chosen,
    scripts,
    supported,
    usual,
)
from ocr_grpc.engines.tesseract.pieces import Pixels, as_file, pieces
from ocr_grpc.engines.tesseract.program import Tesseract, TesseractFailed, find_tesseract
from ocr_grpc.engines.tesseract.tsv import lines
from ocr_grpc.model import Line, Separator

LINES_AT_ONCE = 32
_LEAST_DPI, _MOST_DPI = 70, 2400
"""What Tesseract believes; otherwise it makes its own estimate."""


class TesseractEngine:
    """Reads pages with the program `tesseract` and the trained data of this machine.

    The languages asked for choose the data. Without any, the script of the page is looked for where
    there is data for several (about a second of CPU time), and the page is read with at most three
    languages of that script: all data together would take several times as long and read worse.

    One read at a time, always from one thread: the program ends with the thread that started it.
    """

    def __init__(self, tesseract: Tesseract) -> None:
        self._tesseract = tesseract
        self._used: tuple[str, ...] = ()
        self._description = EngineDescription(
            name="tesseract",
            model="tesseract",
            model_version=tesseract.version,
            backend=f"tesseract {tesseract.version}",
            precision="as trained",
            languages=supported(tesseract.trained),
            gives_words=True,
        )

    @classmethod
    def load(cls, binary: str = "") -> Self:
        """Find the program and ask it what it can read.

        Args:
            binary: its path; empty: the one on the PATH.

        Raises:
            FileNotFoundError: it is not there.
            TesseractFailed: it does not run, or has no data for any language.
        """
        path = find_tesseract(Path(binary) if binary else None)
        if path is None:
            raise FileNotFoundError("The program tesseract is not installed.")
        tesseract = Tesseract.ask(path)
        if not scripts(tesseract.trained):
            raise TesseractFailed("Tesseract has no data for any language; install some.")
        return cls(tesseract)

    def describe(self) -> EngineDescription:
        """Return what this engine is."""
        return self._description

    def alphabet(self, options: ReadOptions) -> str:
        """Return the data that the last page was read with, such as `rus+eng`."""
        return "+".join(self._used)

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield the lines of a page in reading order, see `Engine.read`.

        They come when the whole page is read, and of an enormous page when a part of it is.
        """
        self._used = chosen(options.languages, self._tesseract.trained)
        separator = Separator.NONE
        for piece in pieces(page.pixels):
            tsv = self._tsv(piece.pixels, page.dpi, cancellation)
            found = lines(tsv, separator, piece.left, piece.top, words=options.words)
            while batch := list(islice(found, LINES_AT_ONCE)):
                yield batch
                separator = Separator.BLOCK

    def _tsv(self, pixels: Pixels, dpi: float, cancellation: Cancellation) -> str:
        resolution = ["--dpi", f"{dpi:.0f}"] if _LEAST_DPI <= dpi <= _MOST_DPI else []
        with as_file(pixels) as image:
            if not self._used:
                script = self._script(image, cancellation)
                self._used = usual(self._tesseract.trained, script)
                image.seek(0)
            arguments = ["-l", "+".join(self._used), "--psm", "3", *resolution, "tsv"]
            return self._tesseract.read(image, arguments, cancellation)

    def _script(self, image: BinaryIO, cancellation: Cancellation) -> str:
        """Return the script of a page, empty if it cannot be told or there is no choice."""
        trained = self._tesseract.trained
        if SCRIPT_DETECTION not in trained or len(scripts(trained)) == 1:
            return ""
        try:
            arguments = ["-l", SCRIPT_DETECTION, "--psm", "0"]
            said = self._tesseract.read(image, arguments, cancellation)
        except TesseractFailed:
            return ""  # there are too few characters on it
        script = re.search(r"^Script: (\S+)$", said, re.MULTILINE)
        return script[1] if script else ""
