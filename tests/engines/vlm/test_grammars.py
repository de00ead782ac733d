"""Markup becomes blocks and never text, wherever an answer is cut into pieces."""

import json
import random

import pytest

from ocr_grpc.engines.vlm.grammars import GRAMMARS, SeenBlock, make_grammar

BOX = (1.0, 2.0, 30.0, 40.0)


def read(name: str, pieces: list[str]) -> tuple[str, list[tuple[str, object, int]]]:
    """Return the text, and each block with its label, its box and where its text begins."""
    grammar = make_grammar(name)
    emissions = [emission for piece in pieces for emission in grammar.feed(piece)]
    emissions += grammar.finish()
    text, blocks = "", []
    for emission in emissions:
        if isinstance(emission, SeenBlock):
            blocks.append((emission.label, emission.box, len(text)))
        else:
            assert emission
            text += emission
    return text, blocks


def text_of(name: str, answer: str) -> str:
    return read(name, [answer])[0]


def tag(label: str, boxes: str = "[[1, 2, 30, 40]]") -> str:
    return f"<|ref|>{label}<|/ref|><|det|>{boxes}<|/det|>"


DOCUMENT = (
    f"{tag('title')}\n# Harbours of the North\n\n{tag('image')}\n\n{tag('image_caption')}\n"
    f"Fig. 1 < Fig. 2 <b>and 3</b>\n\n{tag('text', '[[1, 2, 30, 40], [5, 6, 70, 80]]')}\nIt was "
    f"a cold day.\n\n{tag('table')}\n<table><tr><td>a</td><td>|</td></tr></table>"
    "<｜end▁of▁sentence｜>"
)
SECOND_LINE = "Une ide\u0301e"
LINES = f"{tag('First line, with text')}\n{tag(SECOND_LINE)}\n{tag('end')}"
HEAD = (
    "---\nprimary_language: en\nis_rotation_valid: False\nrotation_correction: 90\n"
    "is_table: False\nis_diagram: False\n---\n"
)


def element(category: str, text: str | None = None) -> dict[str, object]:
    parts: dict[str, object] = {"bbox": [1, 2, 30, 40], "category": category}
    return parts if text is None else {**parts, "text": text}


