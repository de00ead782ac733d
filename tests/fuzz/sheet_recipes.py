"""Workbooks that are well formed and mean harm."""

from random import Random

from tests.fuzz.good_documents import good, parts
from tests.fuzz.recipes import family, recipe
from tests.fuzz.word_recipes import with_parts

S = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
MANY = 100_000


def _xlsx(sheet: bytes, **more: bytes) -> bytes:
    whole = b"<worksheet %s>%s</worksheet>" % (S, sheet)
    return with_parts("xlsx", {"xl/worksheets/sheet1.xml": whole, **more})


def _cells(*cells: bytes) -> bytes:
    return b"<sheetData>" + b"".join(cells) + b"</sheetData>"


def _row(number: int, inner: bytes) -> bytes:
    return b'<row r="%d">%s</row>' % (number, inner)


ONE = b'<c r="%s"><v>1</v></c>'
BOOK = parts("xlsx")["xl/workbook.xml"]


def _sheets(count: int) -> bytes:
    at, end = BOOK.index(b"<sheets>") + 8, BOOK.index(b"</sheets>")
    ref = BOOK[at:end].split(b'r:id="')
    first = ref[1].split(b'"')[0] if len(ref) > 1 else b"rId1"
    names = b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    sheets = b"".join(
        b'<sheet %s name="s%d" sheetId="%d" r:id="%s"/>' % (names, n, n + 1, first)
        for n in range(count)
    )
    return with_parts("xlsx", {"xl/workbook.xml": BOOK[:at] + sheets + BOOK[end:]})


family(
    "xlsx",
    {
        "last cell": _xlsx(_cells(_row(1048576, ONE % b"XFD1048576"))),
        "first and last cell": _xlsx(
            _cells(_row(1, ONE % b"A1"), _row(1048576, ONE % b"XFD1048576"))),
        "dimension": _xlsx(b'<dimension ref="A1:XFD1048576"/>' + _cells(_row(1, ONE % b"A1"))),
        "dimension backwards": _xlsx(b'<dimension ref="XFD9:A1"/>' + _cells(_row(1, ONE % b"A1"))),
        "cell beyond": _xlsx(_cells(_row(1, ONE % b"ZZZZZZZ99999999999"))),
        "cell nowhere": _xlsx(_cells(_row(1, ONE % b"A0" + ONE % b"" + ONE % b"1" + ONE % b"-B2"))),
        "row 2^32": _xlsx(_cells(_row(2**32, ONE % b"A4294967296"))),
        "diagonal": _xlsx(_cells(*(_row(n, ONE % b"C%d" % n) for n in range(1, 5000)))),
        "last column": _xlsx(_cells(*(_row(n, ONE % b"XFD%d" % n) for n in range(1, 2000)))),
        "merged": _xlsx(_cells(_row(1, ONE % b"A1")) + b"<mergeCells>"
                        + b'<mergeCell ref="A1:XFD1048576"/>' * 999 + b"</mergeCells>"),
        "strings missing": _xlsx(_cells(_row(1, b'<c r="A1" t="s"><v>99999999</v></c>'))),
        "strings below 0": _xlsx(_cells(_row(1, b'<c r="A1" t="s"><v>-1</v></c>'))),
        "wide inline": _xlsx(_cells(_row(1, b'<c r="A1" t="inlineStr"><is><t>'
                                     + b"x" * 3_000_000 + b"</t></is></c>"))),
        "dates": _xlsx(_cells(_row(1, b'<c r="A1" t="d"><v>9999999-99-99</v></c>'
                                   b'<c r="B1" s="99999"><v>1e308</v></c><c r="C1"><v>NaN</v></'
                                   b'c>'))),
        "formula": _xlsx(_cells(_row(1, b'<c r="A1"><f>' + b"(" * MANY + b"</f><v>1</v></c>"))),
        "shared formulas": _xlsx(_cells(
            _row(1, b'<c r="A1"><f t="shared" ref="A1:XFD1048576" si="0">A1</f><v>1</v></c>'))),
        "formula to run": _xlsx(_cells(
            _row(1, b'<c r="A1" t="str"><f>cmd|\'/C calc\'!A0</f><v>=cmd|x</v></c>'))),
        "wrong kinds": _xlsx(_cells(_row(1, b'<c r="A1" t="b"><v>x</v></c><c r="B1" t="n"><v>x</'
        b'v></c>'
                                         b'<c r="C1" t="e"><v>#X</v></c><c r="D1" t="z"/>'))),
        "5,000 sheets": _sheets(5_000),
        "50,000 sheets": _sheets(50_000),
        "no sheets": _sheets(0),
        "rows": _xlsx(_cells(*(_row(n, ONE % b"A%d" % n) for n in range(1, 100_000)))),
        "row twice": _xlsx(_cells(_row(5, ONE % b"A5"), _row(1, ONE % b"A1"), _row(5,
        ONE % b"A5"))),
    },
)  # fmt: skip


@recipe("xlsx")
def shared_strings(dice: Random) -> bytes:
    """Refer a hundred thousand times to one long string."""
    size = dice.choice((1000, 100_000))
    strings = b'<sst %s count="4294967295" uniqueCount="4294967295"><si><t>%s</t></si></sst>'
    rows = (
        _row(n, b"".join(b'<c t="s" r="%c%d"><v>0</v></c>' % (65 + c, n) for c in range(20)))
        for n in range(1, 2000)
    )
    types = parts("xlsx")["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    )
    rels = parts("xlsx")["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rIdS" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        b'relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    more = {"xl/sharedStrings.xml": strings % (S, b"x" * size), "[Content_Types].xml": types,
            "xl/_rels/workbook.xml.rels": rels}  # fmt: skip
    return _xlsx(_cells(*rows), **more)


@recipe("xls")
def records_lie(dice: Random) -> bytes:
    """Put evil numbers into the records and the sector tables of a compound file."""
    changed = bytearray(good("xls"))
    for _ in range(dice.choice((1, 3, 20))):
        at = 4 * dice.randrange(len(changed) // 4)
        changed[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f",
                                            b"\1\0\0\0", b"\xfe\xff\xff\xff"))  # fmt: skip
    return bytes(changed)


@recipe("xls")
def sectors_in_a_circle(dice: Random) -> bytes:
    """Chain the sectors of a compound file to each other."""
    changed = bytearray(good("xls"))
    table = 512 * (1 + int.from_bytes(changed[76:80], "little"))
    for number in range(40):
        where = table + 4 * number
        if where + 4 <= len(changed) and dice.random() < 0.5:
            changed[where : where + 4] = dice.randrange(0, 12).to_bytes(4, "little")
    return bytes(changed)


@recipe("doc")
def another_compound_file(dice: Random) -> bytes:
    """Name the workbook otherwise, as in a Word document or a message."""
    names = ("WordDocument", "PowerPoint Document", "EncryptedPackage", "__properties_version1.0")
    old, new = "Workbook".encode("utf-16-le"), dice.choice(names).encode("utf-16-le")
    return good("xls").replace(old, new[: len(old)])
