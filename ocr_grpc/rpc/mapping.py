"""Between the messages of `protos/ocr_grpc/v1` and the domain: pure functions, field by field."""

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction import events
from ocr_grpc.extraction.options import ExtractOptions, Mode
from ocr_grpc.model import Line, TextFormat
from ocr_grpc.rpc.status import status_of
from ocr_grpc.v1 import (
    document_pb2,
    engine_pb2,
    extraction_pb2,
    options_pb2,
    page_pb2,
    usage_pb2,
)

_MODES = {
    options_pb2.MODE_UNSPECIFIED: Mode.AUTO,
    options_pb2.MODE_AUTO: Mode.AUTO,
    options_pb2.MODE_FORCE_OCR: Mode.FORCE_OCR,
    options_pb2.MODE_TEXT_LAYER_ONLY: Mode.TEXT_LAYER_ONLY,
}
_TEXT_FORMATS: dict[options_pb2.TextFormat.ValueType, TextFormat | None] = {
    options_pb2.TEXT_FORMAT_UNSPECIFIED: None,
    options_pb2.TEXT_FORMAT_PLAIN: TextFormat.PLAIN,
    options_pb2.TEXT_FORMAT_MARKDOWN: TextFormat.MARKDOWN,
}


def options_from_proto(options: options_pb2.ExtractOptions) -> ExtractOptions:
    """Return the options of a request.

    Raises:
        InvalidOption: an enum value is a number that this version does not know.
    """
    mode = _MODES.get(options.mode)
    if mode is None:
        raise InvalidOption(
            f"{options.mode} is no mode that this server knows.",
            field="options.mode",
            mode=options.mode,
        )
    return ExtractOptions(
        mode=mode,
        pages=options.pages,
        dpi=options.dpi,
        languages=tuple(options.languages),
        engine=options.engine,
        prompt=options.prompt,
        password=options.password,
        text_format=_text_format(options.text_format),
        skip_pictures=options.skip_pictures,
        page_image_side_px=options.page_image_side_px,
    )


def _text_format(wanted: options_pb2.TextFormat.ValueType) -> TextFormat | None:
    if wanted not in _TEXT_FORMATS:
        raise InvalidOption(
            f"{wanted} is no text format that this server knows.",
            field="options.text_format",
            text_format=wanted,
        )
    return _TEXT_FORMATS[wanted]


def text_format_to_proto(form: TextFormat) -> options_pb2.TextFormat.ValueType:
    """Return a form of text as its enum value."""
    return options_pb2.TextFormat.Value(f"TEXT_FORMAT_{form.name}")


def mode_to_proto(mode: Mode) -> options_pb2.Mode.ValueType:
    """Return a mode as its enum value."""
    return options_pb2.Mode.Value(f"MODE_{mode.name}")


def kind_to_proto(kind: DocumentKind) -> document_pb2.DocumentKind.ValueType:
    """Return a format as its enum value."""
    return document_pb2.DocumentKind.Value(f"DOCUMENT_KIND_{kind.name}")


def source_to_proto(source: events.TextSource) -> page_pb2.TextSource.ValueType:
    """Return a source as its enum value."""
    if source is events.TextSource.UNKNOWN:
        return page_pb2.TEXT_SOURCE_UNSPECIFIED
    return page_pb2.TextSource.Value(f"TEXT_SOURCE_{source.name}")


def outcome_to_proto(outcome: events.PageOutcome) -> page_pb2.PageOutcome.ValueType:
    """Return an outcome as its enum value."""
    return page_pb2.PageOutcome.Value(f"PAGE_OUTCOME_{outcome.name}")


def capable_engine_to_proto(engine: EngineDescription, ready_workers: int) -> engine_pb2.EngineInfo:
    """Return an engine with the languages it reads."""
    info = engine_to_proto(engine, ready_workers)
    info.languages.extend(engine.languages)
    return info


def engine_to_proto(engine: EngineDescription, ready_workers: int) -> engine_pb2.EngineInfo:
    """Return an engine as events name it."""
    return engine_pb2.EngineInfo(
        name=engine.name,
        model=engine.model,
        model_version=engine.model_version,
        backend=engine.backend,
        precision=engine.precision,
        ready_workers=ready_workers,
    )


