import pytest

from benchmarks.score import (
    Difference,
    character_error,
    describe,
    differences,
    edit_distance,
    normalized,
    word_f1,
)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),  # k→s, e→i, +g
        ("Saturday", "Sunday", 3),  # -a, -t, r→n
        ("abc", "abc", 0),
        ("abcdef", "defabc", 6),
        ("naïve café", "naive cafe", 2),
        ("𝄞a", "a", 1),  # code points, not bytes
    ],
)
def test_the_edit_distance_is_the_one_counted_by_hand(first: str, second: str, distance: int):
    assert edit_distance(first, second) == distance
    assert edit_distance(second, first) == distance


def test_the_edit_distance_of_long_texts_is_exact():
    text = "the quick brown fox jumps over the lazy dog, " * 220
    changed = text.replace("lazy", "hazy").replace("brown ", "")
    assert len(text) > 9_000
    assert edit_distance(text, changed) == 220 * (1 + len("brown "))


def test_white_space_and_composition_do_not_count():
    assert normalized(" cafe\u0301 \n\n au\u00a0lait\t") == "café au lait"
    assert character_error("café\nau lait", "cafe\u0301  au lait ") == 0


def test_the_character_error_is_relative_to_the_reference():
    assert character_error("abcd", "abxd") == 0.25
    assert character_error("ab", "abcdef") == 2.0


def test_text_where_there_is_none_is_an_error():
    assert character_error("", "") == 0
    assert character_error(" ", "ink") == 3.0


def test_the_word_f1_ignores_order_and_counts_repeats():
    assert word_f1("one two three", "three one two") == 1.0
    assert word_f1("a a b", "a b b") == pytest.approx(2 * 2 / 6)
    assert word_f1("", "") == 1.0
    assert word_f1("a", "") == 0.0


def test_a_difference_stands_between_the_words_around_it():
    found = list(differences("we saw the old mill by the sea", "we saw the o1d mill by sea"))
    assert found == [
        Difference("saw the", "old", "o1d", "mill by"),
        Difference("mill by", "the", "", "sea"),
    ]
    assert str(found[0]) == "… saw the [old → o1d] mill by …"


def test_a_description_tells_misread_words_from_moved_ones():
    text = describe("left one left two right one", "right 0ne left one left two")
    assert "missing 1: one" in text
    assert "invented 1: 0ne" in text
