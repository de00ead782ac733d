from ocr_grpc.engines.ppocr.languages import LATIN, supported


def test_a_language_with_a_missing_letter_is_not_claimed():
    letters = tuple("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZäöüÄÖÜ")
    assert "en" in supported(letters)
    assert "de" not in supported(letters)
    assert "de" in supported((*letters, "ß"))


def test_codes_are_sorted_and_known():
    codes = supported(tuple(map(chr, range(33, 0x9FFF))))
    assert list(codes) == sorted(codes)
    assert set(LATIN) <= set(codes)
