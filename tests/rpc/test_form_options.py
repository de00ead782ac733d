import pytest

from ocr_grpc.errors import InvalidOption
from ocr_grpc.rpc.form_options import merged_options, single_flag, single_value
from ocr_grpc.v1 import options_pb2

NONE = options_pb2.ExtractOptions()


def options(**values) -> options_pb2.ExtractOptions:
    return options_pb2.ExtractOptions(**values)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"mode": "MODE_FORCE_OCR"}, options(mode=options_pb2.MODE_FORCE_OCR)),
        ({"mode": "force-ocr"}, options(mode=options_pb2.MODE_FORCE_OCR)),
        ({"mode": "Force_OCR"}, options(mode=options_pb2.MODE_FORCE_OCR)),
        ({"options.mode": "auto"}, options(mode=options_pb2.MODE_AUTO)),
        ({"text_format": "markdown"}, options(text_format=options_pb2.TEXT_FORMAT_MARKDOWN)),
        ({"pages": "1,3-5", "options.dpi": "150"}, options(pages="1,3-5", dpi=150)),
        ({"skip_pictures": "on"}, options(skip_pictures=True)),
        ({"skip_pictures": "False"}, NONE),
        ({"page_image_side_px": "640"}, options(page_image_side_px=640)),
        ({"languages": "de, fr,,zh-Hant"}, options(languages=["de", "fr", "zh-Hant"])),
        ({"prompt": "a, b", "password": " x "}, options(prompt="a, b", password=" x ")),
        ({"engine": "", "dpi": "", "mode": ""}, NONE),
    ],
)
def test_options_are_named_as_in_the_proto(fields, wanted):
    given = {name: [value] for name, value in fields.items()}
    assert merged_options(NONE, given) == wanted


def test_languages_may_come_one_by_one():
    merged = merged_options(NONE, {"languages": ["de", "fr"], "options.languages": ["en"]})
    assert list(merged.languages) == ["de", "fr", "en"]


def test_the_query_says_what_the_form_does_not():
    first = options(dpi=150, pages="1", languages=["de"])
    merged = merged_options(first, {"mode": ["auto"], "dpi": ["150"], "languages": ["de"]})
    assert merged == options(mode=options_pb2.MODE_AUTO, dpi=150, pages="1", languages=["de"])
    assert first.mode == options_pb2.MODE_UNSPECIFIED


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"files": ["x"]}, "files"),
        ({"options.options.mode": ["auto"]}, "options.options.mode"),
        ({"mode": ["fast"]}, "options.mode"),
        ({"mode": ["2"]}, "options.mode"),
        ({"dpi": ["150.5"]}, "options.dpi"),
        ({"dpi": ["²"]}, "options.dpi"),
        ({"dpi": ["9" * 12]}, "options.dpi"),
        ({"skip_pictures": ["maybe"]}, "options.skip_pictures"),
        ({"pages": ["1", "2"]}, "pages"),
        ({"pages": ["1"], "options.pages": ["2"]}, "pages"),
    ],
)
def test_a_field_that_cannot_be_honoured_is_refused(fields, field):
    with pytest.raises(InvalidOption) as refused:
        merged_options(NONE, fields)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("first", "fields"),
    [
        (options(dpi=150), {"dpi": ["200"]}),
        (options(mode=options_pb2.MODE_AUTO), {"mode": ["force-ocr"]}),
        (options(languages=["de"]), {"languages": ["fr"]}),
    ],
)
def test_a_form_that_contradicts_the_query_is_refused(first, fields):
    with pytest.raises(InvalidOption, match="twice"):
        merged_options(first, fields)


def test_a_single_value_is_taken_from_wherever_it_is():
    assert single_value({}, "request_id", "") == ""
    assert single_value({"request_id": ["a"]}, "request_id", "") == "a"
    assert single_value({"request_id": ["", "a"]}, "request_id", "a") == "a"
    with pytest.raises(InvalidOption):
        single_value({"request_id": ["b"]}, "request_id", "a")


@pytest.mark.parametrize(
    ("values", "given", "wanted"),
    [
        ([], False, False),
        ([], True, True),
        (["true"], False, True),
        (["On", ""], True, True),
        (["0"], False, False),
    ],
)
def test_a_flag_is_said_by_the_query_or_by_the_form(values, given, wanted):
    assert single_flag({"resumable": values}, "resumable", given) is wanted


@pytest.mark.parametrize(("values", "given"), [(["no"], True), (["maybe"], False), (["1", "0"], 0)])
def test_a_flag_that_is_said_to_be_both_or_neither_is_refused(values, given):
    with pytest.raises(InvalidOption):
        single_flag({"resumable": values}, "resumable", bool(given))
