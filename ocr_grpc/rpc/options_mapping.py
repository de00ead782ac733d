"""Between `options.proto` and the options of an extraction: pure functions, field by field."""

from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.options import ExtractOptions, Mode, Quality
from ocr_grpc.model import TextFormat
from ocr_grpc.v1 import options_pb2

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


_QUALITIES = {
    options_pb2.QUALITY_UNSPECIFIED: Quality.FINAL,
    options_pb2.QUALITY_FINAL: Quality.FINAL,
    options_pb2.QUALITY_DRAFT_THEN_FINAL: Quality.DRAFT_THEN_FINAL,
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
        quality=_quality(options.quality),
        words=options.words,
        skip_cache=options.skip_cache,
    )


def options_to_proto(options: ExtractOptions) -> options_pb2.ExtractOptions:
    """Return options as they were asked for, without the password."""
    form = options.text_format
    return options_pb2.ExtractOptions(
        mode=mode_to_proto(options.mode),
        pages=options.pages,
        dpi=options.dpi,
        languages=options.languages,
        engine=options.engine,
        prompt=options.prompt,
        text_format=text_format_to_proto(form) if form else options_pb2.TEXT_FORMAT_UNSPECIFIED,
        skip_pictures=options.skip_pictures,
        page_image_side_px=options.page_image_side_px,
        quality=quality_to_proto(options.quality),
        words=options.words,
        skip_cache=options.skip_cache,
    )


def _quality(wanted: options_pb2.Quality.ValueType) -> Quality:
    if wanted not in _QUALITIES:
        raise InvalidOption(
            f"{wanted} is no quality that this server knows.",
            field="options.quality",
            quality=wanted,
        )
    return _QUALITIES[wanted]


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


def quality_to_proto(quality: Quality) -> options_pb2.Quality.ValueType:
    """Return a quality as its enum value."""
    return options_pb2.Quality.Value(f"QUALITY_{quality.name}")


def mode_to_proto(mode: Mode) -> options_pb2.Mode.ValueType:
    """Return a mode as its enum value."""
    return options_pb2.Mode.Value(f"MODE_{mode.name}")
