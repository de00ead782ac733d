import re

import pytest

from ocr_grpc.engines.tesseract.languages import LANGUAGES, chosen, scripts, supported, usual

INSTALLED = ("chi_sim", "deu", "eng", "fra", "osd", "por", "rus", "srp", "srp_latn", "ukr")


def test_data_is_described_by_the_codes_of_its_languages():
    assert supported(["rus", "ell", "kor", "ara", "hin", "tha", "heb", "ukr", "chi_tra"]) == (
        ("ar", "el", "he", "hi", "ko", "ru", "th", "uk", "zh-Hant")
    )


def test_what_reads_no_language_is_not_described():
    assert supported(["osd", "equ", "jpn_vert", "script/Latin", "own_training"]) == ()


def test_every_code_is_bcp_47_and_every_name_stands_once():
    names = [name for some in LANGUAGES.values() for name in some]
    tags = [tag for some in LANGUAGES.values() for code in some.values() for tag in code.split()]
    assert len(names) == len(set(names)) > 110
    assert all(re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", tag) for tag in tags)


@pytest.mark.parametrize(
    ("asked", "data"),
    [
        (("ru",), ("rus",)),
        (("ru", "en"), ("rus", "eng")),
        (("de-AT",), ("deu",)),
        (("DE-at", "de"), ("deu",)),
        (("zh",), ("chi_sim",)),
        (("zh-Hans",), ("chi_sim",)),
        (("sr",), ("srp",)),
        (("sr-Latn",), ("srp_latn",)),
        (("th", "uk"), ("ukr",)),
        ((), ()),
    ],
)
def test_hints_choose_the_data_in_their_order(asked, data):
    assert chosen(asked, INSTALLED) == data


def test_without_a_hint_the_likeliest_languages_of_one_script_are_tried():
    assert usual(INSTALLED) == ("eng", "deu", "fra")
    assert usual(INSTALLED, "Cyrillic") == ("rus", "srp", "ukr")
    assert usual(INSTALLED, "Thai") == ("eng", "deu", "fra")
    assert usual(["heb"]) == ("heb",)


def test_the_scripts_of_the_data_are_known():
    assert scripts(INSTALLED) == ("Han", "Latin", "Cyrillic")
