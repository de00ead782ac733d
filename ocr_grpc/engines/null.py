"""Engines that read nothing: one for load tests, and three that fail on purpose."""

import os
import signal
import time
from collections.abc import Iterator

from ocr_grpc.engines.engine import (
    Cancellation,
    EngineDescription,
    PageImage,
    ReadCancelled,
    ReadOptions,
)
from ocr_grpc.model import Line, Separator, Word, box

LINES_PER_PAGE = 4


class NullEngine:
    """Yields the same few lines for every page at once, so that all but the engine is measured."""

    name = "null"

    def describe(self) -> EngineDescription:
        """Return what this engine is."""
        languages = ("de", "en", "fr")
        return EngineDescription(
            self.name, self.name, "1", "none", "none", languages, gives_words=True
        )

    def alphabet(self, options: ReadOptions) -> str:
        """Return nothing: it knows its lines by heart."""
        return ""

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield each line alone."""
        height, width = page.pixels.shape[:2]
        for index in range(LINES_PER_PAGE):
            if cancellation.is_set():
                raise ReadCancelled
            top, bottom = (height * edge / LINES_PER_PAGE for edge in (index, index + 1))
            separator = Separator.LINE if index else Separator.NONE
            text, polygon = f"null line {index + 1}", box(0, top, width, bottom)
            words = tuple(Word(word, polygon, 1.0) for word in text.split() if options.words)
            yield [Line(text, polygon, 1.0, separator, words)]


class EmptyEngine(NullEngine):
    """Finds nothing on any page."""

    name = "empty"

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield nothing."""
        return iter(())


class CrashEngine(NullEngine):
    """Kills its process in the middle of every page whose first pixel is black.

    Other pages are read as `NullEngine` does, so that tests can see that they come through.
    """

    name = "crash"

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield a line, then die."""
        for lines in super().read(page, options, cancellation):
            yield lines
            if not page.pixels.reshape(-1)[0]:
                time.sleep(0.1)  # lets the line leave first
                os.kill(os.getpid(), signal.SIGKILL)


class HangEngine(NullEngine):
    """Yields a line and then neither ends nor hears a cancellation, if the first pixel is black."""

    name = "hang"

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield a line, then block."""
        for lines in super().read(page, options, cancellation):
            yield lines
            while not page.pixels.reshape(-1)[0]:
                time.sleep(0.1)
