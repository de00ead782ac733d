"""OpenDocument files and books that reach out."""

from html import escape
from xml.sax.saxutils import quoteattr

from tests.canaries.containers import included, outside_entities, part, with_parts
from tests.canaries.html import reaching
from tests.canaries.target import Target

X = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
T = 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
P = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
D = 'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
CHAPTER, OPF = "EPUB/text/ch001.xhtml", "EPUB/content.opf"


def _odt(more: str) -> bytes:
    whole = part("odt", "content.xml").replace("Some words.", "Visible words")
    at = whole.rindex("</office:text>")
    return with_parts("odt", {"content.xml": whole[:at] + more + whole[at:]})


def _ods(more: str) -> bytes:
    whole = part("ods", "content.xml").replace("First 0 0", "Visible words")
    at = whole.rindex("</office:spreadsheet>")
    return with_parts("ods", {"content.xml": whole[:at] + more + whole[at:]})


def _each(there: Target, element: str) -> str:
    return "".join(element % quoteattr(address) for address in there.addresses)


def linked_pictures(there: Target) -> bytes:
    picture = f"<text:p {P}><draw:frame {D}><draw:image {X} xlink:href=%s/></draw:frame></text:p>"
    return _odt(_each(there, picture))


def linked_sections(there: Target) -> bytes:
    section = (
        f'<text:section {P} text:name="s"><text:section-source {X} xlink:type="simple" '
        'xlink:href=%s xlink:show="embed"/></text:section>'
    )
    return _odt(_each(there, section))


def linked_objects(there: Target) -> bytes:
    kinds = ("object", "object-ole", "plugin", "floating-frame", "applet")
    return _odt(
        "".join(
            _each(there, f"<text:p {P}><draw:frame {D}><draw:{kind} {X} xlink:href=%s/>"
                  "</draw:frame></text:p>")
            for kind in kinds
        )
    )  # fmt: skip


def odt_inclusions(there: Target) -> bytes:
    return _odt(f"<text:p {P}>x{included(there)}</text:p>")


def linked_tables(there: Target) -> bytes:
    table = (
        f'<table:table {T} table:name="t"><table:table-source {X} table:mode="copy-all" '
        'table:table-name="a" xlink:href=%s/><table:table-row><table:table-cell>'
        f'<table:cell-range-source {X} table:name="x" xlink:href="x"/></table:table-cell>'
        "</table:table-row></table:table>"
    )
    return _ods(_each(there, table))


def ods_formulas(there: Target) -> bytes:
    cells = "".join(
        f"<table:table-row><table:table-cell table:formula={quoteattr(text)}/></table:table-row>"
        for address in there.addresses
        for text in (f'of:=WEBSERVICE("{address}")', f'of:=DDE("soffice";"{address}";"a")')
    )
    return _ods(f'<table:table {T} table:name="t">{cells}</table:table>')


def odt_entities(there: Target) -> bytes:
    whole = part("odt", "content.xml")
    return with_parts("odt", {"content.xml": outside_entities(there, whole, "Some words.")})


def ods_entities(there: Target) -> bytes:
    whole = part("ods", "content.xml")
    return with_parts("ods", {"content.xml": outside_entities(there, whole, "First 0 0")})


def _chapter(body: str, head: str = "") -> bytes:
    whole = part("epub", CHAPTER)
    at = whole.index("</body>")
    whole = whole[:at] + "<p>Visible words</p>" + body + whole[at:]
    return with_parts("epub", {CHAPTER: whole.replace("</head>", head + "</head>")})


def chapters_reach_out(there: Target) -> bytes:
    # What is no XML would have the chapter refused, and nobody would look at the rest.
    elements = [each for each in reaching(there) if each.endswith("/>")]
    links = _each(there, '<link rel="stylesheet" href=%s/>')
    return _chapter("".join(elements) + included(there), links)


def items_outside(there: Target) -> bytes:
    items = "".join(
        f'<item id="out{number}" href={quoteattr(address)} media-type="application/xhtml+xml"/>'
        f'<item id="pic{number}" href={quoteattr(address)} media-type="image/png"/>'
        for number, address in enumerate(there.addresses)
    )
    whole = part("epub", OPF).replace("</manifest>", items + "</manifest>")
    chapter = part("epub", CHAPTER).replace("</body>", "<p>Visible words</p></body>")
    return with_parts("epub", {OPF: whole, CHAPTER: chapter})


def chapters_outside(there: Target) -> bytes:
    items = "".join(
        f'<item id="out{number}" href={quoteattr(address)} media-type="application/xhtml+xml"/>'
        for number, address in enumerate(there.addresses)
    )
    spine = "".join(f'<itemref idref="out{number}"/>' for number in range(len(there.addresses)))
    whole = part("epub", OPF).replace("</manifest>", items + "</manifest>")
    return with_parts("epub", {OPF: whole.replace("</spine>", spine + "</spine>")})


def books_outside(there: Target) -> bytes:
    path = "META-INF/container.xml"
    return with_parts("epub", {path: part("epub", path).replace(OPF, there.file_url)})


def epub_entities(there: Target) -> bytes:
    whole = part("epub", OPF)
    return with_parts("epub", {OPF: outside_entities(there, whole, "A good book")})


def outside_types(there: Target) -> bytes:
    """Return a book whose table of contents names a document type on the network."""
    path = "EPUB/toc.ncx"
    start = f'<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "{escape(there.url)}">'
    whole = part("epub", path)
    at = whole.index("?>") + 2
    chapter = part("epub", CHAPTER).replace("</body>", "<p>Visible words</p></body>")
    return with_parts("epub", {path: whole[:at] + start + whole[at:], CHAPTER: chapter})


READ = {
    "odt: linked pictures": linked_pictures,
    "odt: linked sections": linked_sections,
    "odt: linked objects": linked_objects,
    "odt: inclusions": odt_inclusions,
    "ods: linked tables": linked_tables,
    "ods: formulas": ods_formulas,
    "epub: chapters reach out": chapters_reach_out,
    "epub: items outside": items_outside,
}
REFUSED = {
    "odt: entities": (odt_entities, "DOCTYPE_REFUSED"),
    "ods: entities": (ods_entities, "DOCTYPE_REFUSED"),
    "epub: entities": (epub_entities, "DOCTYPE_REFUSED"),
    "epub: outside types": (outside_types, "*"),
    "epub: chapters outside": (chapters_outside, "*"),
    "epub: books outside": (books_outside, "*"),
}
