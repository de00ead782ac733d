"""Synthetic pages of everyday paperwork: tables, invoices, forms, letters, receipts, code."""

from benchmarks.prose_pages import WIDTH, language_groups, size_band
from benchmarks.sheet import A4, MARGIN, Column, Page, Sheet, Style, set_table
from benchmarks.words import Prose

LANDSCAPE = (A4[1], A4[0])
RECEIPT = (226.0, 566.0)  # 80 mm paper

CODE = '''\
def levelled(readings, limit=0.05):
    """Return the index where readings stop rising."""
    best = None
    for i, value in enumerate(readings):
        if best is not None and value <= best * (1 + limit):
            return i - 1
        best = max(best or 0, value)
    raise ValueError("still rising: %r" % readings[-3:])

class Ring(list):
    SIZE = 0x40  # slots, a power of two

    def push(self, item) -> int:
        self[len(self) & (self.SIZE - 1)] = item
        return {"ok": True, "left": self.SIZE}["left"]

if __name__ == "__main__":
    print(levelled([10, 12.5, 12.6]), sep="\\n")
    assert Ring() == [] and not 1 != 1
    path = "/tmp/out_01.csv"; x = a[3] * (b + c) / 2 ** 8'''


def plain_table(ruled: bool, size: float) -> Page:
    """A price list of single-line cells, with or without rules."""
    name = f"table-{'ruled' if ruled else 'open'}-{size:g}pt"
    prose, sheet = Prose(name), Sheet()
    rows = [("Item", "Article", "Town", "Quantity", "Price")]
    for number in range(1, 19):
        quantity = prose.digits(prose.random.randint(1, 4))
        rows.append((str(number), prose.goods(), prose.place(), quantity, prose.amount()))
    widths = [Column(40), Column(130), Column(110), Column(70, "right"), Column(100, "right")]
    sheet.put("Price list of the depot", Style(14, "Helvetica-Bold"), MARGIN, 90)
    set_table(sheet, rows, widths, Style(size), MARGIN, 110, ruled)
    groups = ("table", "table-ruled" if ruled else "table-open", size_band(size))
    return sheet.page(name, *groups)


def wrapped_table() -> Page:
    """A ruled table whose cells run over several lines and are read cell by cell."""
    prose, sheet = Prose("table-wrapped"), Sheet()
    rows = [("Place", "What was seen", "What was done")]
    rows += [(prose.place(), prose.sentence(), prose.sentence()) for _ in range(7)]
    widths = [Column(90), Column(190), Column(190)]
    set_table(sheet, rows, widths, Style(10, "Times-Roman"), MARGIN, 90, ruled=True)
    return sheet.page("table-wrapped", "table", "table-ruled", "10-12pt")


def wide_table() -> Page:
    """A landscape page of small figures without rules."""
    prose, sheet = Prose("table-wide"), Sheet(LANDSCAPE)
    rows = [("Station", *(f"Q{q} {year}" for year in (2021, 2022) for q in range(1, 5)))]
    for _ in range(20):
        figures = (f"{prose.random.uniform(0.1, 4000):,.2f}" for _ in range(8))
        rows.append((prose.place(), *figures))
    widths = [Column(110), *[Column(75, "right")] * 8]
    set_table(sheet, rows, widths, Style(7), MARGIN, 80, ruled=False)
    return sheet.page("table-wide-7pt", "table", "table-open", "6-7pt", "small", "digits")


def invoice(language: str) -> Page:
    """An invoice: addresses, dates, a table of amounts, account numbers."""
    words = {
        "en": ("INVOICE", "Number", "Date", "Total due", "Phone", "Thank you for your order."),
        "de": (
            "RECHNUNG",
            "Nummer",
            "Datum",
            "Gesamtbetrag",
            "Telefon",
            "Zahlbar binnen 14 Tagen.",
        ),
    }[language]
    prose, sheet, body = Prose(f"invoice-{language}", language), Sheet(), Style(10)
    sheet.put(words[0], Style(20, "Helvetica-Bold"), MARGIN, 90)
    meta = (
        (words[1], f"{prose.digits(4)}-{prose.digits(3)}/{prose.digits(2)}"),
        (words[2], prose.date()),
        (words[4], f"+49 {prose.digits(3)} {prose.digits(4)}-{prose.digits(2)}"),
        ("IBAN", f"DE{prose.digits(2)} " + " ".join(prose.digits(4) for _ in range(4)) + " 07"),
        ("VAT", f"DE{prose.digits(9)}"),
    )
    for row, (label, value) in enumerate(meta):
        sheet.put(f"{label}: {value}", body, MARGIN, 125 + row * 15, "\n\n" if row == 0 else "\n")
    rows = [("Pos", "Text", "Qty", "Each", "Sum")]
    for number in range(1, 11):
        count, cents = prose.random.randint(1, 40), prose.random.randint(99, 99_999)
        each, total = f"{cents / 100:.2f}", f"{count * cents / 100:.2f}"
        rows.append((f"{number:02d}", prose.goods(), str(count), each, total))
    figures = [Column(60, "right"), Column(80, "right"), Column(90, "right")]
    y = set_table(sheet, rows, [Column(40), Column(200), *figures], body, MARGIN, 230, ruled=True)
    strong = body.bold()
    sheet.put(f"{words[3]}:", strong, MARGIN + 5, y + 25, "\n\n")
    sheet.put(prose.amount(), strong, MARGIN + 465, y + 25, " ", "right")
    sheet.put(words[5], body, MARGIN, y + 60, "\n\n")
    groups = ("invoice", "digits", "table", "10-12pt", *language_groups(language))
    return sheet.page(f"invoice-{language}", *groups, language=language)


