import io
import zipfile

import docx
import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.office.flow_samples import (
    opened,
    pages,
    picture,
    run,
    saved,
    shown,
    word,
)

PAGE_BREAK = '<w:r><w:br w:type="page"/></w:r>'
BEFORE = "<w:pPr><w:pageBreakBefore/></w:pPr>"


def section(kind: str) -> str:
    return f'<w:pPr><w:sectPr><w:type w:val="{kind}"/></w:sectPr></w:pPr>'


def box(words: str) -> str:
    inner = f"<w:txbxContent><w:p>{run(words)}</w:p></w:txbxContent>"
    return (
        "<w:r><mc:AlternateContent>"
        '<mc:Choice Requires="wps"><w:drawing><wp:anchor><a:graphic><a:graphicData uri="x">'
        f"<wps:wsp><wps:txbx>{inner}</wps:txbx></wps:wsp>"
        "</a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape><v:textbox>{inner}</v:textbox></v:shape></w:pict>"
        "</mc:Fallback></mc:AlternateContent></w:r>"
    )


def test_headings_lists_and_tables_become_markdown():
    document = docx.Document()
    document.add_heading("Report", 1)
    document.add_paragraph("Plain and ").add_run("bold").bold = True
    document.add_paragraph("one", style="List Bullet")
    document.add_paragraph("two", style="List Bullet")
    table = document.add_table(2, 2)
    for cell, words in zip(table._cells, ("a", "b", "c", "d"), strict=True):
        cell.text = words
    assert pages(saved(document), DocumentKind.DOCX) == [
        "# Report\n\nPlain and **bold**\n\n- one\n- two\n\n"
        "| a   | b   |\n|-----|-----|\n| c   | d   |"
    ]
    assert pages(saved(document), DocumentKind.DOCX, markdown=False) == [
        "Report\n\nPlain and bold\n\n- one\n- two\n\na\tb\nc\td"
    ]


def test_a_title_is_text_too():
    document = docx.Document()
    document.add_heading("The title", 0)
    document.add_paragraph("What it is about", style="Subtitle")
    document.add_paragraph("text")
    assert pages(saved(document), DocumentKind.DOCX) == ["# The title\n\nWhat it is about\n\ntext"]


@pytest.mark.parametrize(
    "paragraphs",
    [
        (run("one") + PAGE_BREAK + run("two"),),
        (run("one"), PAGE_BREAK + run("two")),
        (run("one") + PAGE_BREAK, run("two")),
        (run("one"), BEFORE + run("two")),
        (run("one") + PAGE_BREAK, BEFORE + run("two")),
        (run("one"), PAGE_BREAK, PAGE_BREAK, run("two"), PAGE_BREAK),
        (section("continuous") + run("one"), section("nextPage") + run("two")),
        (section("continuous") + run("one"), section("oddPage") + run("two")),
    ],
)
def test_a_page_break_of_any_kind_begins_one_page(paragraphs: tuple[str, ...]):
    assert pages(word(*paragraphs), DocumentKind.DOCX) == ["one", "two"]


def test_a_continuous_section_begins_no_page():
    document = word(section("nextPage") + run("one"), section("continuous") + run("two"))
    assert pages(document, DocumentKind.DOCX) == ["one\n\ntwo"]


def test_a_style_can_begin_pages_and_a_paragraph_can_refuse():
    document = docx.Document()
    document.styles["Heading 1"].paragraph_format.page_break_before = True
    document.add_heading("First", 1)
    document.add_heading("Second", 1)
    document.add_heading("Third", 1).paragraph_format.page_break_before = False
    assert pages(saved(document), DocumentKind.DOCX) == ["# First", "# Second\n\n# Third"]


def test_a_page_break_within_a_list_keeps_the_numbers():
    document = docx.Document()
    document.add_paragraph("one", style="List Number")
    document.add_paragraph("two", style="List Number").runs[0].add_break(
        docx.enum.text.WD_BREAK.PAGE
    )
    document.add_paragraph("three", style="List Number")
    assert pages(saved(document), DocumentKind.DOCX) == ["1.  one\n2.  two", "3.  three"]


def test_a_document_cannot_forge_a_page_break():
    assert len(pages(word(run("x0123456789abcdefb")), DocumentKind.DOCX)) == 1


def test_a_text_box_is_read_once_after_its_paragraph():
    document = word(run("before") + box("in the box") + run(" after"), run("next"))
    assert pages(document, DocumentKind.DOCX) == ["before after\n\nin the box\n\nnext"]


def test_changes_are_accepted_and_what_is_hidden_or_a_remark_is_left_out():
    inserted = f'<w:ins w:id="1" w:author="a">{run("new")}</w:ins>'
    deleted = '<w:del w:id="2" w:author="a"><w:r><w:delText>old</w:delText></w:r></w:del>'
    document = docx.Document(io.BytesIO(word(inserted + deleted + run("secret", "<w:vanish/>"))))
    document.add_comment(document.paragraphs[0].runs, "remark", "somebody")
    assert pages(saved(document), DocumentKind.DOCX) == ["new"]


def test_a_picture_stands_in_its_place_and_says_whether_it_is_in_a_line():
    document = docx.Document()
    document.add_paragraph("before")
    document.add_picture(io.BytesIO(picture()))
    inside = document.add_paragraph("in a ")
    inside.add_run().add_picture(io.BytesIO(picture(200, 50)))
    inside.add_run(" line")
    content = saved(document)
    assert pages(content, DocumentKind.DOCX) == ["before\n\n<0>\n\nin a <1 inline> line"]
    file = opened(content, DocumentKind.DOCX)
    assert file.inspect(0, 0)["pictures"] == 2


def test_the_same_picture_has_one_number():
    document = docx.Document()
    document.add_picture(io.BytesIO(picture()))
    document.add_picture(io.BytesIO(picture()))
    assert pages(saved(document), DocumentKind.DOCX) == ["<0>\n\n<0>"]


@pytest.mark.parametrize(("width", "height"), [(16, 100), (100, 16)])
def test_a_picture_too_small_for_a_word_is_left_out(width: int, height: int):
    document = docx.Document()
    document.add_paragraph("text")
    document.add_picture(io.BytesIO(picture(width, height)))
    assert pages(saved(document), DocumentKind.DOCX) == ["text"]


def test_pictures_fill_pages_too():
    document = docx.Document()
    for at in range(7):
        document.add_picture(io.BytesIO(picture(100 + at, 50)))
    assert pages(saved(document), DocumentKind.DOCX) == [
        "<0>\n\n<1>\n\n<2>",
        "<3>\n\n<4>\n\n<5>",
        "<6>",
    ]


def test_more_pictures_than_are_read_on_a_page_are_counted():
    document = docx.Document()
    for at in range(3):
        document.add_picture(io.BytesIO(picture(100 + at, 50)))
    file = opened(saved(document), DocumentKind.DOCX, max_pictures_per_page=2)
    assert file.structured(0, markdown=True)["left_out"] == 1
    assert shown(file, 0) == "<0>\n\n<1>\n\n"


def test_a_doctype_is_refused():
    content = word(run("text"))
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "word/document.xml":
                part = part.replace(b"<w:document", b"<!DOCTYPE x><w:document", 1)
            new.writestr(name, part)
    with pytest.raises(ReaderFailure) as refused:
        opened(changed.getvalue(), DocumentKind.DOCX)
    assert refused.value.code is Failure.DOCTYPE
