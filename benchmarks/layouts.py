"""Synthetic pages whose layouts are hard to order: columns, sidebars, forms, letters, newspapers.

What is put first is read first. That is the order of careful reference texts: columns one after
another, tables by rows, running heads first and page numbers last, captions with their figures.
"""

from benchmarks.office_pages import office_pages
from benchmarks.prose_pages import WIDTH, prose_pages
from benchmarks.sheet import A4, MARGIN, Column, Page, Sheet, Style, set_table
from benchmarks.words import Prose

BODY, SMALL, BOLD = Style(10, "Times-Roman"), Style(8, "Times-Roman"), Style(10, "Times-Bold")
TITLE = Style(20, "Times-Bold")
RIGHT = A4[0] - MARGIN


def unequal_columns() -> Page:
    """A narrow column beside a wide one that begins lower and ends earlier."""
    prose, sheet = Prose("unequal"), Sheet()
    sheet.put(prose.heading(5), TITLE, MARGIN, 74)
    sheet.fill(prose, BODY, MARGIN, 110, 150, 700)
    sheet.fill(prose, BODY, MARGIN + 170, 143, WIDTH - 170, 560)
    return sheet.page("unequal-columns", "columns")


def narrow_gutters() -> Page:
    """Three columns a pica apart, each with its own paragraphs."""
    prose, sheet = Prose("narrow"), Sheet()
    for number in range(3):
        sheet.fill(prose, SMALL, MARGIN + number * 164, 80 + 3 * number, 152, 700)
    return sheet.page("narrow-gutters", "columns")


def figure_in_column() -> Page:
    """Two columns; a figure with a caption interrupts the left one."""
    prose, sheet = Prose("figure"), Sheet()
    y = sheet.fill(prose, BODY, MARGIN, 80, 230, 260)
    for number, label in enumerate(("spring", "summer", "autumn")):
        sheet.put(label, SMALL, MARGIN + 20 + 70 * number, y + 120, "\n\n" if not number else " ")
    y = sheet.paragraph("Figure 1: " + prose.sentence(), SMALL, MARGIN, y + 150, 230)
    sheet.fill(prose, BODY, MARGIN, y + 20, 230, 740)
    sheet.fill(prose, BODY, MARGIN + 252, 85, 230, 740)
    return sheet.page("figure-in-column", "figures")


def science() -> Page:
    """A title and abstract across, two columns with footnotes, a running head and a page number."""
    prose, sheet = Prose("science"), Sheet()
    sheet.put("Annals of the Harbour", SMALL, MARGIN, 40)
    sheet.put("Vol. 12", SMALL, RIGHT, 40, " ", "right")
    sheet.put(prose.heading(6), TITLE, A4[0] / 2, 90, "\n\n", "centre")
    sheet.paragraph(prose.paragraph(3), SMALL, MARGIN + 40, 120, WIDTH - 80)
    for left in (MARGIN, MARGIN + 252):
        y = sheet.fill(prose, BODY, left, 190, 230, 660)
        sheet.paragraph("1 " + prose.sentence(), SMALL, left, y + 20, 230)
    sheet.put("17", SMALL, A4[0] / 2, 810, "\n\n", "centre")
    return sheet.page("science", "running-heads")


def sidebar() -> Page:
    """One wide column with a box of short lines beside part of it."""
    prose, sheet = Prose("sidebar"), Sheet()
    sheet.fill(prose, BODY, MARGIN, 80, 320, 740)
    sheet.put("In short", BOLD, MARGIN + 350, 183, "\n\n")
    sheet.fill(prose, SMALL, MARGIN + 350, 203, 130, 430)
    return sheet.page("sidebar", "sidebar")