def letter(language: str) -> Page:
    """A letter: sender in one line, address block, date at the right, body, signature."""
    opening, closing = {
        "en": ("Dear neighbours,", "Yours sincerely,"),
        "fr": ("Chère voisine, cher voisin,", "Veuillez agréer nos salutations distinguées,"),
    }[language]
    prose, sheet = Prose(f"letter-{language}", language), Sheet()
    body = Style(11, "Times-Roman")
    sheet.put(f"{prose.name()}, Mill Lane 4, 40{prose.digits(3)} Kessel", Style(7), MARGIN, 110)
    block = (prose.name(), f"Long Street {prose.digits(2)}", f"{prose.digits(5)} {prose.place()}")
    for row, line in enumerate(block):
        sheet.put(line, body, MARGIN, 130 + row * 15, "\n\n" if row == 0 else "\n")
    date = f"{prose.place()}, {prose.date()}"
    sheet.put(date, body, A4[0] - MARGIN, 210, "\n\n", "right")
    sheet.put(prose.heading(5), body.bold(), MARGIN, 250, "\n\n")
    sheet.put(opening, body, MARGIN, 280, "\n\n")
    y = 304.0
    for _ in range(3):
        y = sheet.paragraph(prose.paragraph(4), body, MARGIN, y, WIDTH) + 8
    sheet.put(closing, body, MARGIN, y + 12, "\n\n")
    sheet.put(prose.name(), Style(11, "Times-Italic"), MARGIN, y + 60, "\n\n")
    groups = ("letter", "10-12pt", *language_groups(language))
    return sheet.page(f"letter-{language}", *groups, language=language)


def form() -> Page:
    """A form: a label, and the value typed beside it over a rule."""
    prose, sheet, y = Prose("form"), Sheet(), 90.0
    sheet.put("Application for a berth", Style(16, "Helvetica-Bold"), MARGIN, y)
    fields = (
        ("Full name", prose.name()),
        ("Town", prose.place()),
        ("Date of birth", prose.date()),
        ("Telephone", f"0{prose.digits(4)} {prose.digits(6)}"),
        ("E-mail", "f.lindqvist@harbour.example"),
        ("Boat", "Grey Heron II"),
        ("Length over all", "7.85 m"),
        ("Insurance number", f"K-{prose.digits(4)}-{prose.digits(5)}-X"),
        ("Arrival", f"{prose.date()} 14:30"),
        ("Deposit", prose.amount()),
        ("Password of the gate", "aX9#kQ2!"),
        ("Remarks", "none"),
    )
    for label, value in fields:
        y += 32
        sheet.put(f"{label}:", Style(10), MARGIN, y)
        sheet.put(value, Style(11, "Courier"), MARGIN + 130, y, " ")
        sheet.rule(MARGIN + 126, y + 4, MARGIN + 400, y + 4)
    return sheet.page("form", "form", "10-12pt", "digits")


def code(size: float) -> Page:
    """A listing in Courier, indented, with brackets and underscores."""
    sheet, style, y = Sheet(), Style(size, "Courier"), 90.0
    for line in CODE.split("\n"):
        if line:
            indent = style.width(line) - style.width(line.lstrip())
            sheet.put(line.lstrip(), style, MARGIN + indent, y)
        y += style.step
    return sheet.page(f"code-{size:g}pt", "code", size_band(size))


def receipt() -> Page:
    """A till receipt on a narrow strip: names at the left, prices at the right."""
    prose, sheet, style, y = Prose("receipt"), Sheet(RECEIPT), Style(9, "Courier"), 60.0
    sheet.put("CORNER STORE", Style(14, "Courier-Bold"), RECEIPT[0] / 2, 30, "\n", "centre")
    sheet.put(
        f"{prose.date()} 18:42  No {prose.digits(5)}", style, RECEIPT[0] / 2, 46, align="centre"
    )
    for _ in range(24):
        y += 15
        sheet.put(prose.goods().capitalize(), style, 14, y)
        price = f"{prose.random.randint(10, 9999) / 100:.2f}"
        sheet.put(price, style, RECEIPT[0] - 14, y, " ", "right")
    sheet.put("TOTAL", style.bold(), 14, y + 30)
    sheet.put(
        f"{prose.digits(3)}.{prose.digits(2)}", style.bold(), RECEIPT[0] - 14, y + 30, " ", "right"
    )
    return sheet.page("receipt", "receipt", "digits", "8-9pt")


def statement() -> Page:
    """An account statement: almost nothing but digits."""
    prose, sheet = Prose("statement"), Sheet()
    rows = [("Date", "Reference", "Amount", "Balance")]
    for _ in range(30):
        reference = f"{prose.digits(3)}.{prose.digits(4)}.{prose.digits(4)}"
        rows.append((prose.date(), reference, prose.amount(), prose.amount()))
    widths = [Column(90), Column(130), Column(120, "right"), Column(120, "right")]
    sheet.put("Account 0071 2205 93", Style(12, "Helvetica-Bold"), MARGIN, 80)
    set_table(sheet, rows, widths, Style(9), MARGIN, 95, ruled=False)
    return sheet.page("statement", "digits", "table", "table-open", "8-9pt")


def office_pages() -> list[Page]:
    """Return every page of paperwork."""
    return [
        plain_table(ruled=True, size=10),
        plain_table(ruled=False, size=9),
        wrapped_table(),
        wide_table(),
        invoice("en"),
        invoice("de"),
        letter("en"),
        letter("fr"),
        form(),
        code(10),
        code(8),
        receipt(),
        statement(),
    ]
