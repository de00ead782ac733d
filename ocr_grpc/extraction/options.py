"""What a caller can ask of an extraction, and the rules for it."""

import re
from dataclasses import dataclass, field
from enum import Enum

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.formats import FORMATS
from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.errors import InvalidPages, ModeNotSupported, PageOutOfRange
from ocr_grpc.model import TextFormat

MIN_DPI = 50
MAX_DPI = 600
MIN_SIDE_PX = 64
MAX_SIDE_PX = 2_048
"""Of a picture of a page; one of noise has some 2 MB then, and clients take messages of 4 MiB."""

MAX_LANGUAGES = 16
MAX_PAGES_CHARS = 4_000
MAX_PROMPT_CHARS = 4_000
MAX_PASSWORD_CHARS = 128

_RANGE = re.compile(r"\s*(?:(\d{1,9})|(\d{1,9})?\s*-\s*(\d{1,9})?)\s*", re.ASCII)


class Mode(Enum):
    """Where the text of a page is taken from."""

    AUTO = "auto"
    FORCE_OCR = "force_ocr"
    TEXT_LAYER_ONLY = "text_layer_only"


class Quality(Enum):
    """Which readings of a page are wanted."""

    FINAL = "final"
    DRAFT_THEN_FINAL = "draft_then_final"


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    """How a document is to be read; see `options.proto` for what each field means."""

    mode: Mode = Mode.AUTO
    pages: str = ""
    dpi: int = 0
    languages: tuple[str, ...] = ()
    engine: str = ""
    prompt: str = ""
    password: str = field(default="", repr=False)
    text_format: TextFormat | None = None
    """None leaves it to the document: Markdown if it has structure, else plain."""
    skip_pictures: bool = False
    page_image_side_px: int = 0
    """0: no pictures of pages."""
    quality: Quality = Quality.FINAL
    words: bool = False
    skip_cache: bool = False

    def check(self) -> None:
        """Refuse what can never be honoured, whatever the engine, before any work is done.

        Raises:
            InvalidOption: or one of its subclasses, naming the field.
        """
        if self.dpi and not MIN_DPI <= self.dpi <= MAX_DPI:
            raise InvalidOption(
                f"dpi must be 0 or between {MIN_DPI} and {MAX_DPI}, not {self.dpi}.",
                field="options.dpi",
                dpi=self.dpi,
                minimum=MIN_DPI,
                maximum=MAX_DPI,
            )
        side = self.page_image_side_px
        if side and not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
            raise InvalidOption(
                f"page_image_side_px must be 0 or between {MIN_SIDE_PX} and {MAX_SIDE_PX}, "
                f"not {side}.",
                field="options.page_image_side_px",
                minimum=MIN_SIDE_PX,
                maximum=MAX_SIDE_PX,
            )
        if len(self.password) > MAX_PASSWORD_CHARS:
            raise InvalidOption(
                f"A password has at most {MAX_PASSWORD_CHARS} characters.",
                field="options.password",
                maximum=MAX_PASSWORD_CHARS,
            )
        if len(self.languages) > MAX_LANGUAGES:
            raise InvalidOption(
                f"At most {MAX_LANGUAGES} languages can be given, not {len(self.languages)}.",
                field="options.languages",
                maximum=MAX_LANGUAGES,
            )
        if len(self.prompt) > MAX_PROMPT_CHARS:
            raise InvalidOption(
                f"A prompt has at most {MAX_PROMPT_CHARS} characters.",
                field="options.prompt",
                maximum=MAX_PROMPT_CHARS,
            )
        parse_ranges(self.pages)

    def check_fits(self, kind: DocumentKind) -> None:
        """Refuse what cannot be honoured for a document of this kind.

        Raises:
            InvalidOption: or one of its subclasses, naming the field.
        """
        form = FORMATS[kind]
        if self.mode is Mode.TEXT_LAYER_ONLY and not form.text_layer:
            raise ModeNotSupported(kind.value, "carries no text of its own")
        if self.mode is Mode.FORCE_OCR and form.structured:
            raise ModeNotSupported(kind.value, "has no page images to read")

    def text_format_of(self, kind: DocumentKind) -> TextFormat:
        """Return the form that the text of a document of this kind is given in."""
        default = TextFormat.MARKDOWN if FORMATS[kind].markdown else TextFormat.PLAIN
        return self.text_format or default


def parse_ranges(text: str) -> list[tuple[int, int | None]]:
    """Return the first and last page of each range of `1,3-5,9-`; None stands for the last page.

    Empty text gives no range, which means all pages.

    Raises:
        InvalidPages: it is written in another way, or a range ends before it begins.
    """
    if len(text) > MAX_PAGES_CHARS:
        raise InvalidPages(text[:40] + "…")
    if not text.strip():
        return []
    return [_parse_range(part, text) for part in text.split(",")]


def _parse_range(part: str, text: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(part)
    if match is None or not any(match.groups()):
        raise InvalidPages(text)
    single, first, last = match.groups()
    low = int(single or first or 1)
    high = int(single or last) if single or last else None
    if low < 1 or (high is not None and high < low):
        raise InvalidPages(text)
    return low, high


def select_pages(text: str, page_count: int) -> list[range]:
    """Return the pages asked for as ascending ranges that do not overlap.

    Raises:
        InvalidPages: see `parse_ranges`.
        PageOutOfRange: a page is asked for that the document does not have.
    """
    wanted = parse_ranges(text) or [(1, None)]
    bounds: list[tuple[int, int]] = []
    for low, high in wanted:
        end = page_count if high is None else high
        if low > page_count or end > page_count:
            raise PageOutOfRange(max(low, end), page_count)
        bounds.append((low, end))
    merged: list[tuple[int, int]] = []
    for low, end in sorted(bounds):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((low, end))
    return [range(low, end + 1) for low, end in merged]
