import random
import string
import unicodedata

import pytest

from ocr_grpc.documents.usability import Evidence, why_unusable
from tests.documents.languages import LATIN, OTHER


def verdict(text: str, **facts) -> str:
    standard = {"unmapped_share": 0, "text_share": 0.3, "image_share": 0, "invisible": False}
    return why_unusable(Evidence(text, **standard | facts))


def shifted(text: str, by: int) -> str:
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(
        chr((ord(letter) - 97 + by) % 26 + 97) if "a" <= letter <= "z" else letter
        for letter in plain
    )


@pytest.mark.parametrize("language", [*LATIN, *OTHER])
def test_every_language_is_usable(language: str):
    text = (LATIN | OTHER)[language]
    assert verdict(text) == ""
    assert verdict(text.upper()) == ""
    assert verdict(unicodedata.normalize("NFD", text)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "1 234.50 17.3 % 2024-01-31 -0.003 1e-5 " * 20,
        "def f(x): return [g(i, j) for i in range(len(x)) if x[i] != y[j]] # TODO " * 5,
        "f(x) = ax^2 + bx + c, xyz = kx + d, xz yz zx " * 9,
        "JFK LAX ORD ATL DFW DEN SFO SEA LAS MCO EWR CLT PHX IAH MIA BOS MSP FLL DTW PHL " * 3,
        "0xDEADBEEF 0xCAFEBABE 4f 5a 00 ff 7e 81 " * 10,
        "Introduction ................................................ 7 " * 20,
        "Contents · · · · · · · · · · · · · · · · · · · · · · · · 7 " * 10,
        "ABC-123-XYZ KLM-456-QRS " * 20,
        "☐ yes ☐ no ☒ maybe, when asked again, and more often than not " * 3,
        "x",
        "7",
    ],
)
def test_tables_code_and_formulas_are_usable(text: str):
    assert verdict(text) == ""


@pytest.mark.parametrize("text", ["", "— … · •", "****"])
def test_a_page_without_letter_or_digit_has_none(text: str):
    assert verdict(text) == "none"


@pytest.mark.parametrize("language", ["English", "German", "French", "Spanish", "Dutch", "Polish"])
def test_a_shifted_alphabet_is_garbage(language: str):
    text = " ".join([LATIN[language]] * 3)
    assert {verdict(shifted(text, by)) for by in range(1, 26)} == {"garbage"}


@pytest.mark.parametrize("language", LATIN)
def test_glyph_numbers_taken_for_characters_are_garbage(language: str):
    # The commonest broken font: glyph 36 is "A" because a TrueType file begins so.
    glyphs = "".join(chr(ord(letter) - 29) for letter in LATIN[language] * 2 if ord(letter) > 61)
    assert verdict(glyphs) == "garbage"


def test_a_shuffled_alphabet_is_garbage():
    letters = list(string.ascii_lowercase)
    random.Random(3).shuffle(letters)
    table = str.maketrans(string.ascii_lowercase, "".join(letters))
    assert verdict(LATIN["English"].lower().translate(table) * 3) == "garbage"


@pytest.mark.parametrize("stranger", ["\ufffd", "\ue123", "\x04", "\U000f1234"])
def test_characters_that_stand_for_nothing_are_garbage(stranger: str):
    assert verdict("word" + stranger) == "garbage"
    assert verdict("a long enough word to carry one stranger" + stranger) == ""
    assert verdict(stranger * 5) == "garbage"


def test_glyphs_without_a_character_are_garbage():
    assert verdict("Plausible words", unmapped_share=0.3) == "garbage"
    assert verdict("Plausible words", unmapped_share=0.05) == ""


def test_letters_of_many_scripts_are_garbage():
    mixed = "".join(LATIN["English"][:20] + text[:20] for text in OTHER.values())
    assert verdict(mixed) == "garbage"


def test_a_stamp_over_a_scan_does_not_speak_for_the_scan():
    assert verdict("Received 3 May", text_share=0.01, image_share=0.98) == "picture"


def test_an_ocr_layer_over_a_scan_is_usable_however_short():
    assert verdict("Chapter", text_share=0.01, image_share=1.0, invisible=True) == ""


def test_a_broken_ocr_layer_over_a_scan_is_not():
    text = shifted(LATIN["English"] * 2, 5)
    assert verdict(text, image_share=1.0, invisible=True) == "garbage"


def test_words_on_a_background_picture_are_usable():
    assert verdict("Quarterly results", text_share=0.1, image_share=1.0) == ""
