"""What pandoc drops from text documents is read all the same."""

import io
import zipfile

import docx
import pytest
from docx.oxml import parse_xml

from ocr_grpc.documents.document import DocumentKind
from tests.documents.office.flow_samples import NAMES, pages, picture, run, saved, word

PAGE_BREAK = '<w:r><w:br w:type="page"/></w:r>'
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
ODT_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("svg", "svg-compatible"),
        ("fo", "xsl-fo-compatible"),
    )
)
FIELDS = (
    *("date", "time", "page-number", "author-name", "title", "placeholder", "variable-set"),
    *("user-defined", "user-field-get", "expression", "text-input", "drop-down", "creator"),
    *("database-display", "file-name", "meta", "meta-field", "sequence-ref", "conditional-text"),
    *("chapter", "sender-email", "word-count", "sequence", "bookmark-ref", "reference-ref"),
)
READING = "<w:rt><w:r><w:t>reading</w:t></w:r></w:rt>"


def ruby(words: str) -> str:
    return f"<w:ruby><w:rubyPr/>{READING}<w:rubyBase>{run(words)}</w:rubyBase></w:ruby>"


def word_text(*paragraphs: str) -> list[str]:
    return pages(word(*paragraphs), DocumentKind.DOCX)


def odt(body: str) -> bytes:
    """Return an ODT with this inside of its `office:text`, and a picture `Pictures/p.png`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{MANIFEST}"><manifest:file-entry '
            'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>'
            "</manifest:manifest>",
        )
        archive.writestr("styles.xml", f"<office:document-styles {ODT_NAMES}/>")
        archive.writestr(
            "content.xml",
            f'<office:document-content {ODT_NAMES} xmlns:xlink="http://www.w3.org/1999/xlink" '
            'office:version="1.2"><office:automatic-styles>'
            '<style:style style:name="hidden" style:family="text">'
            '<style:text-properties text:display="none"/></style:style>'
            '<style:style style:name="before" style:family="paragraph">'
            '<style:paragraph-properties fo:break-before="page"/></style:style>'
            f"</office:automatic-styles><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
        )
        archive.writestr("Pictures/p.png", picture())
    return file.getvalue()


def odt_text(body: str) -> list[str]:
    return pages(odt(body), DocumentKind.ODT)


def paragraph(words: str) -> str:
    return f"<text:p>{words}</text:p>"


def box(inner: str) -> str:
    return f"<draw:frame><draw:text-box>{inner}</draw:text-box></draw:frame>"


def grid(*cells: str) -> str:
    inner = "".join(f"<table:table-cell>{cell}</table:table-cell>" for cell in cells)
    return (
        f'<table:table><table:table-column table:number-columns-repeated="{len(cells)}"/>'
        f"<table:table-row>{inner}</table:table-row></table:table>"
    )


IMAGE = '<draw:frame><draw:image xlink:href="Pictures/p.png"/></draw:frame>'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<w:fldSimple w:instr=" SEQ Figure ">', "</w:fldSimple>"),
        ('<w:fldSimple w:instr=" MERGEFIELD a "><w:fldData>AAAA</w:fldData>', "</w:fldSimple>"),
        ('<w:bdo w:val="rtl">', "</w:bdo>"),
        ('<w:dir w:val="rtl">', "</w:dir>"),
        ('<w:customXml w:element="a"><w:customXmlPr/>', "</w:customXml>"),
        ('<w:hyperlink w:anchor="a"><w:fldSimple w:instr="REF a">', "</w:fldSimple></w:hyperlink>"),
        ('<w:bdo w:val="rtl"><w:customXml w:element="a">', "</w:customXml></w:bdo>"),
    ],
)
def test_what_word_wraps_into_something_is_read_in_its_place(before: str, after: str):
    wrapped = before + run("seven") + run(" wrapped") + after
    assert word_text(run("Before ") + wrapped + run(" after")) == ["Before seven wrapped after"]


def test_paragraphs_and_rows_in_custom_xml_are_read():
    document = docx.Document()
    document.add_paragraph("first")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "a", "b"
    row = table.rows[0]._tr
    wrapper = parse_xml(f'<w:customXml {NAMES} w:element="row"/>')
    row.addprevious(wrapper)
    wrapper.append(row)
    block = f'<w:customXml {NAMES} w:element="x"><w:p>{run("in it")}</w:p></w:customXml>'
    document.element.body.insert(1, parse_xml(block))
    assert pages(saved(document), DocumentKind.DOCX, markdown=False) == ["first\n\nin it\n\na\tb"]


def test_a_page_break_in_what_word_wraps_is_one():
    wrapped = f'<w:customXml w:element="a">{run("one")}{PAGE_BREAK}{run("two")}</w:customXml>'
    assert word_text(wrapped) == ["one", "two"]


def test_the_text_under_furigana_is_read_and_the_furigana_are_not():
    assert word_text(run("日") + f"<w:r>{ruby('東京')}</w:r>" + run("本")) == ["日東京本"]


def test_what_is_around_furigana_in_one_run_keeps_its_place_and_its_form():
    inner = f"<w:rPr><w:b/></w:rPr><w:t>a</w:t>{ruby('b')}<w:t>c</w:t>{ruby('d')}<w:t>e</w:t>"
    assert word_text(f"<w:r>{inner}</w:r>") == ["**a**b**c**d**e**"]


def test_hidden_furigana_stay_hidden():
    hidden = f"<w:r><w:rPr><w:vanish/></w:rPr>{ruby('secret')}</w:r>"
    assert word_text(run("shown") + hidden) == ["shown"]


def test_fields_in_footnotes_are_read():
    document = docx.Document(
        io.BytesIO(word(run("text") + '<w:r><w:footnoteReference w:id="5"/></w:r>'))
    )
    field = f'<w:fldSimple w:instr="REF a">{run("seven")}</w:fldSimple>'
    note = f'<w:footnote w:id="5"><w:p>{run("See ")}{field}</w:p></w:footnote>'
    notes = f"<w:footnotes {NAMES}>{note}</w:footnotes>"
    kind = "officeDocument/2006/relationships/footnotes"
    part = docx.opc.part.Part(
        docx.opc.packuri.PackURI("/word/footnotes.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
        notes.encode(),
        document.part.package,
    )
    document.part.relate_to(part, f"http://schemas.openxmlformats.org/{kind}")
    assert "See seven" in pages(saved(document), DocumentKind.DOCX)[0]


@pytest.mark.parametrize("field", FIELDS)
def test_fields_of_an_odt_are_read_in_their_place(field: str):
    inside = f"<text:{field}>shown</text:{field}>"
    assert odt_text(paragraph(f"Before {inside} after")) == ["Before shown after"]


@pytest.mark.parametrize("switch", ['text:display="none"', 'text:is-hidden="true"'])
def test_fields_of_an_odt_that_show_nothing_are_left_out(switch: str):
    hidden = f"<text:variable-set {switch}>secret</text:variable-set>"
    assert odt_text(paragraph(f"shown{hidden}")) == ["shown"]


def test_only_what_was_chosen_from_a_list_is_read():
    choices = '<text:label text:value="red"/><text:label text:value="blue"/>'
    assert odt_text(paragraph(f"<text:drop-down>{choices}red</text:drop-down>")) == ["red"]


def test_the_text_under_furigana_of_an_odt_is_read_and_the_furigana_are_not():
    words = "<text:ruby-base>東<text:span>京</text:span></text:ruby-base>"
    reading = "<text:ruby-text>とうきょう</text:ruby-text>"
    assert odt_text(paragraph(f"日<text:ruby>{words}{reading}</text:ruby>本")) == ["日東京本"]


@pytest.mark.parametrize(
    "index", ["table-of-content", "bibliography", "alphabetical-index", "illustration-index"]
)
def test_an_index_of_an_odt_is_read_with_its_title(index: str):
    template = "<text:index-title-template>template</text:index-title-template>"
    title = f"<text:index-title>{paragraph('Contents')}</text:index-title>"
    assert odt_text(
        f"<text:{index}><text:{index}-source>{template}</text:{index}-source>"
        f"<text:index-body>{title}{paragraph('One 1')}</text:index-body></text:{index}>"
        + paragraph("text")
    ) == ["Contents\n\nOne 1\n\ntext"]


def test_a_numbered_paragraph_is_read():
    numbered = f"<text:numbered-paragraph>{paragraph('one')}</text:numbered-paragraph>"
    assert odt_text(paragraph("zero") + numbered) == ["zero\n\none"]


def test_a_text_box_of_an_odt_is_read_after_its_paragraph():
    boxes = box(paragraph("first") + paragraph("second")) + " and " + box(paragraph("third"))
    assert odt_text(paragraph(f"before {boxes} after") + paragraph("next")) == [
        "before and after\n\nfirst\n\nsecond\n\nthird\n\nnext"
    ]


def test_a_text_box_in_a_text_box_is_read_after_what_it_is_in():
    inner = box(paragraph("inner") + box(paragraph("innermost")))
    assert odt_text(paragraph("before " + box(paragraph("outer " + inner)))) == [
        "before\n\nouter\n\ninner\n\ninnermost"
    ]


@pytest.mark.parametrize("shape", ["custom-shape", "rect", "ellipse", "line"])
@pytest.mark.parametrize("group", ["", "draw:g"])
def test_the_words_in_a_shape_are_read(shape: str, group: str):
    drawn = f"<draw:{shape}>{paragraph('in it')}<draw:enhanced-geometry/></draw:{shape}>"
    drawn = f"<{group}>{drawn}</{group}>" if group else drawn
    assert odt_text(paragraph(f"before{drawn} after")) == ["before after\n\nin it"]
    assert odt_text(drawn + paragraph("text")) == ["in it\n\ntext"]


def test_a_text_box_can_hold_a_list_a_table_and_begin_a_page():
    items = f"<text:list><text:list-item>{paragraph('item')}</text:list-item></text:list>"
    broken = '<text:p text:style-name="before">new page</text:p>'
    held = box(items + grid(paragraph("a"), paragraph("b")) + broken)
    assert odt_text(paragraph("before" + held)) == [
        "before\n\n1.  item\n\n| a   | b   |\n|-----|-----|",
        "new page",
    ]


def test_a_hidden_text_box_stays_hidden():
    hidden = f'<text:span text:style-name="hidden">{box(paragraph("secret"))}</text:span>'
    assert odt_text(paragraph("shown" + hidden)) == ["shown"]


def test_a_picture_in_a_text_box_is_read_with_its_caption():
    caption = "Figure <text:sequence>1</text:sequence>: a plan"
    found = odt_text(paragraph("before " + box(paragraph(IMAGE + caption))))
    assert found == ["before\n\n<0>\n\nFigure 1: a plan"]


@pytest.mark.parametrize(
    "between", ["", "<text:line-break/>", "<text:span><text:line-break/></text:span>"]
)
def test_a_caption_keeps_its_number(between: str):
    caption = f"{between}Figure <text:sequence>1</text:sequence>: a plan"
    assert odt_text(paragraph(box(paragraph(IMAGE + caption)))) == ["<0>\n\nFigure 1: a plan"]


def test_a_picture_after_words_in_a_text_box_loses_neither():
    found = odt_text(paragraph("before " + box(paragraph("words") + paragraph(IMAGE))))
    assert found == ["before\n\nwords\n\n<0>"]


def test_a_table_in_a_cell_is_read_after_its_table():
    inner = grid(paragraph("c"), grid(paragraph("d")))
    table = grid(paragraph("a") + inner, paragraph("b") + grid(paragraph("e")))
    assert pages(odt(table + paragraph("end")), DocumentKind.ODT, markdown=False) == [
        "a\tb\n\nc\n\nd\n\ne\n\nend"
    ]


def test_a_text_box_in_a_cell_is_read_in_it():
    table = grid(paragraph("a" + box(paragraph("in it"))), paragraph("b"))
    assert "in it" in odt_text(table)[0]
