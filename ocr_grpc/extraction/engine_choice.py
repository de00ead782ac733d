"""The engines of this server, and which of them read what a caller asks for."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.formats import FORMATS
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.vlm.parts import VisionPart, VisionRead
from ocr_grpc.extraction.engine_reading import PageEngine
from ocr_grpc.extraction.errors import (
    EngineNotAvailable,
    LanguageNotSupported,
    PromptNotSupported,
    QualityNotSupported,
    TextFormatNotSupported,
    WordsNotSupported,
)
from ocr_grpc.extraction.options import ExtractOptions, Mode, Quality
from ocr_grpc.model import TextFormat


class VisionReader(Protocol):
    """What extraction needs of a vision-language engine; `VisionEngine` is one."""

    @property
    def description(self) -> EngineDescription:
        """Return what the engine is."""
        ...

    @property
    def ready_workers(self) -> int:
        """Return how many pages can be read at once at this moment."""
        ...

    def supports(self, text_format: TextFormat) -> bool:
        """Return whether its text can have this form."""
        ...

    def read(self, read: VisionRead) -> AsyncGenerator[VisionPart, None]:
        """Yield the text of a page; see `VisionEngine.read`."""
        ...


@dataclass(frozen=True, slots=True)
class ChosenEngines:
    """What reads the images of one extraction; one of both at least.

    Attributes:
        lines: reads lines: alone, as a draft, or when the model gives up.
        vision: the language model.
        drafts: whether `lines` reads first, for a draft.
    """

    lines: PageEngine | None
    vision: VisionReader | None = None
    drafts: bool = False

    @property
    def main(self) -> EngineDescription:
        """Return the engine whose text counts."""
        engine = self.vision or self.lines
        if engine is None:
            raise RuntimeError("Nothing was chosen.")
        return engine.description

    def text_format(self, wanted: TextFormat | None) -> TextFormat:
        """Return the form that the text of images will have unless something goes wrong."""
        return wanted or (TextFormat.MARKDOWN if self.main.writes_markdown else TextFormat.PLAIN)


class Engines:
    """All engines that there are."""

    def __init__(
        self, lines: Sequence[PageEngine], vision: VisionReader | None = None, default: str = ""
    ) -> None:
        """Take the engines that read lines, the usual one first, and a language model.

        Args:
            lines: at least one.
            vision: if there is one.
            default: the name of the engine that reads unless callers choose; empty: the first.
        """
        self._lines = tuple(lines)
        self._vision = vision
        self._default = default

    @property
    def descriptions(self) -> list[EngineDescription]:
        """Return what the engines are, the default one first."""
        every = [engine.description for engine in self._lines]
        if self._vision:
            every.append(self._vision.description)
        return sorted(every, key=lambda engine: engine.name != self._default)

    @property
    def qualities(self) -> list[Quality]:
        """Return the qualities that can be asked for."""
        return list(Quality) if self._vision else [Quality.FINAL]

    def is_vision(self, name: str) -> bool:
        """Return whether an engine is the language model."""
        return self._vision is not None and self._vision.description.name == name

    def ready_workers_of(self, name: str) -> int:
        """Return how many pages an engine can read at once; 0 for one that is not there."""
        if self._vision and self._vision.description.name == name:
            return self._vision.ready_workers
        return next((e.ready_workers for e in self._lines if e.description.name == name), 0)

    def choose(self, options: ExtractOptions) -> ChosenEngines:
        """Return what reads images as these options ask.

        Raises:
            InvalidOption: a subclass that says which of the options no engine can honour.
        """
        drafts = options.quality is Quality.DRAFT_THEN_FINAL
        vision = self._vision.description if self._vision else None
        if drafts and (vision is None or options.engine not in ("", vision.name)):
            raise QualityNotSupported
        candidates = [vision] if drafts and vision else self._named(options.engine)
        chosen = _fitting(candidates, options)
        if vision is None or chosen.name != vision.name:
            return ChosenEngines(self._reading_lines([chosen.name]))
        own = [engine.description for engine in self._lines]
        reader = self._reading_lines([e.name for e in _readers(own, options.languages)])
        if drafts and reader is None:
            raise QualityNotSupported
        return ChosenEngines(reader, self._vision, drafts)

    def _named(self, name: str) -> list[EngineDescription]:
        if not name:
            return self.descriptions
        named = [engine for engine in self.descriptions if engine.name == name]
        if not named:
            available = ", ".join(engine.name for engine in self.descriptions)
            raise EngineNotAvailable(name, available)
        return named

    def _reading_lines(self, names: list[str]) -> PageEngine | None:
        return next((e for e in self._lines if e.description.name in names), None)


def _fitting(engines: list[EngineDescription], options: ExtractOptions) -> EngineDescription:
    """Return the first of the engines that can do all that is asked."""
    names = ", ".join(engine.name for engine in engines)
    if options.prompt:
        engines = [engine for engine in engines if engine.takes_prompt]
        if not engines:
            raise PromptNotSupported(names)
    if options.words:
        engines = [engine for engine in engines if engine.gives_words]
        if not engines:
            raise WordsNotSupported(names)
    readers = _readers(engines, options.languages)
    if not readers:
        raise _not_read(options.languages, engines)
    return readers[0]


def _readers(
    engines: list[EngineDescription], languages: tuple[str, ...]
) -> list[EngineDescription]:
    return [engine for engine in engines if all(engine.reads(code) for code in languages)]


def check_fits(kind: DocumentKind, options: ExtractOptions, choice: ChosenEngines) -> None:
    """Refuse a form of text that images of this kind of document cannot be given in.

    Raises:
        TextFormatNotSupported: saying why.
    """
    form, wanted = FORMATS[kind], options.text_format
    if wanted is None or (form.markdown and (not choice.vision or options.skip_pictures)):
        return
    if wanted is TextFormat.MARKDOWN and not form.markdown:
        if not choice.main.writes_markdown:
            raise TextFormatNotSupported(kind.value, "has no structure to give as Markdown")
        if form.text_layer and options.mode is not Mode.FORCE_OCR:
            raise TextFormatNotSupported(
                kind.value, "may carry plain text of its own; ask for MODE_FORCE_OCR as well"
            )
    if choice.vision and not choice.vision.supports(wanted):
        raise TextFormatNotSupported(
            kind.value, f"is read by an engine that does not write {wanted.value} text"
        )


def _not_read(languages: tuple[str, ...], engines: list[EngineDescription]) -> LanguageNotSupported:
    available = sorted({code for engine in engines for code in engine.languages})
    unread = (
        language for language in languages if not any(engine.reads(language) for engine in engines)
    )
    # Each may be read by somebody, and all of them by nobody.
    language = next(unread, languages[-1])
    names = ", ".join(engine.name for engine in engines)
    return LanguageNotSupported(language, names, tuple(available))
