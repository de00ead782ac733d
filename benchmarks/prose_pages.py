"""Synthetic pages of running text: sizes, columns, languages, headings, long and dense pages."""

from benchmarks.sheet import A4, MARGIN, Page, Sheet, Style
from benchmarks.words import Prose

WIDTH = A4[0] - 2 * MARGIN
# 1,240 x 8,000 pixels at 150 dpi, a hair under for renderers that round pixels up.
SCROLL = (595.19, 3839.9)
HEADLINE_FONTS = ("Helvetica-Bold", "Times-Bold", "Helvetica")


def size_band(size: float) -> str:
    """Return the group that a print size belongs to."""
    for limit, band in ((7, "6-7pt"), (9, "8-9pt"), (12, "10-12pt")):
        if size <= limit:
            return band
    return "14-24pt"


def one_size(size: float, font: str, line_count: int) -> Page:
    """One column of prose in one size."""
    prose, style = Prose(f"one-size-{size}"), Style(size, font)
    sheet = Sheet()
    bottom = min(MARGIN + size + style.step * line_count, sheet.height - MARGIN)
    sheet.fill(prose, style, MARGIN, MARGIN + size, WIDTH, bottom)
    groups = [size_band(size), f"{size:g}pt", "one-column"]
    if size <= 8:
        groups.append("small")
    return sheet.page(f"one-size-{size:g}pt", *groups)


def columns(count: int, size: float, font: str, language: str = "en", depth: float = 640) -> Page:
    """A title across the page and equal columns under it, read one after another."""
    name = f"columns-{count}-{language}-{size:g}pt"
    prose, style = Prose(name, language), Style(size, font)
    sheet, gutter = Sheet(), 20.0
    sheet.put(prose.heading(5), Style(18, font).bold(), MARGIN, MARGIN + 18)
    wide = (WIDTH - gutter * (count - 1)) / count
    top = MARGIN + 50
    for number in range(count):
        left = MARGIN + number * (wide + gutter)
        sheet.fill(prose, style, left, top, wide, top + depth)
    word = {2: "two-column", 3: "three-column"}[count]
    groups = [word, "columns", size_band(size)] + (["small"] if size <= 8 else [])
    return sheet.page(name, *groups, *language_groups(language), language=language)


def language_groups(language: str) -> tuple[str, ...]:
    """Return the group of a language other than English."""
    return {"en": (), "de": ("german",), "fr": ("french",)}[language]


def prose_page(language: str, size: float, font: str) -> Page:
    """A heading and one column in another language."""
    name = f"prose-{language}-{size:g}pt"
    prose, style = Prose(name, language), Style(size, font)
    sheet = Sheet()
    sheet.put(prose.heading(4), Style(size * 1.6, font).bold(), MARGIN, MARGIN + 20)
    sheet.fill(prose, style, MARGIN, MARGIN + 55, WIDTH, 520)
    groups = ("one-column", size_band(size), *language_groups(language))
    return sheet.page(name, *groups, language=language)


def mixed_sizes() -> Page:
    """A 24 pt title, 11 pt text and 6 pt footnotes on one page."""
    prose, sheet = Prose("mixed"), Sheet()
    sheet.put(prose.heading(4), Style(24, "Times-Bold"), MARGIN, 84)
    sheet.put(f"{prose.name()}, {prose.place()}", Style(14, "Times-Italic"), MARGIN, 112)
    y = sheet.fill(prose, Style(11, "Times-Roman"), MARGIN, 150, WIDTH, 560)
    sheet.rule(MARGIN, y + 6, MARGIN + 120, y + 6)
    y += 20
    for number in range(1, 6):
        note = f"{number} {prose.paragraph(3)}"
        y = sheet.paragraph(note, Style(6, "Times-Roman"), MARGIN, y, WIDTH) + 3
    sheet.put("- 17 -", Style(8, "Times-Roman"), A4[0] / 2, 800, "\n\n", "centre")
    return sheet.page("mixed-sizes", "mixed-sizes", "6-7pt", "small", "one-column")


def report() -> Page:
    """Numbered headings over paragraphs, with bold and italic print."""
    prose, sheet, y = Prose("report"), Sheet(), 90.0
    sheet.put("Annual report of the harbour office", Style(18, "Helvetica-Bold"), MARGIN, y)
    for number in range(1, 5):
        y += 30
        heading = f"{number}. {prose.heading(4)}"
        sheet.put(heading, Style(13, "Helvetica-Bold"), MARGIN, y, "\n\n")
        y = sheet.paragraph(prose.paragraph(4), Style(10), MARGIN, y + 18, WIDTH)
        aside = Style(10, "Helvetica-Oblique")
        y = sheet.paragraph(prose.paragraph(2), aside, MARGIN + 24, y + 5, WIDTH - 48)
    return sheet.page("report", "headings", "10-12pt", "one-column")