def line_to_proto(line: Line) -> page_pb2.Line:
    """Return a line as a message."""
    return page_pb2.Line(
        text=line.text,
        polygon=[page_pb2.Point(x=point.x, y=point.y) for point in line.polygon],
        confidence=line.confidence,
    )


def usage_to_proto(usage: events.Usage) -> usage_pb2.Usage:
    """Return what was consumed as a message."""
    return usage_pb2.Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        prompt_chars=usage.prompt_chars,
        completion_chars=usage.completion_chars,
        input_bytes=usage.input_bytes,
        pages=usage.pages,
    )


def provenance_to_proto(provenance: events.Provenance) -> page_pb2.Provenance:
    """Return how a page was read as a message."""
    message = page_pb2.Provenance(
        source=source_to_proto(provenance.source),
        dpi=provenance.dpi,
        mode=mode_to_proto(provenance.mode),
        text_layer_rejected=provenance.text_layer_rejected,
        attempts=provenance.attempts,
        picture_count=provenance.picture_count,
    )
    if provenance.engine:
        message.engine = provenance.engine.name
        message.model = provenance.engine.model
        message.model_version = provenance.engine.model_version
        message.backend = provenance.engine.backend
        message.precision = provenance.engine.precision
    return message


def started_to_proto(event: events.Started, ready_workers: int) -> extraction_pb2.ExtractionStarted:
    """Return the first event as a message."""
    return extraction_pb2.ExtractionStarted(
        extraction_id=event.extraction_id,
        kind=kind_to_proto(event.kind),
        document_page_count=event.document_page_count,
        page_count=event.page_count,
        mode=mode_to_proto(event.mode),
        engine=engine_to_proto(event.engine, ready_workers) if event.engine else None,
        queue_position=event.queue_position,
        size_bytes=event.size_bytes,
    )


def page_started_to_proto(event: events.PageStarted) -> extraction_pb2.PageStarted:
    """Return the beginning of a page as a message."""
    return extraction_pb2.PageStarted(
        page_number=event.page_number,
        width_px=event.geometry.width_px,
        height_px=event.geometry.height_px,
        dpi=event.geometry.dpi,
        source=source_to_proto(event.source),
        text_format=text_format_to_proto(event.text_format),
    )


def page_image_to_proto(event: events.PageImage) -> extraction_pb2.PageImage:
    """Return the picture of a page as a message."""
    return extraction_pb2.PageImage(
        page_number=event.page_number,
        content=event.content,
        content_type=event.content_type,
        width_px=event.width_px,
        height_px=event.height_px,
    )


def delta_to_proto(event: events.Delta) -> extraction_pb2.TextDelta:
    """Return lines as a message."""
    return extraction_pb2.TextDelta(
        page_number=event.page_number,
        revision=event.revision,
        text=event.text,
        lines=[line_to_proto(line) for line in event.lines],
    )


def retract_to_proto(event: events.Retract) -> extraction_pb2.TextRetract:
    """Return a retraction as a message."""
    return extraction_pb2.TextRetract(
        page_number=event.page_number, revision=event.revision, offset=event.offset
    )


def page_finished_to_proto(event: events.PageFinished) -> extraction_pb2.PageFinished:
    """Return the end of a page as a message."""
    return extraction_pb2.PageFinished(
        page_number=event.page_number,
        outcome=outcome_to_proto(event.outcome),
        text=event.text,
        revision=event.revision,
        usage=usage_to_proto(event.usage),
        provenance=provenance_to_proto(event.provenance),
        reason=event.error.reason if event.error else "",
        message=event.error.message if event.error else "",
        text_format=(
            text_format_to_proto(event.text_format)
            if event.revision
            else options_pb2.TEXT_FORMAT_UNSPECIFIED
        ),
        blank=event.blank,
    )


def finished_to_proto(event: events.Finished) -> extraction_pb2.ExtractionFinished:
    """Return the good end as a message."""
    return extraction_pb2.ExtractionFinished(
        usage=usage_to_proto(event.usage),
        pages_ok=event.pages_ok,
        pages_degraded=event.pages_degraded,
        pages_failed=event.pages_failed,
        duration_seconds=event.duration_seconds,
    )


def failed_to_proto(event: events.Failed) -> extraction_pb2.ExtractionFailed:
    """Return the bad end as a message."""
    return extraction_pb2.ExtractionFailed(
        status=status_of(event.error),
        reason=event.error.reason,
        usage=usage_to_proto(event.usage),
    )
