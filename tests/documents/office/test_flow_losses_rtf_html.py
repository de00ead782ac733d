"""What pandoc alone would lose, misplace or show of RTF and HTML."""

import time

import pytest

from ocr_grpc.documents.document import DocumentKind
from tests.documents.office.flow_samples import pages
from tests.documents.office.test_flow_formats import rtf

STYLES = rb"{\stylesheet{\s1\sb480 Heading 1;}{\s2 heading 2,H2;}{\s3 Other;}{\*\cs4 Heading 1;}}"
LISTS = (
    rb"{\*\listtable{\list\listtemplateid1{\listlevel\levelnfc23{\leveltext \'01\u8226 ?;}"
    rb"{\levelnumbers;}}\listid1}}"
    rb"{\*\listoverridetable{\listoverride\listid1\listoverridecount0\ls1}}"
)
ROW = rb"\trowd\cellx1\cellx2\pard\intbl a\cell b\cell\row\pard "
TABLE = "| a   | b   |\n|-----|-----|"


# RTF


@pytest.mark.parametrize(
    "between",
    [rb"\par ", b"", rb"\par\sect\sectd\sbknone "],
    ids=["after it", "unfinished", "after its section"],
)
def test_a_list_before_a_table_stays_there(between: bytes):
    body = rb"one\par\pard\ls1\ilvl0 item" + between + ROW + b"end"
    assert pages(rtf(LISTS + body), DocumentKind.RTF) == [f"one\n\n- item\n\n{TABLE}\n\nend"]


def test_rows_that_word_describes_twice_are_one_row_each():
    row = rb"\trowd\cellx1\cellx2\pard\intbl{a\cell b\cell}{\trowd\cellx1\cellx2\row}"
    found = pages(rtf(row + row + rb"\pard end"), DocumentKind.RTF)
    assert found == [f"{TABLE}\n| a   | b   |\n\nend"]


@pytest.mark.parametrize(
    "body",
    [
        rb"old {\deleted gone}new",
        rb"old \deleted gone\deleted0 new",
        rb"old \deleted gone{\v gone\v0 gone}\plain new",
    ],
)
def test_text_that_a_tracked_change_deletes_is_not_shown(body: bytes):
    assert pages(rtf(body), DocumentKind.RTF) == ["old new"]


def test_headings_of_rtf_are_known_by_the_names_of_their_styles():
    body = rb"\s1 One\par\pard\s2 Two\par\pard\s3 three\par\pard\s1\outlinelevel2 Four"
    found = pages(rtf(STYLES + body), DocumentKind.RTF)
    assert found == ["# One\n\n## Two\n\nthree\n\n### Four"]


def test_the_cells_of_a_table_inside_of_a_cell_are_kept():
    inner = (
        rb"\pard\intbl\itap2 %d\nestcell x\nestcell"
        rb"{\*\nesttableprops\trowd\cellx1\cellx2\nestrow}{\nonesttables\par}"
    )
    body = (
        rb"\trowd\cellx1\cellx2\pard\intbl before\par" + inner % 1 + inner % 2 +
        rb"\pard\intbl\itap1 after\cell b\cell\row\pard end"
    )  # fmt: skip
    (page,) = pages(rtf(body), DocumentKind.RTF, markdown=False)
    assert page == "before 1 x 2 x after\tb\n\nend"


def test_of_two_texts_that_say_the_same_the_one_in_unicode_is_shown():
    body = rb"{\upr{\b ansi{\i x}}{\*\ud{\u1055?\u1088?}}} end"
    assert pages(rtf(body), DocumentKind.RTF) == ["Пр end"]


# HTML


def test_rows_of_head_cells_without_a_head_keep_their_places():
    text = (
        "<table><tr><th rowspan=2>Name<th colspan=2>Score<tr><th>2023<th>2024"
        "<tr><td>Ann<td>1<td>2</table>"
    )
    (page,) = pages(text, DocumentKind.HTML, markdown=False)
    assert [line.split("\t") for line in page.split("\n")] == [
        ["Name", "Score"],
        ["", "2023", "2024"],
        ["Ann", "1", "2"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"<style>{'a' * 2_000_000}</style>",
        f"<style>{'/*' * 500_000}</style>",
        f"<style>{'a{' * 500_000}</style>",
        f"{'<meta' * 300}charset={' ' * 2_500}",
        "<div>" + "<b hidden></b>a " * 50_000 + "</div>",
    ],
    ids=["no rule", "open comments", "open rules", "no encoding", "hidden"],
)
def test_html_takes_a_time_that_grows_with_its_length_only(text: str):
    start = time.process_time()
    pages(f"<html>{text}<p>end</p>", DocumentKind.HTML)
    assert time.process_time() - start < 5


def test_style_sheets_are_read_between_their_comments():
    text = (
        "<style>/* p { break-before: page } */ i{} /**/ @media print { h9, .new "
        "{ break-before: page } }</style><p>one</p><p>two</p><p class=new>three</p>"
    )
    assert pages(text, DocumentKind.HTML) == ["one\n\ntwo", "three"]


@pytest.mark.parametrize(
    ("control", "shown"),
    [
        ("<input value='Ann'>", "Ann"),
        ("<input type=EMAIL value='a'>", "a"),
        ("<input type=hidden value=secret><input type=password value=secret>-", "-"),
        ("<textarea>two\nlines</textarea>", "two lines"),
        ("<select><option>a<option selected>b<option>c</select>", "b"),
        ("<select><option>a<option>b</select>", "a b"),
        ("<input type=checkbox checked>yes", "☒ yes"),
    ],
)
def test_the_controls_of_a_form_show_what_is_in_them(control: str, shown: str):
    assert pages(f"<p>Is {control} so</p>", DocumentKind.HTML) == [f"Is {shown} so"]


def test_html_of_nothing_but_a_comment_is_an_empty_page():
    assert pages("<!-- remark -->", DocumentKind.HTML) == [""]
