import numpy as np
import pytest

from ocr_grpc.engines.ppocr.backend import Steps
from ocr_grpc.engines.ppocr.decoding import alphabet_of, decode_greedy
from ocr_grpc.engines.ppocr.words import decode_words

CHARACTERS = "abc，是的か\u3099\u3000\x07\u0301"
ALPHABET = alphabet_of(tuple(CHARACTERS))
BLANK_STRIP = np.full((48, 160, 3), 255, np.uint8)


def steps(text: str) -> Steps:
    """Return steps that spell a text; `_` is the blank."""
    labels = [0 if c == "_" else ALPHABET.index(c) for c in text]
    places = np.arange(len(labels), dtype=np.float32)
    return Steps(np.array(labels, np.int32), (1 - places / 100).astype(np.float32))


def texts(text: str) -> list[str]:
    return [span.text for span in decode_words(steps(text), ALPHABET, BLANK_STRIP, 160)]


@pytest.mark.parametrize(
    ("spelled", "words"),
    [
        ("ab_ c__ ba", ["ab", "c", "ba"]),
        ("  a  ", ["a"]),
        ("a\u3000b", ["a", "b"]),
        ("a，b", ["a,b"]),
        ("a\u0301b c", ["áb", "c"]),
        ("a \x07 b", ["a", "b"]),
        ("___", []),
        ("是的，ab c是", ["是", "的", "，", "ab", "c", "是"]),
        ("か\u3099是", ["が", "是"]),
    ],
)
def test_words_are_the_line_parted_at_spaces_and_at_letters_that_need_none(
    spelled: str, words: list[str]
):
    assert texts(spelled) == words
    line = decode_greedy(steps(spelled), ALPHABET).text
    joined = " ".join(words) if line.isascii() or "á" in line else "".join(words)
    assert joined == (line if joined.count(" ") else line.replace(" ", ""))


def test_a_word_is_as_sure_as_its_characters_are_in_the_mean():
    first, second = decode_words(steps("ab c"), ALPHABET, BLANK_STRIP, 160)
    assert first.confidence == pytest.approx(0.995)
    assert second.confidence == pytest.approx(0.97)


def test_words_end_where_their_ink_does_even_if_seen_a_little_late():
    strip = BLANK_STRIP.copy()
    strip[10:40, 5:30] = strip[10:40, 50:90] = 0
    # `a` is seen at 32 to 40, in the blank behind it.
    first, second = decode_words(steps("_b__a_ _bc"), ALPHABET, strip, 120)
    assert (first.start, first.end) == (5, 30)
    assert (second.start, second.end) == (50, 90)


def test_underlined_words_meet_in_the_middle():
    strip = BLANK_STRIP.copy()
    strip[40:42] = 0
    first, second = decode_words(steps("a__ __b"), ALPHABET, strip, 56)
    assert first.end == second.start == pytest.approx(28)
    assert first.start < first.end
