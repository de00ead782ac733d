"""Between the messages of `protos/ocr_grpc/v1` and the domain: pure functions, field by field."""

from typing import TYPE_CHECKING

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.extraction import events
from ocr_grpc.model import Line, Polygon
from ocr_grpc.rpc import options_mapping
from ocr_grpc.rpc.status import status_of
from ocr_grpc.v1 import (
    document_pb2,
    engine_pb2,
    extraction_pb2,
    options_pb2,
    page_pb2,
    usage_pb2,
)

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer


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
        takes_prompt=engine.takes_prompt,
        gives_words=engine.gives_words,
        gives_blocks=engine.gives_blocks,
        writes_markdown=engine.writes_markdown,
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
        tokens_estimated=usage.tokens_estimated,
    )


def provenance_to_proto(provenance: events.Provenance) -> page_pb2.Provenance:
    """Return how a page was read as a message."""
    message = page_pb2.Provenance(
        source=source_to_proto(provenance.source),
        dpi=provenance.dpi,
        mode=options_mapping.mode_to_proto(provenance.mode),
        text_layer_rejected=provenance.text_layer_rejected,
        attempts=provenance.attempts,
        picture_count=provenance.picture_count,
        alphabet=provenance.alphabet,
        fallback_from=provenance.fallback_from,
        cached=provenance.cached,
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
        mode=options_mapping.mode_to_proto(event.mode),
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
        text_format=options_mapping.text_format_to_proto(event.text_format),
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


def fill_delta(message: extraction_pb2.TextDelta, event: events.Delta) -> None:
    """Write lines or blocks into a message.

    In place, as these are most of all events: a message that is handed over is copied, and one of
    lines, polygons and points a copy of copies.
    """
    message.page_number = event.page_number
    message.revision = event.revision
    message.text = event.text
    for line in event.lines:
        _fill_line(message.lines.add(), line)
    for block in event.blocks:
        filled = message.blocks.add()
        filled.label = block.label
        filled.offset = block.offset
        _fill_points(filled.polygon, block.polygon)


def _fill_line(message: page_pb2.Line, line: Line) -> None:
    message.text = line.text
    message.confidence = line.confidence
    _fill_points(message.polygon, line.polygon)
    for word in line.words:
        filled = message.words.add()
        filled.text = word.text
        filled.confidence = word.confidence
        _fill_points(filled.polygon, word.polygon)


def _fill_points(
    points: "RepeatedCompositeFieldContainer[page_pb2.Point]", polygon: Polygon
) -> None:
    for point in polygon:
        filled = points.add()
        filled.x = point.x
        filled.y = point.y


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
            options_mapping.text_format_to_proto(event.text_format)
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