ELEMENTS = [
    element("Page-header", "Chapter {1}"),
    element("Title", "Überschrift"),
    element("Picture"),
    element("Section-header", "## Ready"),
    element("Formula", r"\frac{1}{2} \neq \beta"),
    element("List-item", "- one"),
    element("List-item", "- two"),
    element("Table", '<table><tr><td colspan="2">x</td></tr></table>'),
]
BROKEN = (
    '[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "He said "no" and $\\alpha$"}, '
    '{"bbox": [1, 2, 30, 40], "category": "Text", "text": "two\nlines"} '
    '{"bbox": [1, 2, 30, 40], "category": "Formula", "text": "\\frac{1}{2}"}, {"bbox": [1, 2'
)
SAMPLES = {
    "document": ("grounded", DOCUMENT),
    "lines": ("grounded", LINES),
    "corrupt": ("grounded", f"{tag('text', '[[550, s 331, 652, 345]]')}\nx{tag('text', '[[1,')}y"),
    "unclosed": ("grounded", "Before\n<|ref|>title<|det|>[[1, 2, 30, 40]]\nText\n<|det|>[[1, 2"),
    "line cut off": ("grounded", "<|ref|>A line<|/ref|> <|det|>[[1, 2, 3"),
    "nested": (
        "grounded",
        "<|ref|><|ref|>text<|/ref|><|/ref|><|det|><|det|>[[1,2,30,40]]<|/det|>a",
    ),
    "page": ("front_matter", HEAD + "\n\n# Page\n\n---\n\nText: yes\n"),
    "no head": ("front_matter", "---\n\nA page that begins with a rule: it stays.\n---\n"),
    "no head either": ("front_matter", "--- Dash\nprimary_language: en\n"),
    "head alone": ("front_matter", HEAD.rstrip()),
    "array": ("dots_json", "```json\n" + json.dumps(ELEMENTS, indent=1) + "\n```"),
    "array in UTF-8": ("dots_json", json.dumps(ELEMENTS, ensure_ascii=False)),
    "broken": ("dots_json", BROKEN),
    "no array": ("dots_json", "[1] See below.\n\n{a}"),
    "text": ("plain", "a < b <| c |> d <|im_end|>e\u0301 \x07\ufeff\u1112\u1161\u11ab<table>\n\n<"),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_an_answer_may_be_cut_anywhere(sample: str):
    name, answer = SAMPLES[sample]
    whole = read(name, [answer])
    assert read(name, list(answer)) == whole
    for at in range(len(answer) + 1):
        assert read(name, [answer[:at], answer[at:]]) == whole, answer[:at]


def test_any_answer_may_be_cut_anywhere():
    parts = [
        "<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "[[1, 2, 3, 4]]", "title", "\n", "\n\n", "<",
        "|", "---\n", "is_table: no\n", '[{"bbox": [1, 2, 3, 4], "text": "', '"}', "]", "\\", '"',
        "e", "\u0301", " ", '{"bbox"', "```json", "<｜end▁of▁sentence｜>", "text",
    ]  # fmt: skip
    chosen = random.Random(6)
    for _ in range(300):
        answer = "".join(chosen.choices(parts, k=12))
        for name in GRAMMARS:
            whole = read(name, [answer])
            assert read(name, list(answer)) == whole, (name, answer)
            assert "<|ref|>" not in whole[0]
            assert "<|det|>" not in whole[0]


def test_tags_become_blocks_where_their_text_begins():
    text, blocks = read("grounded", [DOCUMENT])
    assert text == (
        "# Harbours of the North\n\nFig. 1 < Fig. 2 <b>and 3</b>\n\nIt was a cold day.\n\n"
        "<table><tr><td>a</td><td>|</td></tr></table>"
    )
    assert [(label, text[offset : offset + 6]) for label, _, offset in blocks] == [
        ("title", "# Harb"),
        ("image", "Fig. 1"),
        ("image_caption", "Fig. 1"),
        ("text", "It was"),
        ("text", "It was"),
        ("table", "<table"),
    ]
    assert blocks[0][1] == BOX
    assert blocks[4][1] == (5.0, 6.0, 70.0, 80.0)


def test_what_is_no_label_is_the_text_of_a_line():
    text, blocks = read("grounded", [LINES])
    assert text == "First line, with text\nUne id\u00e9e\nend"
    assert [(label, box) for label, box, _ in blocks] == [("", BOX)] * 3


def test_corrupt_numbers_lose_the_box_and_not_the_text():
    numbers = ["", "[[1, 2, 3]]", "[[a, b, c, d]]", "1e9999, nan", "[[__import__('os'), 1, 2, 3]]"]
    for boxes in numbers:
        text, blocks = read("grounded", [f"{tag('text', boxes)}\nThe text."])
        assert text == "The text."
        assert [(label, box) for label, box, _ in blocks] == [("text", None)]


def test_a_number_with_a_stray_letter_is_legible():
    _, blocks = read("grounded", [f"{tag('text', '[[550, s 331, 652, 345]]')}x"])
    assert blocks == [("text", (550.0, 331.0, 652.0, 345.0), 0)]


def test_an_open_tag_at_the_end_says_nothing():
    for end in ("<|ref|>tex", "<|ref|>text<|/ref|><|det|>[[1, 2,", "<|re", "<|", "<|det|>[[1"):
        assert text_of("grounded", "Said.\n\n" + end).strip() == "Said."


def test_a_line_whose_place_was_cut_off_is_kept():
    answer = f"{tag('First line')}\n<|ref|>Last line<|/ref|><|det|>[[1, 2, 3"
    text, blocks = read("grounded", [answer])
    assert text == "First line\nLast line"
    assert [box for _, box, _ in blocks] == [BOX, None]


def test_a_tag_that_never_closes_does_not_swallow_the_page():
    page = "word " * 20_000
    assert text_of("grounded", "<|ref|>" + page) == page
    assert text_of("grounded", "<|det|>[[1, 2, 3\n" + page) == page
    kept = text_of("grounded", "<|det|>" + page)
    assert len(kept) >= len(page) - 4_001


@pytest.mark.parametrize("name", ["plain", "grounded"])
def test_a_sign_that_opens_no_tag_comes_through_at_once(name: str):
    grammar = make_grammar(name)
    grammar.feed("if a ")
    grammar.feed("<")
    # The last character waits, for a mark may follow it.
    assert grammar.feed(" b") == [" < "]


def test_text_waits_for_one_character_at_most():
    for name in ("plain", "grounded"):
        grammar = make_grammar(name)
        said = "".join(map(str, grammar.feed("Some text < that, | goes <b>on</b>")))
        assert said == "Some text < that, | goes <b>on</b"


def test_text_is_in_nfc_and_without_control_characters():
    assert text_of("plain", "e\u0301\x00\x1b[0m\r\n\u1112\u1161\u11ab\ud800\x85.") == (
        "\u00e9[0m\n\ud55c."
    )


def test_the_head_of_a_page_is_cut_off_and_its_rotation_told():
    grammar = make_grammar("front_matter")
    said = [*grammar.feed(HEAD + "\n# Page"), *grammar.finish()]
    assert "".join(map(str, said)) == "# Page"
    # It counts the other way round.
    assert grammar.turn_degrees == 270


def test_a_page_that_stands_upright_is_not_turned():
    grammar = make_grammar("front_matter")
    grammar.feed(HEAD.replace("is_rotation_valid: False", "is_rotation_valid: True"))
    assert grammar.turn_degrees == 0


def test_a_head_that_was_cut_off_is_no_text():
    for at in range(5, len(HEAD)):
        assert text_of("front_matter", HEAD[:at]) == ""


def test_a_rule_at_the_start_of_a_page_is_text():
    page = "---\n\nA page: with text.\n\n---\nMore."
    assert text_of("front_matter", page) == page


def test_elements_become_markdown():
    text, blocks = read("dots_json", [json.dumps(ELEMENTS)])
    assert text == (
        "Chapter {1}\n\n# Überschrift\n\n## Ready\n\n$$\n\\frac{1}{2} \\neq \\beta\n$$\n\n"
        '- one\n- two\n\n<table><tr><td colspan="2">x</td></tr></table>'
    )
    assert [label for label, _, _ in blocks] == [part["category"] for part in ELEMENTS]
    assert {box for _, box, _ in blocks} == {BOX}


def test_an_element_is_there_as_soon_as_it_is_complete():
    grammar = make_grammar("dots_json")
    assert grammar.feed('[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "Hi."') == []
    assert grammar.feed("}")[0] == SeenBlock("Text", BOX)


def test_what_was_complete_is_kept_of_a_broken_array():
    text, blocks = read("dots_json", [BROKEN])
    assert text == 'He said "no" and $\\alpha$\n\ntwo\nlines\n\n$$\n\\frac{1}{2}\n$$'
    assert [(label, box) for label, box, _ in blocks] == [
        ("Text", BOX),
        ("Text", BOX),
        ("Formula", BOX),
    ]


def test_an_answer_that_lost_an_element_says_so():
    whole, cut = make_grammar("dots_json"), make_grammar("dots_json")
    for grammar, answer in ((whole, json.dumps(ELEMENTS)), (cut, json.dumps(ELEMENTS)[:-30])):
        grammar.feed(answer)
        grammar.finish()
    assert not whole.damaged
    assert cut.damaged


@pytest.mark.parametrize("name", GRAMMARS)
@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 1_000_000,
        "<" * 100_000,
        "<|" * 50_000,
        "<|ref|>" * 10_000,
        "<|det|>[[" * 8_000,
        "[" * 100_000,
        '[{"bbox"' * 10_000,
        '[{"bbox": [' + "9" * 300_000,
        '[{"bbox": [1e999999999, 1, 1, 1], "text": [[[[]]]]}',
        "---\n" * 75_000,
        "---\n" + "a" * 300_000 + ":",
        "\u0301" * 50_000,
        "\\" * 100_000,
    ],
    ids=lambda hostile: hostile[:12],
)
def test_hostile_answers_end(name: str, hostile: str):
    pieces = [hostile[start : start + 20_000] for start in range(0, len(hostile), 20_000)]
    text, _ = read(name, pieces)
    assert "<|ref|>" not in text
    assert "<|det|>" not in text


def test_an_unknown_grammar_is_named():
    with pytest.raises(ValueError, match="grounded"):
        make_grammar("prose")