def bullet_list() -> Page:
    """A list whose items start with a number or a hyphen."""
    prose, sheet, style, y = Prose("list"), Sheet(), Style(12, "Times-Roman"), 84.0
    sheet.put("Rules of the house", Style(16, "Times-Bold"), MARGIN, y)
    y += 30
    for number in range(1, 13):
        mark = f"{number}." if number <= 6 else "-"
        sheet.put(mark, style, MARGIN + 8, y, "\n\n" if number == 1 else "\n")
        for line in range(2):
            width_left = prose.sentence()
            separator = " " if line == 0 else "\n"
            sheet.put(width_left, Style(10.5, "Times-Roman"), MARGIN + 32, y, separator)
            y += 14
        y += 5
    return sheet.page("list", "list", "10-12pt", "one-column")


def dense() -> Page:
    """An A4 page full of long lines, at least 45 of them."""
    prose, sheet, style = Prose("dense"), Sheet(), Style(10, "Times-Roman", 1.2)
    text = prose.paragraph(90)
    sheet.paragraph(text, style, 40, 60, A4[0] - 80, 60 + 52 * style.step)
    return sheet.page("dense", "dense", "10-12pt", "one-column")


def scroll() -> Page:
    """One page 8,000 pixels long at 150 dpi, as a web page saved to paper."""
    prose, sheet, y = Prose("scroll"), Sheet(SCROLL), 70.0
    section = 1
    while y < SCROLL[1] - 300:
        sheet.put(f"Part {section}: {prose.heading(3)}", Style(16, "Helvetica-Bold"), 60, y, "\n\n")
        text = prose.paragraph(5)
        y = sheet.paragraph(text, Style(11), 60, y + 24, A4[0] - 120) + 40
        section += 1
    sheet.put("End of the scroll", Style(11), 60, y, "\n\n")
    return sheet.page("scroll", "long", "10-12pt", "one-column")


def large_print() -> Page:
    """A notice in large print only."""
    prose, sheet, y = Prose("large"), Sheet(), 130.0
    for size, font in ((60, HEADLINE_FONTS[0]), (40, HEADLINE_FONTS[1]), (32, HEADLINE_FONTS[2])):
        text = {60: "Closed today", 40: prose.heading(7), 32: prose.sentence()}[size]
        y = sheet.paragraph(text, Style(size, font), MARGIN, y, WIDTH) + 50
    return sheet.page("large-print", "large", "headings")


def capitals() -> Page:
    """A notice in capitals of two sizes."""
    prose, sheet = Prose("capitals"), Sheet()
    sheet.put("PUBLIC NOTICE", Style(22, "Helvetica-Bold"), A4[0] / 2, 100, "\n", "centre")
    y = 150.0
    for size, font in ((12, "Helvetica"), (9, "Times-Roman"), (11, "Helvetica-Bold")):
        text = prose.paragraph(5).upper()
        y = sheet.paragraph(text, Style(size, font, 1.35), MARGIN, y, WIDTH) + 20
    return sheet.page("capitals", "capitals", "10-12pt")


def typography() -> Page:
    """Curly quotes, dashes, currency and other signs beyond ASCII."""
    prose, sheet, y = Prose("typography", "typography"), Sheet(), 90.0
    for font, size in (("Times-Roman", 12), ("Helvetica", 11)):
        for _ in range(8):
            y = sheet.paragraph(prose.sentence(), Style(size, font), MARGIN, y, WIDTH) + 6
    return sheet.page("typography", "typography", "10-12pt", language="mixed")


def sparse() -> Page:
    """A nearly empty page: a title in the middle and a page number."""
    sheet = Sheet()
    sheet.put("Appendix B", Style(20, "Times-Bold"), A4[0] / 2, 380, "\n", "centre")
    sheet.put("Maps and tables", Style(12, "Times-Italic"), A4[0] / 2, 410, "\n", "centre")
    sheet.put("103", Style(9, "Times-Roman"), A4[0] / 2, 800, "\n\n", "centre")
    return sheet.page("sparse", "sparse", "10-12pt")


def prose_pages() -> list[Page]:
    """Return every page of running text."""
    return [
        one_size(6, "Helvetica", 24),
        one_size(7, "Times-Roman", 26),
        one_size(8, "Helvetica", 28),
        one_size(9, "Times-Roman", 30),
        one_size(10, "Helvetica", 32),
        one_size(11, "Times-Roman", 36),
        one_size(12, "Helvetica", 36),
        one_size(14, "Times-Roman", 36),
        one_size(18, "Helvetica", 30),
        one_size(24, "Times-Roman", 24),
        columns(2, 10, "Times-Roman"),
        columns(2, 8, "Helvetica", depth=360),
        columns(2, 9, "Times-Roman", "de", depth=420),
        columns(3, 9, "Helvetica", depth=480),
        columns(3, 7, "Times-Roman", depth=300),
        prose_page("de", 11, "Helvetica"),
        prose_page("fr", 11, "Times-Roman"),
        prose_page("fr", 9, "Helvetica"),
        mixed_sizes(),
        report(),
        bullet_list(),
        dense(),
        scroll(),
        large_print(),
        capitals(),
        typography(),
        sparse(),
    ]
