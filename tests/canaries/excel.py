"""Workbooks that reach out."""

from xml.sax.saxutils import escape, quoteattr

from tests.canaries.containers import (
    R,
    included,
    more_relations,
    outside_entities,
    part,
    related,
    with_parts,
)
from tests.canaries.target import Target

S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET, RELS = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
WORDS = '<c r="A1" t="inlineStr"><is><t>Visible words</t></is></c>'


def sheet(cells: str = "") -> str:
    rows = f'<row r="1">{WORDS}</row>{cells}'
    return f"<worksheet {S} {R}><sheetData>{rows}</sheetData></worksheet>"


def linked_books(there: Target) -> bytes:
    ids, xml = related(there, "externalLinkPath")
    books = "".join(f'<externalBook r:id="{name}"/>' for name in ids)
    to_it = (
        f'<Relationship Id="rIdOut" Type="{R[9:-1]}/externalLink" '
        'Target="externalLinks/externalLink1.xml"/>'
    )
    whole = part("xlsx", "xl/workbook.xml")
    at = whole.index("</sheets>") + 9
    references = f'<externalReferences><externalReference {R} r:id="rIdOut"/></externalReferences>'
    return with_parts(
        "xlsx",
        {
            SHEET: sheet('<row r="2"><c r="A2"><f>[1]Sheet1!A1</f><v>1</v></c></row>'),
            "xl/externalLinks/externalLink1.xml": f"<externalLink {S} {R}>{books}</externalLink>",
            "xl/externalLinks/_rels/externalLink1.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
            f"{xml}</Relationships>",
            RELS: more_relations("xlsx", RELS, to_it),
            "xl/workbook.xml": whole[:at] + references + whole[at:],
        },
    )


def formulas(there: Target) -> bytes:
    kinds = ('WEBSERVICE("{}")', 'HYPERLINK("{}")', 'IMAGE("{}")', "cmd|'/C {}'!A0", "'{}'!A1",
             'FILTERXML(WEBSERVICE("{}"),"//x")', 'RTD("x","{}")')  # fmt: skip
    cells = "".join(
        f'<row r="{2 + number}"><c r="A{2 + number}" t="str"><f>{escape(text)}</f><v></v></c></row>'
        for number, text in enumerate(
            kind.format(address) for kind in kinds for address in there.addresses
        )
    )
    return with_parts("xlsx", {SHEET: sheet(cells)})


def linked_pictures(there: Target) -> bytes:
    ids, xml = related(there, "image")
    path = "xl/drawings/drawing1.xml"
    whole = part("xlsx", path)
    at = whole.rindex("</")
    anchors = "".join(
        f'<xdr:absoluteAnchor xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/'
        f'spreadsheetDrawing"><xdr:pic><xdr:blipFill><a:blip xmlns:a="http://schemas.openxmlformats.'
        f'org/drawingml/2006/main" {R} r:link="{name}" r:embed="{name}"/></xdr:blipFill></xdr:pic>'
        "</xdr:absoluteAnchor>"
        for name in ids
    )
    more = {path: whole[:at] + anchors + whole[at:]}
    rels = "xl/drawings/_rels/drawing1.xml.rels"
    whole = part("xlsx", SHEET)
    at = whole.index("<sheetData>") + 11
    row = f'<row r="1">{WORDS}</row>'
    end = whole.index("</sheetData>")
    more[SHEET] = whole[:at] + row + whole[end:]
    return with_parts("xlsx", {rels: more_relations("xlsx", rels, xml), **more})


def connections(there: Target) -> bytes:
    inner = "".join(
        f'<connection id="{number}" name="c{number}" type="4" refreshOnLoad="1" background="1">'
        f"<webPr url={quoteattr(address)}/><dbPr connection={quoteattr(f'Data Source={address}')} "
        f'command="SELECT 1"/><textPr sourceFile={quoteattr(address)}/></connection>'
        for number, address in enumerate(there.addresses)
    )
    to_it = f'<Relationship Id="rIdCon" Type="{R[9:-1]}/connections" Target="connections.xml"/>'
    return with_parts(
        "xlsx",
        {
            SHEET: sheet(),
            "xl/connections.xml": f"<connections {S}>{inner}</connections>",
            RELS: more_relations("xlsx", RELS, to_it),
        },
    )


def sheets_elsewhere(there: Target) -> bytes:
    ids, xml = related(there, "worksheet", "Internal")
    whole = part("xlsx", "xl/workbook.xml")
    at = whole.index("</sheets>")
    sheets = "".join(
        f'<sheet {R} name="out{number}" sheetId="{90 + number}" r:id="{name}"/>'
        for number, name in enumerate(ids)
    )
    return with_parts(
        "xlsx",
        {
            SHEET: sheet(),
            "xl/workbook.xml": whole[:at] + sheets + whole[at:],
            RELS: more_relations("xlsx", RELS, xml),
        },
    )


def inclusions(there: Target) -> bytes:
    cell = f'<row r="2"><c r="A2" t="inlineStr"><is><t>x{included(there)}</t></is></c></row>'
    return with_parts("xlsx", {SHEET: sheet(cell)})


def entities(there: Target) -> bytes:
    return with_parts("xlsx", {SHEET: outside_entities(there, sheet(), "Visible words")})


READ = {
    "xlsx: linked books": linked_books,
    "xlsx: formulas": formulas,
    "xlsx: linked pictures": linked_pictures,
    "xlsx: connections": connections,
    "xlsx: inclusions": inclusions,
}
REFUSED = {
    "xlsx: entities": (entities, "DOCTYPE_REFUSED"),
    "xlsx: sheets elsewhere": (sheets_elsewhere, "*"),
}
