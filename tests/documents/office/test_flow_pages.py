import base64
import io

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office.flow.flow import reopened
from ocr_grpc.documents.protocol import MAX_WRITTEN_CHARACTERS, Failure, ReaderFailure
from tests.documents.conftest import opening
from tests.documents.office.flow_samples import opened, pages, picture, shown

SENTENCE = "The quick brown fox jumps over the lazy dog. "


def html(*paragraphs: str) -> str:
    return "".join(f"<p>{each}</p>" for each in paragraphs)


def test_a_page_ends_with_the_paragraph_that_makes_it_3000_characters_long():
    paragraph = SENTENCE * 20  # 900 characters
    lengths = [len(page) for page in pages(html(*[paragraph] * 9), DocumentKind.HTML)]
    assert len(lengths) == 3
    assert lengths[0] == lengths[1] > 3000 > lengths[2]


def test_a_paragraph_is_never_cut():
    first, second = pages(html(SENTENCE * 1000, "Next."), DocumentKind.HTML)
    assert first == (SENTENCE * 1000).strip()
    assert second == "Next."


def test_a_heading_goes_to_the_page_of_its_text():
    heading = "Here the page would end if it were not for this"
    text = html(SENTENCE * 66) + f"<h2>{heading}</h2>" + html("Now.")
    assert pages(text, DocumentKind.HTML)[1] == f"## {heading}\n\nNow."


def test_a_long_list_goes_on_with_its_numbers_on_the_next_page():
    items = "".join(f"<li>{SENTENCE * 10}</li>" for _ in range(10))
    first, second = pages(f"<ol>{items}</ol>", DocumentKind.HTML)
    assert first.startswith("1.  The quick")
    assert first.count("\n") == 6
    assert second.startswith("8.  The quick")


def test_a_table_stays_on_one_page():
    rows = "".join(f"<tr><td>{SENTENCE}</td><td>{at}</td></tr>" for at in range(200))
    (page,) = pages(f"<table>{rows}</table>", DocumentKind.HTML)
    assert page.count("quick") == 200


def test_a_table_no_page_can_hold_is_cut_with_its_headings_repeated():
    rows = "".join(f"<tr><td>{SENTENCE * 9}</td><td>{at}</td></tr>" for at in range(400))
    table = f"<table><tr><th>Words</th><th>Number</th></tr>{rows}</table>"
    found = pages(table, DocumentKind.HTML)
    assert len(found) > 1
    assert all(len(page) <= MAX_WRITTEN_CHARACTERS for page in found)
    assert all(page.startswith("| Words") for page in found)
    assert sum(page.count("quick") for page in found) == 9 * 400


@pytest.mark.parametrize("tag", ["p", "pre", "li", "blockquote"])
@pytest.mark.parametrize("text", ["word " * 20_000, "x" * 200_000])
def test_text_no_page_can_hold_is_cut(tag: str, text: str):
    found = pages(f"<{tag}>{text}</{tag}>", DocumentKind.HTML, markdown=False)
    assert len(found) > 1
    assert all(len(page) <= MAX_WRITTEN_CHARACTERS for page in found)
    assert sum(page.count(text[0]) for page in found) == text.count(text[0])


def test_a_document_of_nothing_is_one_blank_page():
    document = opened("", DocumentKind.HTML)
    assert document.page_count == 1
    assert document.structured(0, markdown=True)["segments"] == []
    assert document.inspect(0, 0)["blank"]


def test_too_many_pages_are_refused():
    text = html(*[SENTENCE * 70] * 6)
    with pytest.raises(ReaderFailure) as refused:
        opened(text, DocumentKind.HTML, max_pages=5)
    assert refused.value.code is Failure.TOO_MANY_PAGES
    assert refused.value.fields == {"found": 6}


def test_a_second_reader_finds_the_pages_in_the_scratch_file():
    scratch = io.BytesIO()
    text = html(*[SENTENCE * 70] * 40) + '<img src="data:image/png;base64,'
    text += base64.b64encode(picture()).decode() + '">'
    first = opened(text, DocumentKind.HTML, scratch=scratch)
    asked = opening(io.BytesIO(b"is not looked at"), None)
    object.__setattr__(asked, "scratch", scratch)
    second = reopened(asked)
    assert second is not None
    assert second.kind is DocumentKind.HTML
    assert second.page_count == first.page_count == 41
    assert shown(second, 40) == "<0>"
    assert shown(second, 17, markdown=False) == (SENTENCE * 70).strip()


@pytest.mark.parametrize("kept", [b"", b"half a page", b"x" * 100])
def test_a_scratch_file_whose_writer_died_is_ignored(kept: bytes):
    asked = opening(io.BytesIO(b""), None)
    object.__setattr__(asked, "scratch", io.BytesIO(kept))
    assert reopened(asked) is None


def test_nesting_that_no_person_would_write_is_refused_or_read_but_never_a_crash():
    for deep in ("<div>" * 50_000, "<blockquote>" * 5_000, "<ul><li>" * 3_000):
        try:
            document = opened(f"{deep}text", DocumentKind.HTML)
            document.structured(0, markdown=True)
        except ReaderFailure as failure:
            assert failure.code in (Failure.CORRUPT, Failure.MEMORY)  # noqa: PT017


def test_a_page_that_is_not_there_is_refused():
    with pytest.raises(ReaderFailure):
        opened("text", DocumentKind.HTML).structured(1, markdown=True)
