"""OpenDocument files and EPUB books that are well formed and mean harm."""

from tests.fuzz.archive import archive, member
from tests.fuzz.good_documents import parts
from tests.fuzz.recipes import family

MANY = 100_000


def _with(name: str, more: dict[str, bytes]) -> bytes:
    whole = parts(name) | more
    return archive(
        member(path, content, 0 if path == "mimetype" else 8) for path, content in whole.items()
    )


def _content(name: str, end: bytes, more: bytes) -> bytes:
    content = parts(name)["content.xml"]
    at = content.rindex(end)
    return _with(name, {"content.xml": content[:at] + more + content[at:]})


def _odt(more: bytes) -> bytes:
    return _content("odt", b"</office:text>", more)


def _ods(more: bytes) -> bytes:
    names = b' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    sheet = b'<table:table table:name="t"' + names + b">" + more + b"</table:table>"
    return _content("ods", b"</office:spreadsheet>", sheet)


CELL = b"<table:table-cell%s><text:p>x</text:p></table:table-cell>"
ROW = b"<table:table-row%s>" + CELL % b"" + b"</table:table-row>"
T = (
    b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)

family(
    "odt",
    {
        "spaces": _odt(b'<text:p>a<text:s text:c="2147483647"/>b</text:p>'),
        "many spaces": _odt(b'<text:p>a<text:s text:c="1000000"/>b</text:p>' * 100),
        "spaces below 0": _odt(b'<text:p>a<text:s text:c="-5"/>b</text:p>'),
        "heading of 2^31": _odt(b'<text:h text:outline-level="2147483647">x</text:h>'),
        "paragraphs": _odt(b"<text:p>x</text:p>" * MANY),
        "sections": _odt(b"<text:section>" * 5000 + b"</text:section>" * 5000),
        "lists": _odt(b"<text:list><text:list-item>" * 3000
                      + b"</text:list-item></text:list>" * 3000),
        "spans": _odt(b"<text:p>" + b"<text:span>" * 5000 + b"</text:span>" * 5000 + b"</text:p>"),
        "repeated columns": _odt(
            b'<table:table %s><table:table-row><table:table-cell table:number-columns-repeated='
            b'"2147483647"/></table:table-row></table:table>' % T),
        "encrypted": _with("odt", {"META-INF/manifest.xml": parts("odt")[
            "META-INF/manifest.xml"].replace(b"/>", b"><manifest:encryption-data/>"
                                             b"</manifest:file-entry>")}),
        "no content": _with("odt", {"content.xml": b""}),
        "picture outside": _with("odt", {"content.xml": parts("odt")["content.xml"].replace(
            b"Pictures/", b"../../../../etc/")}),
    },
)  # fmt: skip
family(
    "ods",
    {
        "repeated rows": _ods(ROW % b' table:number-rows-repeated="1048576"'),
        "repeated 2^31 rows": _ods(ROW % b' table:number-rows-repeated="2147483647"'),
        "repeated cells": _ods(b"<table:table-row>"
                               + CELL % b' table:number-columns-repeated="16384"'
                               + b"</table:table-row>"),
        "repeated 2^31 cells": _ods(b"<table:table-row>"
                                    + CELL % b' table:number-columns-repeated="2147483647"'
                                    + b"</table:table-row>"),
        "repeated both": _ods(b'<table:table-row table:number-rows-repeated="1048576">'
                              + CELL % b' table:number-columns-repeated="16384"'
                              + b"</table:table-row>"),
        "repeated below 0": _ods(ROW % b' table:number-rows-repeated="-1"'),
        "empty rows repeated": _ods(
            b'<table:table-row table:number-rows-repeated="1048575"><table:table-cell '
            b'table:number-columns-repeated="16384"/></table:table-row>' + ROW % b""),
        "spans": _ods(b"<table:table-row>" + CELL % b' table:number-columns-spanned="99999999"'
                      + b"</table:table-row>"),
        "rows": _ods(ROW % b"" * MANY),
        "sheets": _content("ods", b"</office:spreadsheet>",
                           b'<table:table table:name="t"/>' * 20_000),
        "values": _ods(b'<table:table-row><table:table-cell office:value-type="date" '
                       b'office:date-value="99999999-99-99"/><table:table-cell office:value-type='
                       b'"float" office:value="1e999"/></table:table-row>'),
    },
)  # fmt: skip

