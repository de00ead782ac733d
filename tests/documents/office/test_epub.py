import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.protocol import MAX_WRITTEN_CHARACTERS, Failure, ReaderFailure
from tests.documents.office.flow_samples import book, opened, pages, picture


def test_each_chapter_is_a_page_in_the_order_of_reading():
    content = book(
        {
            "b.xhtml": "<h1>Second file, first chapter</h1><p>A&nbsp;b</p>",
            "a.xhtml": "<h1>Next</h1>" + "<p>words</p>" * 2000,
        }
    )
    first, second = pages(content, DocumentKind.EPUB)
    assert first == "# Second file, first chapter\n\nA\u00a0b"
    assert second.count("words") == 2000


def test_asides_come_last_and_tables_of_contents_not_at_all():
    content = book(
        {"nav.xhtml": "<p>contents</p>", "note.xhtml": "<p>aside</p>", "c.xhtml": "<p>text</p>"},
        asides=["note.xhtml"],
        properties={"nav.xhtml": "nav"},
    )
    assert pages(content, DocumentKind.EPUB) == ["text", "aside"]


def test_pictures_are_found_from_where_their_chapter_lies():
    content = book(
        {
            "cover.xhtml": '<img src="images/a.png" alt="cover"/>',
            "text/c.xhtml": '<p>see <img src="../images/b%20c.png"/></p>'
            '<p><img src="../../../secret.png" alt="outside"/></p>',
        },
        {"images/a.png": picture(), "images/b c.png": picture(200)},
    )
    assert pages(content, DocumentKind.EPUB) == ["<0>", "see <1 inline>\n\noutside"]


def test_a_chapter_no_page_can_hold_goes_on_on_the_next():
    content = book({"a.xhtml": f"<p>{'word ' * 100}</p>" * 300, "b.xhtml": "<p>end</p>"})
    found = pages(content, DocumentKind.EPUB)
    assert len(found) > 2
    assert found[-1] == "end"
    assert all(len(page) <= MAX_WRITTEN_CHARACTERS for page in found)


def test_a_chapter_that_is_no_xml_is_read_as_html():
    assert pages(book({"a.xhtml": "<p>one<br>two & three"}), DocumentKind.EPUB) == [
        "one\\\ntwo & three"
    ]


def test_a_chapter_that_declares_entities_is_refused():
    content = book({"a.xhtml": "<p>&a;</p>"}, doctype='<!DOCTYPE html [<!ENTITY a "b">]>')
    with pytest.raises(ReaderFailure) as refused:
        opened(content, DocumentKind.EPUB)
    assert refused.value.code is Failure.DOCTYPE


def test_a_book_without_chapters_is_damaged():
    with pytest.raises(ReaderFailure) as refused:
        opened(book({}), DocumentKind.EPUB)
    assert refused.value.code is Failure.CORRUPT
