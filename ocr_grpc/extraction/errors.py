"""What can be wrong with what a caller asks for, or with the work as a whole."""

from ocr_grpc.errors import InvalidOption, OcrError


class InvalidPages(InvalidOption):
    """The page list is not written as `1,3-5,9-`."""

    reason = "INVALID_PAGES"

    def __init__(self, pages: str) -> None:
        super().__init__(
            "Pages must be numbers and ranges such as 1,3-5,9- counted from 1.",
            field="options.pages",
            pages=pages[:40],
        )


class PageOutOfRange(InvalidOption):
    """The document does not have that page."""

    reason = "PAGE_OUT_OF_RANGE"

    def __init__(self, page: int, page_count: int) -> None:
        super().__init__(
            f"Page {page} was asked for, but the document has {page_count}.",
            field="options.pages",
            page=page,
            page_count=page_count,
        )


class LanguageNotSupported(InvalidOption):
    """No engine reads all of the languages; `language` is one that is in the way."""

    reason = "LANGUAGE_NOT_SUPPORTED"

    def __init__(self, language: str, engine: str, available: tuple[str, ...]) -> None:
        super().__init__(
            f"{language[:40]!r} is not read here, or not together with the others (engines: "
            f"{engine}); GetCapabilities lists what is read.",
            field="options.languages",
            language=language[:40],
            engine=engine,
            available=",".join(available),
        )


class EngineNotAvailable(InvalidOption):
    """This server has no engine of that name."""

    reason = "ENGINE_NOT_AVAILABLE"

    def __init__(self, engine: str, available: str) -> None:
        super().__init__(
            f"There is no engine {engine[:40]!r} here; available: {available}.",
            field="options.engine",
            engine=engine[:40],
            available=available,
        )


class PromptNotSupported(InvalidOption):
    """The engine is no language model."""

    reason = "PROMPT_NOT_SUPPORTED"

    def __init__(self, engine: str) -> None:
        super().__init__(
            f"The engine {engine} takes no prompt.", field="options.prompt", engine=engine
        )


class QualityNotSupported(InvalidOption):
    """There is no language model that could follow a draft, or nothing that could draft."""

    reason = "QUALITY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__(
            "A draft and then a final reading need a vision-language engine, and another one that "
            "reads the same languages; leave the quality out.",
            field="options.quality",
        )


class WordsNotSupported(InvalidOption):
    """The engine does not know where words are."""

    reason = "WORDS_NOT_SUPPORTED"

    def __init__(self, engine: str) -> None:
        super().__init__(
            f"The engine {engine} does not know where words are.",
            field="options.words",
            engine=engine,
        )


class ModeNotSupported(InvalidOption):
    """Documents of this kind have no text layer, or no page images."""

    reason = "MODE_NOT_SUPPORTED"

    def __init__(self, kind: str, because: str) -> None:
        super().__init__(
            f"A document of the kind {kind} {because}; leave the mode out.",
            field="options.mode",
            kind=kind,
        )


class TextFormatNotSupported(InvalidOption):
    """Neither documents of this kind nor the engine have text of that form."""

    reason = "TEXT_FORMAT_NOT_SUPPORTED"

    def __init__(self, kind: str, because: str) -> None:
        super().__init__(
            f"A document of the kind {kind} {because}; leave the text format out.",
            field="options.text_format",
            kind=kind,
        )


class QueueFull(OcrError):
    """Too many extractions are waiting, of everybody or of this caller."""

    reason = "QUEUE_FULL"

    def __init__(self, limit: int, scope: str, setting: str, retry_after_seconds: float) -> None:
        super().__init__(
            f"{limit} extractions of {scope} are already under way or waiting. "
            f"Try again in {retry_after_seconds:g} s.",
            limit=limit,
            scope=scope,
            setting=setting,
        )
        self.retry_after_seconds = retry_after_seconds


class MemoryFull(OcrError):
    """The documents inside messages together take more memory than allowed."""

    reason = "MEMORY_FULL"

    def __init__(self, limit_bytes: int, retry_after_seconds: float) -> None:
        super().__init__(
            f"Documents inside messages may take {limit_bytes} bytes together. Try again in "
            f"{retry_after_seconds:g} s, or use UploadExtract, which keeps them on disk.",
            limit=limit_bytes,
            setting="MAX_INLINE_TOTAL_BYTES",
        )
        self.retry_after_seconds = retry_after_seconds


class ShuttingDown(OcrError):
    """The server stops, and the grace of running calls is over."""

    reason = "SHUTTING_DOWN"
    retry_after_seconds = 1.0

    def __init__(self) -> None:
        super().__init__("This server is shutting down. Try again at once; another will answer.")


class DpiLowered(OcrError):
    """The page was rendered at a lower resolution than asked for; it is read all the same."""

    reason = "DPI_LOWERED"

    def __init__(self, asked: int, used: float) -> None:
        super().__init__(
            f"At {asked} dpi the page has too many pixels; it was read at {used:.0f} dpi.",
            asked=asked,
            used=round(used),
        )


class PictureUnreadable(OcrError):
    """A picture inside the text of a page could not be read; the rest of the page was."""

    reason = "PICTURE_UNREADABLE"

    def __init__(self, page_number: int, error: OcrError) -> None:
        super().__init__(
            f"A picture on page {page_number} could not be read ({error.reason}); the text was.",
            page=page_number,
            why=error.reason,
        )


class PicturesLeftOut(OcrError):
    """A page has more pictures than are read on one; the first ones were read."""

    reason = "TOO_MANY_PICTURES"

    def __init__(self, page_number: int, left_out: int) -> None:
        super().__init__(
            f"Page {page_number} has {left_out} more pictures than are read on a page "
            "(MAX_PICTURES_PER_PAGE); they were left out.",
            page=page_number,
            left_out=left_out,
            setting="MAX_PICTURES_PER_PAGE",
        )


class SequenceOutOfRange(InvalidOption):
    """Nobody was ever sent an event of that number."""

    reason = "SEQUENCE_OUT_OF_RANGE"

    def __init__(self, after_sequence: int, last_sequence: int) -> None:
        super().__init__(
            f"The newest event has the number {last_sequence}, so nothing comes after "
            f"{after_sequence}.",
            field="after_sequence",
            after_sequence=after_sequence,
            last_sequence=last_sequence,
        )
