import base64

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.office.flow_samples import open_document, opened, pages, picture

PNG = base64.b64encode(picture()).decode()


def rtf(body: bytes) -> bytes:
    fonts = rb"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}{\f2\fcharset128 Gothic;}}"
    return rb"{\rtf1\ansi\ansicpg1252\deff0" + fonts + rb"\pard " + body + rb"\par}"


# OpenDocument


def test_an_open_document_has_its_page_breaks_and_tables():
    content = open_document(
        [("one", ""), ("two", "before"), ("three", "after"), ("four", ""), ("secret", "hidden")]
    )
    table = "| a   | b   |\n|-----|-----|\n| c   | d   |"
    assert pages(content, DocumentKind.ODT) == ["one", "two\n\nthree", f"four\n\n{table}"]


# RTF


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"\f1 \'cf\'f0\'e8\'e2\'e5\'f2 \'ec\'e8\'f0", "Привет мир"),
        (rb"\f2 \'82\'a0\'82\'a2", "あい"),
        (rb"caf\'e9", "café"),
        (rb"{\uc1\u1055?\u1088? x}", "Пр x"),
        (rb"{\uc2\u1055??x}", "Пx"),
        (rb"{\uc0\u-10179\u-8704 }", "😀"),
        (rb"a {\v secret} b", "a b"),
        (rb"brace \{ \} \\ end", "brace { } \\ end"),
    ],
)
def test_letters_of_rtf_in_any_code_page(body: bytes, text: str):
    assert pages(rtf(body), DocumentKind.RTF, markdown=False) == [text]


@pytest.mark.parametrize(
    "between",
    [
        rb"\page ",
        rb"\par\page\par ",
        rb"\par\pagebb ",
        rb"\sect\sectd ",
        rb"\sect\sectd\sbkpage ",
        rb"\page\sect\sectd ",
    ],
)
def test_a_page_break_in_rtf_begins_one_page(between: bytes):
    assert pages(rtf(b"one" + between + b"two"), DocumentKind.RTF) == ["one", "two"]


def test_a_continuous_section_in_rtf_begins_no_page():
    assert pages(rtf(rb"one\sect\sectd\sbknone two"), DocumentKind.RTF) == ["one\n\ntwo"]


@pytest.mark.parametrize("form", ["hexadecimal", "binary"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_picture_in_rtf_is_found_once(form: str, wrapped: bool):
    file = picture()
    content = b"\\bin%d " % len(file) + file if form == "binary" else file.hex().encode()
    group = rb"{\pict\pngblip\picw10\pich10 " + content + b"}"
    if wrapped:
        group = rb"{\*\shppict" + group + rb"}{\nonshppict{\pict\wmetafile8 0102}}"
    document = opened(rtf(rb"before\par " + group + rb"\par after"), DocumentKind.RTF)
    assert document.structured(0, markdown=True)["segments"] == [
        "before\n\n",
        (0, False),
        "\n\nafter",
    ]


def test_rtf_that_is_cut_off_is_read_as_far_as_it_goes():
    assert pages(rtf(rb"one {\b two")[:-5], DocumentKind.RTF, markdown=False) == ["one two"]


# HTML


def test_what_a_browser_does_not_show_is_left_out():
    text = (
        "<head><title>T</title><style>p { color: red }</style></head><script>evil()</script>"
        '<p>seen<!-- remark --></p><p style="display: none">secret</p><p hidden>secret</p>'
        "<template>secret</template><noscript>secret</noscript>"
    )
    assert pages(text, DocumentKind.HTML) == ["seen"]


@pytest.mark.parametrize(
    "text",
    [
        '<p>one</p><p style="page-break-before: always">two</p>',
        '<p style="break-after:page">one</p><p>two</p>',
        '<p>one</p><div style="page-break-after: always"></div><p>two</p>',
        '<p>one</p><br style="page-break-before: always"><p>two</p>',
        "<style>@media print { .new { break-before: page } }</style>"
        '<p>one</p><div><section class="a new"><p>two</p></section></div>',
        "<style>h9, p.new { page-break-before: always; color: red }</style>"
        '<p>one</p><p class="new">two</p>',
    ],
)
def test_page_breaks_of_html(text: str):
    assert pages(text, DocumentKind.HTML) == ["one", "two"]


@pytest.mark.parametrize(
    "source",
    [
        "http://example.org/a.png",
        "//example.org/a.png",
        "file:///etc/passwd",
        "/etc/passwd",
        "a.png",
    ],
)
def test_of_a_picture_elsewhere_only_its_description_is_left(source: str):
    text = f'<p>see <img src="{source}" alt="a chart"> here</p>'
    assert pages(text, DocumentKind.HTML) == ["see a chart here"]


def test_an_embedded_picture_is_read():
    text = f'<p>see</p><img src="data:image/png;base64,{PNG}" alt="a chart"><p>here</p>'
    assert pages(text, DocumentKind.HTML) == ["see\n\n<0>\n\nhere"]


def test_a_drawing_is_not_read():
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    text = f'<p>see <img src="data:image/svg+xml;base64,{svg}" alt="a chart"></p>'
    assert pages(text, DocumentKind.HTML) == ["see a chart"]


def test_the_cells_of_a_table_take_one_line_whatever_is_in_them():
    text = (
        "<table><tr><th>A</th><th>B</th></tr>"
        '<tr><td><p>1</p><ul><li>x</li></ul></td><td rowspan="2">y|z</td></tr>'
        "<tr><td>2</td></tr></table>"
    )
    assert pages(text, DocumentKind.HTML) == [
        "| A   | B    |\n|-----|------|\n| 1 x | y\\|z |\n| 2   |      |"
    ]
    assert pages(text, DocumentKind.HTML, markdown=False) == ["A\tB\n1 x\ty|z\n2"]


def test_a_table_that_only_places_things_is_unfolded():
    text = "<table><tr><td><h1>Head</h1><p>text</p></td></tr></table>"
    assert pages(text, DocumentKind.HTML) == ["# Head\n\ntext"]


def test_links_keep_their_target_in_markdown_only():
    text = '<p>a <a href="https://example.org/">link</a>, <a href="#here">inside</a></p>'
    assert pages(text, DocumentKind.HTML) == ["a [link](https://example.org/), inside"]
    assert pages(text, DocumentKind.HTML, markdown=False) == ["a link, inside"]


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("5 < 6 > 4 [1] $5 #2 a_b", "5 < 6 > 4 [1] $5 #2 a_b"),
        (r"C:\dir \(x\) \*", r"C:\dir \\(x\\) \\\*"),
        ("*not* <b>", r"\*not\* \<b\>"),
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
    ],
)
def test_markdown_is_escaped_where_it_must_be(text: str, markdown: str):
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    (page,) = pages(f"<p>{escaped}</p>", DocumentKind.HTML)
    assert page.replace(r"\>", ">") == markdown.replace(r"\>", ">")
    # And it still means what it says.
    assert pages(page, DocumentKind.MARKDOWN, markdown=False) == [text]


