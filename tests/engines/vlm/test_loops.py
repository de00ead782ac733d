"""Repetition is noticed in time, and honest pages are left alone."""

from pathlib import Path

import pytest

from ocr_grpc.engines.vlm.grammars import make_grammar
from ocr_grpc.engines.vlm.loops import AnswerGuard, LoopGuard
from ocr_grpc.engines.vlm.profile import LoopRule
from tests.engines.vlm.texts import HEAD, HONEST, LOOPS, SENTENCE, words

REPOSITORY = Path(__file__).parents[3]
RULE = LoopRule()


def cut_of(text: str, piece_chars: int = 4) -> int | None:
    guard = LoopGuard(RULE)
    for start in range(0, len(text), piece_chars):
        if (offset := guard.feed(text[start : start + piece_chars])) is not None:
            return offset
    return None


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_cut_after_its_first_turn(name: str):
    offset = cut_of(HEAD + LOOPS[name])
    assert offset is not None
    # The first turn stays: no more than half a page, however the loop is made.
    assert len(HEAD.rstrip()) < offset <= len(HEAD) + 2_000


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_page_is_no_loop(name: str):
    assert cut_of(words(300, 7) + "\n\n" + HONEST[name] + "\n" + words(300, 8)) is None


def test_the_first_occurrence_is_kept_and_nothing_else():
    line = SENTENCE[:70] + "\n"
    offset = cut_of(HEAD + line * 100)
    assert (HEAD + line * 100)[:offset] == HEAD + line.rstrip("\n")


def test_a_counter_is_cut_after_the_first_count():
    text = HEAD + "".join(f"{number}. {SENTENCE}\n" for number in range(1, 100))
    kept = text[: cut_of(text)]
    assert kept.startswith(HEAD + "1. " + SENTENCE.strip())
    assert kept.count(SENTENCE[:40]) == 1


@pytest.mark.parametrize("name", LOOPS)
def test_pieces_do_not_matter(name: str):
    text = HEAD + LOOPS[name]
    offsets = {cut_of(text, piece_chars) for piece_chars in (1, 7, 128, 1_000, len(text))}
    assert len(offsets) == 1


def test_a_loop_late_in_a_long_answer_is_found_where_it_begins():
    honest = words(4_000, 3) + "\n\n"
    offset = cut_of(honest + LOOPS["a paragraph"])
    assert offset is not None
    assert len(honest) < offset <= len(honest) + len(SENTENCE * 3) + 2


def test_a_loop_that_ends_early_is_none():
    assert cut_of(HEAD + SENTENCE[:70] * 8 + words(200, 2)) is None


def test_documents_of_this_repository_are_no_loops():
    paths = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")]
    assert paths
    for path in paths:
        assert cut_of(path.read_text(), 1_000) is None, path.name


def test_a_long_text_without_a_line_break_passes():
    guard = LoopGuard(RULE)
    assert guard.feed(words(12_000, 5)) is None


def read_until_cut(name: str, answer: str) -> tuple[str, int | None, int]:
    """Return the text so far, where it is cut, and how much of the answer was looked at."""
    grammar, guard = make_grammar(name), AnswerGuard(RULE)
    text = ""
    for start in range(0, len(answer), 4):
        said = answer[start : start + 4]
        emitted = "".join(part for part in grammar.feed(said) if isinstance(part, str))
        text += emitted
        if (offset := guard.feed(said, emitted)) is not None:
            return text, offset, start
    return text, None, len(answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("dots_json", '[{"bbox": [1, 2, 3, 4], "category": "Text", "text": "Hi.' + "." * 20_000),
        (
            "grounded",
            "<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nHi.\n\n"
            + "".join(
                f"<|ref|>image<|/ref|><|det|>[[0, {place}, 9, {place + 5}]]<|/det|>\n\n"
                for place in range(700)
            ),
        ),
    ],
)
def test_a_loop_that_never_becomes_text_is_noticed(name: str, answer: str):
    text, offset, looked_at = read_until_cut(name, answer)
    assert offset == len(text)
    assert looked_at < len(answer) * 0.8


def test_a_loop_in_text_is_cut_and_not_only_ended():
    for name in ("plain", "grounded", "front_matter"):
        text, offset, _ = read_until_cut(name, HEAD + LOOPS["a paragraph"])
        assert offset is not None
        assert offset < len(text) - 1_000
