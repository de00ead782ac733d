"""What Tesseract writes is taken apart; the rows are in its own form."""

from ocr_grpc.engines.tesseract.tsv import lines
from ocr_grpc.model import Separator, box, joined

HEAD = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


def word(text: str, place: str = "1 1 1", at: str = "0 0 10 10", confidence: float = 90) -> str:
    block, paragraph, line = place.split()
    numbers = "\t".join(at.split())
    return f"5\t1\t{block}\t{paragraph}\t{line}\t1\t{numbers}\t{confidence}\t{text}"


def tsv(*rows: str) -> str:
    return "\n".join([HEAD, "1\t1\t0\t0\t0\t0\t0\t0\t500\t500\t-1\t", *rows, ""])


def test_words_are_joined_to_lines_and_lines_to_paragraphs():
    text = tsv(
        word("One"), word("line"), word("next", "1 1 2"), word("par.", "1 2 1"), word("b", "2 1 1")
    )
    assert joined(list(lines(text))) == "One line\nnext\n\npar.\n\nb"


def test_a_page_without_words_has_no_lines():
    assert list(lines(tsv(word(" ")))) == []
    assert list(lines("")) == []


def test_a_line_spans_its_words_and_is_as_sure_as_its_characters():
    text = tsv(
        word("a", at="10 20 5 8", confidence=100), word("bcd", at="20 18 30 10", confidence=60)
    )
    (line,) = lines(text, words=True)
    assert line.polygon == box(10, 18, 50, 28)
    assert line.confidence == 0.7
    assert [(each.text, each.confidence) for each in line.words] == [("a", 1.0), ("bcd", 0.6)]
    assert line.words[1].polygon == box(20, 18, 50, 28)


def test_words_come_only_where_they_were_asked_for():
    assert [line.words for line in lines(tsv(word("a")))] == [()]


def test_a_part_of_a_page_stands_where_it_was_cut_out():
    (line,) = lines(tsv(word("a", at="1 2 3 4")), Separator.BLOCK, 100, 1000, words=True)
    assert line.separator is Separator.BLOCK
    assert line.polygon == line.words[0].polygon == box(101, 1002, 104, 1006)


def test_scripts_without_spaces_get_none_but_where_a_gap_is():
    close = tsv(word("東京", at="0 0 40 20"), word("都", at="41 0 20 20"))
    apart = tsv(word("東京", at="0 0 40 20"), word("都", at="90 0 20 20"))
    thai = tsv(word("สวัสดี", at="0 0 40 20"), word("ครับ", at="42 0 20 20"))
    mixed = tsv(word("東京", at="0 0 40 20"), word("2026", at="41 0 20 20"))
    texts = [joined(list(lines(each))) for each in (close, apart, thai, mixed)]
    assert texts == ["東京都", "東京 都", "สวัสดีครับ", "東京 2026"]


def test_marks_of_direction_are_left_out_and_the_order_is_kept():
    text = tsv(word("נקרא", at="90 0 9 9"), word("Windows\u200f", at="50 0 30 9"), word("250"))
    assert joined(list(lines(text))) == "נקרא Windows 250"


def test_text_is_composed():
    assert joined(list(lines(tsv(word("e\u0301te\u0301"))))) == "été"


def test_rows_that_are_no_words_are_passed_over():
    assert list(lines(tsv("5\t1\t1", "nonsense", "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t"))) == []
