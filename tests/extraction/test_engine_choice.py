"""Which engine reads what a caller asks for."""

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.engine_choice import Engines, check_fits
from ocr_grpc.extraction.errors import LanguageNotSupported, TextFormatNotSupported
from ocr_grpc.extraction.options import ExtractOptions, Mode, Quality
from ocr_grpc.model import TextFormat
from tests.extraction.scripted import Lines, Vision

LATIN = Lines(name="latin", languages=("de", "en", "zh-Hant"))
CYRILLIC = Lines(name="cyrillic", languages=("en", "ru"), gives_words=False)
VISION = Vision()
DRAFTS = Quality.DRAFT_THEN_FINAL

every = Engines([LATIN, CYRILLIC], VISION, "latin")
seeing = Engines([LATIN, CYRILLIC], VISION, "vlm")
blind = Engines([LATIN, CYRILLIC], None, "latin")


@pytest.mark.parametrize(
    ("engines", "options", "name"),
    [
        (every, {}, "latin"),
        (seeing, {}, "vlm"),
        (every, {"engine": "vlm"}, "vlm"),
        (seeing, {"engine": "cyrillic"}, "cyrillic"),
        (every, {"languages": ("de-AT",)}, "latin"),
        (every, {"languages": ("DE", "zh-hant")}, "latin"),
        (every, {"languages": ("ru",)}, "cyrillic"),
        (every, {"languages": ("en", "ru")}, "cyrillic"),
        (every, {"languages": ("ja",)}, "vlm"),
        (every, {"languages": ("de", "ru")}, "vlm"),
        (every, {"prompt": "Free OCR."}, "vlm"),
        (seeing, {"words": True}, "latin"),
        (every, {"quality": DRAFTS}, "vlm"),
    ],
)
def test_the_first_engine_that_can_do_all_that_is_asked_reads(engines, options, name):
    assert engines.choose(ExtractOptions(**options)).main.name == name


@pytest.mark.parametrize(
    ("engines", "options", "reason"),
    [
        (every, {"engine": "other"}, "ENGINE_NOT_AVAILABLE"),
        (blind, {"engine": "vlm"}, "ENGINE_NOT_AVAILABLE"),
        (blind, {"prompt": "Free OCR."}, "PROMPT_NOT_SUPPORTED"),
        (every, {"engine": "latin", "prompt": "x"}, "PROMPT_NOT_SUPPORTED"),
        (every, {"engine": "cyrillic", "words": True}, "WORDS_NOT_SUPPORTED"),
        (every, {"prompt": "x", "words": True}, "WORDS_NOT_SUPPORTED"),
        (blind, {"quality": DRAFTS}, "QUALITY_NOT_SUPPORTED"),
        (every, {"quality": DRAFTS, "engine": "latin"}, "QUALITY_NOT_SUPPORTED"),
        (every, {"quality": DRAFTS, "languages": ("ja",)}, "QUALITY_NOT_SUPPORTED"),
        (blind, {"languages": ("ja",)}, "LANGUAGE_NOT_SUPPORTED"),
        (blind, {"languages": ("de", "ru")}, "LANGUAGE_NOT_SUPPORTED"),
        (every, {"languages": ("ru",), "engine": "latin"}, "LANGUAGE_NOT_SUPPORTED"),
    ],
)
def test_what_no_engine_can_do_is_refused_naming_the_field(engines, options, reason):
    with pytest.raises(InvalidOption) as refused:
        engines.choose(ExtractOptions(**options))
    assert refused.value.reason == reason
    assert refused.value.field.startswith("options.")


@pytest.mark.parametrize("language", ["ja", "zh", "", "german"])
def test_a_refused_language_names_those_that_are_read(language):
    with pytest.raises(LanguageNotSupported) as refused:
        blind.choose(ExtractOptions(languages=("en", language)))
    assert refused.value.metadata["language"] == language
    assert refused.value.metadata["available"] == "de,en,ru,zh-Hant"


def test_the_default_engine_is_listed_first():
    assert [engine.name for engine in seeing.descriptions] == ["vlm", "latin", "cyrillic"]


def test_a_draft_and_a_fallback_come_from_an_engine_that_reads_the_same_languages():
    choice = every.choose(ExtractOptions(quality=DRAFTS, languages=("ru",)))
    assert choice.drafts
    assert choice.lines is CYRILLIC
    assert every.choose(ExtractOptions(engine="vlm", languages=("ja",))).lines is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (DocumentKind.PNG, {"engine": "latin"}),
        (DocumentKind.PDF, {"engine": "latin", "mode": Mode.FORCE_OCR}),
        (DocumentKind.PDF, {"engine": "vlm"}),
    ],
)
def test_markdown_that_cannot_be_had_is_refused(kind, options):
    options = ExtractOptions(text_format=TextFormat.MARKDOWN, **options)
    with pytest.raises(TextFormatNotSupported):
        check_fits(kind, options, every.choose(options))


def test_plain_text_is_refused_by_a_model_that_writes_markdown_alone():
    options = ExtractOptions(text_format=TextFormat.PLAIN, engine="vlm")
    for kind in (DocumentKind.PNG, DocumentKind.DOCX):
        with pytest.raises(TextFormatNotSupported):
            check_fits(kind, options, every.choose(options))
    unread = ExtractOptions(text_format=TextFormat.PLAIN, engine="vlm", skip_pictures=True)
    assert check_fits(DocumentKind.DOCX, unread, every.choose(unread)) is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (DocumentKind.PNG, {"engine": "vlm"}),
        (DocumentKind.PDF, {"engine": "vlm", "mode": Mode.FORCE_OCR}),
        (DocumentKind.DOCX, {"engine": "latin"}),
    ],
)
def test_markdown_comes_from_structure_or_from_a_model(kind, options):
    options = ExtractOptions(text_format=TextFormat.MARKDOWN, **options)
    assert check_fits(kind, options, every.choose(options)) is None
