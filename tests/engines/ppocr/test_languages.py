import pytest

from ocr_grpc.engines.ppocr.languages import LATIN, alphabet_for, latin_labels, supported


def test_a_language_with_a_missing_letter_is_not_claimed():
    letters = tuple("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZäöüÄÖÜ")
    assert "en" in supported(letters)
    assert "de" not in supported(letters)
    assert "de" in supported((*letters, "ß"))


def test_codes_are_sorted_and_known():
    codes = supported(tuple(map(chr, range(33, 0x9FFF))))
    assert list(codes) == sorted(codes)
    assert set(LATIN) <= set(codes)


@pytest.mark.parametrize(
    ("languages", "alphabet"),
    [
        ((), "full"),
        (("de",), "latin"),
        (("en", "FR-CA", "sr-Latn"), "latin"),
        (("en", "zh-Hans"), "full"),
        (("ja",), "full"),
    ],
)
def test_only_languages_in_latin_letters_do_with_fewer_characters(
    languages: tuple[str, ...], alphabet: str
):
    assert alphabet_for(languages) == alphabet


def test_latin_print_has_its_letters_figures_and_signs_the_blank_and_the_space():
    characters = (*"aÄ7?的かµ™“€→①", "㎏", "Ω", "！")
    labels = latin_labels(characters).tolist()
    assert labels[0] == 0
    assert labels[-1] == len(characters) + 1
    assert "".join(characters[label - 1] for label in labels[1:-1]) == "aÄ7?µ™“€→Ω"
