import pytest

from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.errors import InvalidPages, PageOutOfRange
from ocr_grpc.extraction.options import ExtractOptions, select_pages


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


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (ExtractOptions(dpi=49), "INVALID_OPTION"),
        (ExtractOptions(dpi=601), "INVALID_OPTION"),
        (ExtractOptions(dpi=-1), "INVALID_OPTION"),
        (ExtractOptions(languages=("de",) * 17), "INVALID_OPTION"),
        (ExtractOptions(prompt="x" * 4_001), "INVALID_OPTION"),
        (ExtractOptions(pages="x"), "INVALID_PAGES"),
    ],
)
def test_an_option_that_can_never_be_honoured_is_refused(options, reason):
    with pytest.raises(InvalidOption) as refused:
        options.check()
    assert refused.value.reason == reason
    assert refused.value.field.startswith("options.")


def test_options_that_can_be_honoured_pass():
    assert ExtractOptions(dpi=300, languages=("en",) * 16, pages="1-").check() is None