def form() -> Page:
    """Fields with their values beside them, two to a row."""
    prose, sheet = Prose("form"), Sheet()
    sheet.put("Request for a mooring", TITLE, MARGIN, 80)
    for row in range(12):
        y = 130 + 26 * row
        for half, label in enumerate(("Name of the boat:", "Port:")):
            left = MARGIN + 260 * half
            sheet.put(label, BODY, left, y, " " if half else "\n")
            sheet.put(prose.place(), BOLD, left + (110 if not half else 60), y, " ")
    return sheet.page("form", "forms")


def letter() -> Page:
    """The sender's address on the left, data on the right at heights of their own, a letter."""
    prose, sheet = Prose("letter"), Sheet()
    for row in range(5):
        sheet.put(f"{prose.name()}, {prose.place()}", BODY, MARGIN, 100 + 12.5 * row)
    for row in range(4):
        sheet.put(f"{prose.place()} {prose.date()}", SMALL, 380, 105 + 11 * row, "\n")
    sheet.fill(prose, BODY, MARGIN, 240, WIDTH, 600)
    return sheet.page("letter", "letters")


def newspaper() -> Page:
    """Two articles of two columns under each other, and a third one down the right side."""
    prose, sheet = Prose("newspaper"), Sheet()
    sheet.put("The Port Ellery Courier", Style(30, "Times-Bold"), A4[0] / 2, 60, "\n", "centre")
    for top in (100, 430):
        sheet.put(prose.heading(7), Style(15, "Times-Bold"), MARGIN, top, "\n\n")
        for left in (MARGIN, MARGIN + 164):
            sheet.fill(prose, SMALL, left, top + 22, 150, top + 300)
    sheet.put(prose.heading(2), Style(13, "Times-Bold"), MARGIN + 328, 104, "\n\n")
    sheet.fill(prose, SMALL, MARGIN + 328, 130, 150, 740)
    return sheet.page("newspaper", "newspaper")


def contents() -> Page:
    """A table of contents with leaders."""
    prose, sheet = Prose("contents"), Sheet()
    sheet.put("Contents", TITLE, MARGIN, 80)
    for row in range(25):
        title = prose.heading(4)
        dots = "." * int((WIDTH - 40 - BODY.width(title)) / BODY.width("."))
        sheet.put(f"{title} {dots}", BODY, MARGIN, 120 + 16 * row)
        sheet.put(str(3 + 7 * row), BODY, RIGHT, 120 + 16 * row, " ", "right")
    return sheet.page("contents", "contents")


def table_in_columns() -> Page:
    """Two columns of text, a table with caption and notes in the right one."""
    prose, sheet = Prose("table-in-columns"), Sheet()
    sheet.fill(prose, BODY, MARGIN, 80, 230, 740)
    left = MARGIN + 252
    y = sheet.fill(prose, BODY, left, 84, 230, 300)
    sheet.put("Table 1: Goods by town", SMALL, left, y + 10, "\n\n")
    rows = [("Town", "Tons", "Price")]
    rows += [(prose.place(), prose.digits(2), prose.digits(3)) for _ in range(9)]
    widths = [Column(90), Column(60, "right"), Column(70, "right")]
    y = set_table(sheet, rows, widths, SMALL, left, y + 18, ruled=True)
    sheet.fill(prose, BODY, left, y + 30, 230, 740)
    return sheet.page("table-in-columns", "tables")


def slide() -> Page:
    """Two boxes of bullets side by side under a title."""
    prose, sheet = Prose("slide"), Sheet((720.0, 405.0))
    sheet.put(prose.heading(4), Style(28, "Helvetica-Bold"), 40, 60)
    for left, top in ((40, 110), (380, 120)):
        for row in range(4):
            text = "- " + prose.sentence()
            sheet.paragraph(text, Style(14), left, top + 62 * row, 300)
    return sheet.page("slide", "slides")


def layouts() -> list[Page]:
    """Return all pages, those of the other benchmarks included; names are unique."""
    hard = (
        *(unequal_columns, narrow_gutters, figure_in_column, science, sidebar, form, letter),
        *(newspaper, contents, table_in_columns, slide),
    )
    return [draw() for draw in hard] + prose_pages() + office_pages()
