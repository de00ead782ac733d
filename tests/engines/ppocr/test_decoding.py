import numpy as np
import pytest

from ocr_grpc.engines.ppocr.backend import Steps
from ocr_grpc.engines.ppocr.decoding import alphabet_of, cleaned, decode_greedy

ALPHABET = alphabet_of(("a", "b", "\u0301", "，"))
SPACE = len(ALPHABET) - 1


def steps(*labels: int, probability: float = 1.0) -> Steps:
    return Steps(np.array(labels, np.int32), np.full(len(labels), probability, np.float32))


def test_repeated_labels_are_one_character_unless_a_blank_parts_them():
    assert decode_greedy(steps(0, 1, 1, 0, 1, 2, 2, 0), ALPHABET).text == "aab"


def test_nothing_but_blanks_is_an_empty_reading_without_confidence():
    reading = decode_greedy(steps(0, 0, 0), ALPHABET)
    assert (reading.text, reading.confidence) == ("", 0.0)


def test_the_last_label_is_a_space_and_ends_are_trimmed():
    assert decode_greedy(steps(SPACE, 1, SPACE, 2, SPACE), ALPHABET).text == "a b"


def test_text_comes_in_nfc():
    assert decode_greedy(steps(1, 3), ALPHABET).text == "á"


def test_confidence_is_the_mean_over_characters_and_not_over_blanks():
    reading = decode_greedy(
        Steps(np.array([0, 1, 1, 0, 2], np.int32), np.array([0, 1, 0, 0, 0.5], np.float32)),
        ALPHABET,
    )
    assert reading.confidence == pytest.approx(0.75)


def test_a_label_outside_the_alphabet_is_refused():
    with pytest.raises(IndexError):
        decode_greedy(steps(99), ALPHABET)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("yes，no（maybe）", "yes,no(maybe)"),
        ("是，不是", "是，不是"),
        ("a\u200bb\x07c", "abc"),
        ("a\u3000b\tc", "a b c"),
    ],
)
def test_punctuation_follows_the_script_and_control_characters_go(raw: str, clean: str):
    assert cleaned(raw) == clean
