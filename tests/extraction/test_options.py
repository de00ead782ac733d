import pytest

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.errors import InvalidPages, LanguageNotSupported, PageOutOfRange
from ocr_grpc.extraction.options import ExtractOptions, select_pages

ENGINE = EngineDescription("ppocr", "m", "1", "b", "f32", ("de", "en", "zh-Hant"))


@pytest.mark.parametrize(
    ("text", "count", "pages"),
    [
        ("", 3, [1, 2, 3]),
        ("  ", 2, [1, 2]),
        ("2", 3, [2]),
        ("1,3-5,9-", 11, [1, 3, 4, 5, 9, 10, 11]),
        ("-3", 5, [1, 2, 3]),
        ("3-", 3, [3]),
        (" 4 , 1 - 2 ", 4, [1, 2, 4]),
        ("5,1,1-2", 5, [1, 2, 5]),
    ],
)
def test_pages_come_in_ascending_order_each_once(text, count, pages):
    assert [page for part in select_pages(text, count) for page in part] == pages


MALFORMED = ["0", "a", "1,,2", "5-3", "1;2", "--", "1-2-3", "-", "٣", "1" * 5000]


@pytest.mark.parametrize("text", MALFORMED)
def test_another_notation_is_refused(text):
    with pytest.raises(InvalidPages):
        select_pages(text, 10)


@pytest.mark.parametrize("text", ["4", "1-4", "4-", "2,9"])
def test_a_page_beyond_the_end_is_refused_with_the_count(text):
    with pytest.raises(PageOutOfRange) as refused:
        select_pages(text, 3)
    assert refused.value.metadata["page_count"] == "3"


def test_a_million_pages_cost_one_range():
    assert select_pages("", 10**9) == [range(1, 10**9 + 1)]


@pytest.mark.parametrize("language", ["de", "DE", "de-AT", "zh-hant"])
def test_a_language_the_engine_reads_is_accepted(language):
    assert ExtractOptions(languages=(language,)).check(ENGINE) is None


@pytest.mark.parametrize("language", ["ru", "zh", "", "german"])
def test_a_language_the_engine_cannot_read_is_refused(language):
    with pytest.raises(LanguageNotSupported) as refused:
        ExtractOptions(languages=(language,)).check(ENGINE)
    assert refused.value.metadata["available"] == "de,en,zh-Hant"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (ExtractOptions(dpi=49), "INVALID_OPTION"),
        (ExtractOptions(dpi=601), "INVALID_OPTION"),
        (ExtractOptions(dpi=-1), "INVALID_OPTION"),
        (ExtractOptions(engine="other"), "ENGINE_NOT_AVAILABLE"),
        (ExtractOptions(prompt="Free OCR."), "PROMPT_NOT_SUPPORTED"),
        (ExtractOptions(languages=("de",) * 17), "INVALID_OPTION"),
        (ExtractOptions(pages="x"), "INVALID_PAGES"),
    ],
)
def test_an_option_that_cannot_be_honoured_is_refused(options, reason):
    with pytest.raises(InvalidOption) as refused:
        options.check(ENGINE)
    assert refused.value.reason == reason
    assert refused.value.field.startswith("options.")


def test_options_that_can_be_honoured_pass():
    options = ExtractOptions(dpi=300, engine="ppocr", languages=("en",), pages="1-")
    assert options.check(ENGINE) is None