def test_an_encoding_that_html_declares_is_believed():
    text = '<meta charset="windows-1251"><p>Привет</p>'
    assert pages(text.encode("cp1251"), DocumentKind.HTML) == ["Привет"]


# Markdown


def test_markdown_keeps_its_structure():
    text = (
        "# Head\n\n- [x] done\n- [ ] to do\n  - deeper\n\n> quoted\n\n```py\nx = 1\n```\n\n"
        "```\nno language\n```\n\nFormula $x^2$[^1]\n\n[^1]: A note.\n"
    )
    assert pages(text, DocumentKind.MARKDOWN) == [text.replace("```py", "``` py").strip()]


def test_html_in_markdown_is_read_as_what_it_shows():
    text = (
        '<p align="center">Centred <b>words</b></p>\n\n<script>evil()</script>\n\n'
        "Inline <b>bold</b> and<br>a break\n\n"
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>\n\n"
        f'A <img src="data:image/png;base64,{PNG}"> picture\n'
    )
    assert pages(text, DocumentKind.MARKDOWN) == [
        "Centred **words**\n\nInline bold and\\\na break\n\n"
        "| a   | b   |\n|-----|-----|\n| c   | d   |\n\nA <0 inline> picture"
    ]


@pytest.mark.parametrize("between", ["\f", '\n\n<div style="page-break-after: always"></div>\n\n'])
def test_page_breaks_of_markdown(between: str):
    assert pages(f"one{between}two", DocumentKind.MARKDOWN) == ["one", "two"]


# Text


def test_plain_text_stays_as_it_is_and_is_no_markdown():
    document = opened("# no *heading*\r\n\r\n  indented\r\n", DocumentKind.TEXT)
    answer = document.structured(0, markdown=True)
    assert answer["format"] == "plain"
    assert answer["segments"] == ["# no *heading*\n\n  indented"]


def test_pages_of_plain_text_end_at_form_feeds_and_paragraphs():
    paragraph = "word " * 200
    text = "one\ftwo\f\f" + "\n\n".join([paragraph] * 7)
    lengths = [len(page) for page in pages(text, DocumentKind.TEXT)]
    assert lengths == [3, 3, 3004, 3004, 1000]


def test_a_log_without_paragraphs_is_cut_at_its_lines():
    text = "\n".join(f"line {at}" for at in range(10_000))
    found = pages(text, DocumentKind.TEXT)
    assert len(found) > 20
    assert "\n".join(found) == text


def test_what_is_no_text_is_refused():
    with pytest.raises(ReaderFailure) as refused:
        opened(bytes(range(256)) * 10, DocumentKind.TEXT)
    assert refused.value.code is Failure.UNKNOWN_FORMAT


@pytest.mark.parametrize(
    "words", ["שלום עולם", "مرحبا بالعالم", "吾輩は猫である。", "नमस्ते दुनिया", "สวัสดี"]
)
def test_any_script_comes_through(words: str):
    for kind, text in (
        (DocumentKind.HTML, f"<p>{words}</p>"),
        (DocumentKind.MARKDOWN, words),
        (DocumentKind.TEXT, words),
    ):
        assert pages(text, kind) == [words]