OPF = parts("epub")["EPUB/content.opf"]
CHAPTER = parts("epub")["EPUB/text/ch001.xhtml"]


def _opf(old: bytes, new: bytes) -> bytes:
    assert old in OPF, old
    return _with("epub", {"EPUB/content.opf": OPF.replace(old, new, 1)})


def _chapters(count: int) -> bytes:
    items = b"".join(
        b'<item id="n%d" href="text/ch001.xhtml" media-type="application/xhtml+xml"/>' % n
        for n in range(count)
    )
    spine = b"".join(b'<itemref idref="n%d"/>' % n for n in range(count))
    whole = OPF.replace(b"</manifest>", items + b"</manifest>").replace(
        b"</spine>", spine + b"</spine>"
    )
    return _with("epub", {"EPUB/content.opf": whole})


def _container(path: bytes) -> bytes:
    whole = parts("epub")["META-INF/container.xml"].replace(b"EPUB/content.opf", path)
    return _with("epub", {"META-INF/container.xml": whole})


def _chapter(body: bytes) -> bytes:
    at = CHAPTER.index(b"</body>")
    return _with("epub", {"EPUB/text/ch001.xhtml": CHAPTER[:at] + body + CHAPTER[at:]})


family(
    "epub",
    {
        "2,000 chapters": _chapters(2_000),
        "100,000 chapters": _chapters(MANY),
        "one chapter 5,000 times": _opf(b"</spine>", b'<itemref idref="ch001"/>' * 5000
                                        + b"</spine>"),
        "chapter missing": _opf(b"</spine>", b'<itemref idref="nothing"/></spine>'),
        "chapter is the book": _opf(b"text/ch001.xhtml", b"content.opf"),
        "chapter outside": _opf(b"text/ch001.xhtml", b"../../../../etc/passwd"),
        "chapter of the network": _opf(b"text/ch001.xhtml", b"http://127.0.0.1:9/x.xhtml"),
        "chapter is a picture": _opf(b"text/ch001.xhtml", b"toc.ncx"),
        "fallbacks in a circle": _opf(b"<manifest>",
        b'<manifest><item id="a" fallback="b" href="a" '
                                      b'media-type="x/y"/><item id="b" fallback="a" href="b" '
                                      b'media-type="x/y"/>'),
        "empty spine": _with("epub", {"EPUB/content.opf": OPF[: OPF.index(b"<itemref")]
                                      + OPF[OPF.index(b"</spine>"):]}),
        "book is outside": _container(b"../../etc/passwd"),
        "book is absolute": _container(b"/etc/passwd"),
        "book is the container": _container(b"META-INF/container.xml"),
        "book is nowhere": _container(b""),
        "encrypted": _with("epub", {"META-INF/encryption.xml": b"<encryption><EncryptedData/>"
                                    b"</encryption>", "META-INF/rights.xml": b"<rights/>"}),
        "deep chapter": _chapter(b"<div>" * 20_000 + b"</div>" * 20_000),
        "cells": _chapter(b"<table>" + (b"<tr>" + b"<td>x</td>" * 200 + b"</tr>") * 200
                          + b"</table>"),
        "spans": _chapter(b'<table><tr><td colspan="1000000000">x</td></tr></table>'),
        "long chapter": _chapter(b"<p>words</p>" * MANY),
        "pictures": _chapter(b'<img src="../../../../etc/passwd"/><img src="ch001.xhtml"/>' * 200),
        "formulas": _chapter(b'<math xmlns="http://www.w3.org/1998/Math/MathML">'
                             + b"<msup>" * 5000 + b"</msup>" * 5000 + b"</math>"),
    },
)  # fmt: skip
