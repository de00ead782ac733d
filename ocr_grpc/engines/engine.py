"""What an OCR engine is: something that reads the lines of one page image, a few at a time.

Engines run inside a worker process on one thread of their own; nothing here is async and nothing
here knows gRPC.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.model import Line


@dataclass(frozen=True, slots=True)
class PageImage:
    """The pixels of one page.

    Attributes:
        pixels: uint8, (height, width) grey or (height, width, 3) RGB; may be a read-only map.
        dpi: resolution of the rendering; 0 if unknown (an image file that does not say).
    """

    pixels: NDArray[np.uint8]
    dpi: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller asks of the engine; already validated against its description."""

    languages: tuple[str, ...] = ()
    words: bool = False
    """Whether lines are to come with their words."""


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """What an engine is and can do, for capabilities and provenance."""

    name: str
    model: str
    model_version: str
    backend: str
    """The inference runtime with its version, such as `openvino 2026.4.1`."""
    precision: str
    """The arithmetic really used, such as `bf16` or `f32`."""
    languages: tuple[str, ...] = field(default=())
    """BCP 47 codes of the languages it reads, sorted. Empty: any may be asked for."""
    takes_prompt: bool = False
    gives_words: bool = False
    gives_blocks: bool = False
    """Whether it sees blocks instead of lines."""
    writes_markdown: bool = False

    def reads(self, language: str) -> bool:
        """Return whether it reads a language, a BCP 47 code; one that names none reads any."""
        known = {code.lower() for code in self.languages}
        # `de-AT` is read by whoever reads `de`; `zh-Hant` is a language of its own in the list.
        return not known or language.lower() in known or language.lower().split("-")[0] in known


class ReadCancelled(Exception):
    """The read was stopped because `Cancellation.requested` became true."""


class Cancellation(Protocol):
    """Tells an engine, from another thread, that nobody wants its result any more."""

    def is_set(self) -> bool:
        """Return whether to stop. `threading.Event` is one."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Block up to `timeout` seconds; return whether to stop."""
        ...


class Engine(Protocol):
    """Reads page images. One read at a time, always from the same thread."""

    def describe(self) -> EngineDescription:
        """Return what this engine is; constant once loaded."""
        ...

    def alphabet(self, options: ReadOptions) -> str:
        """Return which characters it chooses from, such as `full`; empty if it does not choose."""
        ...

    def read(
        self, page: PageImage, options: ReadOptions, cancellation: Cancellation
    ) -> Iterator[list[Line]]:
        """Yield the lines of a page in reading order, a few at a time, as soon as they are read.

        The first line yielded has `Separator.NONE`; a blank page yields nothing.

        Raises:
            ReadCancelled: at most half a second after `cancellation` was set.
        """
        ...
