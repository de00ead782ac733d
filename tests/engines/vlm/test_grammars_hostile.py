"""What no page says and a model can be made to say: marks, nesting, controls, and no end of it."""

import json
import random
import tracemalloc
import unicodedata

import ijson
import pytest

from ocr_grpc.engines.vlm.grammars import GRAMMARS, make_grammar
from ocr_grpc.engines.vlm.grammars.json_repair import MOST_DEPTH, JsonRepair
from tests.engines.vlm.test_grammars import BOX, element, read, tag, text_of

MARKS = "\u0301\u0323\u0327\u0345"
JAMO = "\u1161\u11a8"
BEFORE, AFTER = (json.dumps(element("Text", word)) for word in ("Before.", "After."))
DEEP = f'[{BEFORE}, {{"bbox": {"[" * 40}1, {AFTER}]'


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("plain", f"a{MARKS * 30}b{MARKS * 7}\x00{MARKS}c"),
        ("plain", f"\u1100{JAMO * 40}\u1100{JAMO}"),
        ("plain", f"{MARKS * 20}{MARKS[0] * 40}\u034f\u034f{MARKS * 10}"),
        (
            "grounded",
            f"e{MARKS * 8}<\x00|ref|>text<|/r\x1bef|><|det|>[[1, 2, 3, 4]]<|/det|>{MARKS}",
        ),
        ("dots_json", DEEP),
        ("dots_json", f'[{BEFORE}, "\\{AFTER}'),
        ("dots_json", json.dumps([element("T\u202ee\x00xt", "<\x00|ref|>" + MARKS * 20)])),
        ("dots_json", " " * 90 + f"[{' ' * 70}{BEFORE}]"),
        ("dots_json", f"[{BEFORE}, x {{{' ' * 60}{BEFORE[1:]}, {{{' ' * 70}{AFTER[1:]}]"),
        ("front_matter", f"---\nis_table: no\n---{' ' * 290}\nText"),
        ("front_matter", f"---\nis_table: no\n---{' ' * 310}\nText"),
    ],
)
def test_a_hostile_answer_may_be_cut_anywhere(name: str, answer: str):
    whole = read(name, [answer])
    assert read(name, list(answer)) == whole
    for at in range(len(answer) + 1):
        assert read(name, [answer[:at], answer[at:]]) == whole, answer[:at]


def test_any_hostile_answer_may_be_cut_anywhere():
    parts = [
        "<|ref|>", "<|/ref|>", "<|det|>", "[[1, 2, 3, 4]]", "<", "\x00", MARKS * 9, JAMO * 17, "a",
        "---\n", "is_table: no\n", " " * 70, f"[{BEFORE}", BEFORE, '{"bbox": ', "[" * 9, "}", '"',
        ", ", "\\", "\u1100", "]",
    ]  # fmt: skip
    chosen = random.Random(8)
    for _ in range(150):
        answer = "".join(chosen.choices(parts, k=12))
        for name in GRAMMARS:
            assert read(name, list(answer)) == read(name, [answer]), (name, answer)


@pytest.mark.parametrize(
    "many", [f"a{MARKS * 500}", f"\u1100{JAMO * 1_000}"], ids=["marks", "jamo"]
)
def test_marks_without_end_are_not_held_back(many: str):
    grammar = make_grammar("plain")
    emitted = 0
    for fed, sign in enumerate(many, 1):
        emitted += sum(map(len, map(str, grammar.feed(sign))))
        # Some melted into others: no more than one in every two.
        assert emitted >= fed // 2 - 32
    assert unicodedata.is_normalized("NFC", text_of("plain", many))


def test_as_many_marks_as_any_script_has_stay_as_they_are():
    assert text_of("plain", f"a{MARKS[1] * 30}b") == f"\u1ea1{MARKS[1] * 29}b"


def test_deep_nesting_takes_no_memory():
    grammar = make_grammar("dots_json")
    tracemalloc.start()
    try:
        grammar.feed('[{"bbox":' + "[" * 5_000)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    grammar.finish()
    assert most_bytes < 2_000_000
    assert grammar.damaged


def test_what_stands_around_deep_nesting_is_kept():
    text, blocks = read("dots_json", [DEEP])
    assert text == "Before.\n\nAfter."
    assert [box for _, box, _ in blocks] == [BOX, BOX]


def test_brackets_in_text_nest_nothing():
    said = "[{" * MOST_DEPTH
    assert text_of("dots_json", json.dumps([element("Text", said)])) == said
    assert JsonRepair().feed("[" * MOST_DEPTH) == "[" * MOST_DEPTH
    with pytest.raises(ijson.JSONError):
        JsonRepair().feed("[" * (MOST_DEPTH + 1))
    flat = "[{}]" * (2 * MOST_DEPTH)
    assert JsonRepair().feed(flat) == flat


def test_controls_do_not_hide_a_tag():
    answer = tag("text").replace("<|", "<\x00|").replace("ref", "r\x9bef") + "Said."
    text, blocks = read("grounded", [answer])
    assert text == "Said."
    assert blocks == [("text", BOX, 0)]
    assert text_of("plain", "a<\x00|ref|>b<|\ufeffim_end|>") == "ab"
    assert text_of("front_matter", "a<\x00|ref|>b") == "ab"
    # As an escape of JSON, a control character is there only once that is read.
    assert text_of("dots_json", json.dumps([element("Text", "a<\x00|ref|>b")])) == "ab"


def test_labels_are_words():
    for category, label in {
        "List-item": "List-item",
        "page_header 2": "page_header 2",
        "表": "表",
        "Te\x00xt\u202e\u2066": "Text",
        "<script>alert(1)</script>": "scriptalert1script",
        "a\n\tb": "ab",
        "<|im_end|>": "im_end",
        "\x00" * 100 + "Text": "Text",
        "x" * 100_000: "x" * 64,
    }.items():
        # Escaped, as they are nothing to take note of before they are read.
        answer = json.dumps([element(category.replace("|", "\x01|"), "Said.")])
        assert [found for found, _, _ in read("dots_json", [answer])[1]] == [label]
    long = "a_" * 400 + "a"
    assert [len(found) for found, _, _ in read("grounded", [tag(long) + "x"])[1]] == [64]


@pytest.mark.parametrize(
    ("name", "answer"),
    [("front_matter", "---\nis_table: no\n" + " " * 400), ("dots_json", "[" + " " * 400)],
)
def test_white_space_is_not_held_back_for_ever(name: str, answer: str):
    emissions = make_grammar(name).feed(answer)
    assert sum(map(len, map(str, emissions))) >= 400
