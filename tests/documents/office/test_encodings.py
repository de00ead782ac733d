import pytest

from ocr_grpc.documents.office.encodings import decode
from ocr_grpc.documents.protocol import Failure, ReaderFailure

TEXTS = {
    "German": "Fünf größere Übungen über Straßen und Gemüse. Äpfel, Öl und Überraschung.\n",
    "Russian": "Съешь же ещё этих мягких французских булок, да выпей чаю. Привет, мир!\n",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    "Chinese": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心。\n",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.\n",
    "French": "Les élèves étudient à l'école ; où êtes-vous allé, mon cœur ? Voilà, déjà.\n",
    "Polish": "Zażółć gęślą jaźń. Książka leży na półce, a dzieci śpią już w łóżku.\n",
    "Turkish": "Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul güzel bir şehir.\n",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.\n",
}
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]


@pytest.mark.parametrize("encoding", [*UNICODE, "utf-32-be"])
@pytest.mark.parametrize("language", TEXTS)
def test_every_form_of_unicode_is_told_with_and_without_a_mark(language: str, encoding: str):
    assert decode(TEXTS[language].encode(encoding)) == TEXTS[language]


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("German", "cp1252"),
        ("French", "cp1252"),
        ("Polish", "cp1250"),
        ("Turkish", "cp1254"),
        ("Russian", "cp1251"),
        ("Russian", "koi8-r"),
        ("Russian", "cp866"),
        ("Japanese", "shift_jis"),
        ("Japanese", "euc_jp"),
        ("Japanese", "iso2022_jp"),
        ("Chinese", "gb18030"),
        ("Korean", "euc_kr"),
        ("Greek", "cp1253"),
    ],
)
def test_older_encodings_are_guessed_from_one_line_of_text(language: str, encoding: str):
    assert decode(TEXTS[language].encode(encoding)) == TEXTS[language]


def test_what_is_declared_wins_over_a_guess_but_not_over_utf_8():
    assert decode("é".encode("cp1250"), "windows-1250") == "é"
    assert decode("é".encode(), "windows-1250") == "é"


def test_latin_1_is_declared_by_those_who_mean_windows_1252():
    assert decode(b"\x93quoted\x94", "iso-8859-1") == "“quoted”"


@pytest.mark.parametrize("declared", ["zlib", "no-such-encoding", "\0", "hex", "x" * 1000])
def test_an_encoding_that_is_none_is_not_believed(declared: str):
    assert decode(b"caf\xe9 au lait", declared) == "café au lait"


def test_one_damaged_letter_does_not_change_the_others():
    text = TEXTS["Russian"] * 5
    assert decode(text.encode() + b"\xff") == text + "\ufffd"


@pytest.mark.parametrize(
    "content", [bytes(100), bytes(range(256)) * 4, b"\x7fELF" + bytes(50) + bytes(range(200))]
)
def test_what_is_no_text_is_refused(content: bytes):
    with pytest.raises(ReaderFailure) as refused:
        decode(content)
    assert refused.value.code is Failure.UNKNOWN_FORMAT
