"""The result model: the events of an extraction, in the order a caller sees them.

They mirror `protos/ocr_grpc/v1/extraction.proto`, whose comments say what each field means.
"""

from dataclasses import dataclass, field
from enum import Enum

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.options import Mode
from ocr_grpc.model import Block, Line, PageGeometry, TextFormat


class TextSource(Enum):
    """Where the text of a page was taken from."""

    UNKNOWN = "unknown"
    TEXT_LAYER = "text_layer"
    IMAGE = "image"


class PageOutcome(Enum):
    """How the reading of a page ended."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Usage:
    """What was consumed; see `usage.proto`."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_chars: int = 0
    completion_chars: int = 0
    input_bytes: int = 0
    pages: int = 0
    tokens_estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.prompt_chars + other.prompt_chars,
            self.completion_chars + other.completion_chars,
            self.input_bytes + other.input_bytes,
            self.pages + other.pages,
            self.tokens_estimated or other.tokens_estimated,
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a page was really read. `engine` is absent for a text layer."""

    mode: Mode
    source: TextSource = TextSource.UNKNOWN
    engine: EngineDescription | None = None
    dpi: float = 0.0
    text_layer_rejected: str = ""
    attempts: int = 1
    picture_count: int = 0
    alphabet: str = ""
    fallback_from: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The document was opened; `engine` is absent when only text layers are wanted."""

    extraction_id: str
    kind: DocumentKind
    document_page_count: int
    page_count: int
    mode: Mode
    engine: EngineDescription | None
    queue_position: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PageStarted:
    """The reading of a page begins."""

    page_number: int
    geometry: PageGeometry
    source: TextSource
    text_format: TextFormat = TextFormat.PLAIN


@dataclass(frozen=True, slots=True)
class PageImage:
    """What a page looks like, scaled down evenly."""

    page_number: int
    content: bytes
    content_type: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Delta:
    """The next text of a page, with its lines or with the blocks that begin in it."""

    page_number: int
    text: str
    lines: tuple[Line, ...] = ()
    revision: int = 1
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Retract:
    """All text of a page beyond `offset` code points is void."""

    page_number: int
    offset: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class PageFinished:
    """A page ended; `error` is there unless it is `OK`."""

    page_number: int
    outcome: PageOutcome
    provenance: Provenance
    usage: Usage = field(default=Usage())
    text: str = ""
    revision: int = 0
    error: OcrError | None = None
    text_format: TextFormat = TextFormat.PLAIN
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Every page ended, at least one well. A last event."""

    usage: Usage
    pages_ok: int
    pages_degraded: int
    pages_failed: int
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The extraction as a whole failed. A last event."""

    error: OcrError
    usage: Usage


Event = Started | PageStarted | PageImage | Delta | Retract | PageFinished | Finished | Failed
