"""XML that explodes, reaches out, or says what it is not, in every part of every container."""

from collections.abc import Callable
from random import Random

from tests.fuzz.archive import archive, member, members_of
from tests.fuzz.good_documents import good, parts
from tests.fuzz.recipes import RECIPES, Recipe

PARTS = {
    "docx": ("word/document.xml", "word/styles.xml", "word/_rels/document.xml.rels",
             "[Content_Types].xml", "word/numbering.xml"),
    "docx by pandoc": ("word/document.xml", "word/footnotes.xml", "word/comments.xml"),
    "xlsx": ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
             "xl/styles.xml"),
    "pptx": ("ppt/slides/slide1.xml", "ppt/presentation.xml", "ppt/_rels/presentation.xml.rels",
             "ppt/slideLayouts/slideLayout1.xml", "ppt/notesSlides/notesSlide1.xml"),
    "odt": ("content.xml", "styles.xml", "META-INF/manifest.xml"),
    "ods": ("content.xml", "meta.xml"),
    "epub": ("EPUB/text/ch001.xhtml", "EPUB/content.opf", "META-INF/container.xml", "EPUB/toc.ncx"),
}  # fmt: skip

Change = Callable[[Random, bytes], bytes]
MANY = 100_000


def _declaration_end(xml: bytes) -> int:
    return xml.index(b"?>") + 2 if xml.lstrip().startswith(b"<?xml") else 0


def _before_root(xml: bytes, more: bytes) -> bytes:
    at = _declaration_end(xml)
    return xml[:at] + more + xml[at:]


def _in_root(xml: bytes, more: bytes) -> bytes:
    """Put something behind the start of the root element."""
    at = _declaration_end(xml)
    while xml[at : at + 2] in (b"<!", b"<?") or xml[at : at + 1].isspace():
        at = xml.index(b">", at) + 1 if xml[at : at + 1] == b"<" else at + 1
    end = xml.index(b">", at)
    if xml[end - 1 : end] == b"/":
        return xml[: end - 1] + b">" + more
    return xml[: end + 1] + more + xml[end + 1 :]


def _in_root_tag(xml: bytes, more: bytes) -> bytes:
    at = _in_root(xml, b"\0").index(b"\0") - 1
    return xml[:at] + b" " + more + xml[at:]


def _doctype(inner: bytes, text: bytes = b"") -> Change:
    """Declare a document type, and use an entity of it."""

    def change(_: Random, xml: bytes) -> bytes:
        return _in_root(_before_root(xml, b"<!DOCTYPE r [" + inner + b"]>"), text)

    return change


LAUGHS = b'<!ENTITY a0 "ha">' + b"".join(
    b'<!ENTITY a%d "%s">' % (n + 1, b"&a%d;" % n * 10) for n in range(12)
)


def _nested(tag: bytes, depth: int) -> bytes:
    name = tag.split()[0]
    return b"<%s>" % tag * depth + b"x" + b"</%s>" % name * depth


CHANGES: dict[str, Change] = {
    "billion laughs": _doctype(LAUGHS, b"&a12;"),
    "quadratic blowup": _doctype(b'<!ENTITY b "%s">' % (b"b" * MANY), b"&b;" * MANY),
    "entity that is a file": _doctype(b'<!ENTITY f SYSTEM "file:///etc/passwd">', b"&f;"),
    "entity in an attribute": _doctype(b'<!ENTITY f "x">', b'<a b="&f;"/>'),
    "parameter entity": _doctype(b'<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;'),
    "entity that is itself": _doctype(b'<!ENTITY s "&s;">', b"&s;"),
    "plain doctype": lambda _, xml: _before_root(xml, b"<!DOCTYPE r>"),
    "doctype in UTF-16": lambda _, xml: (
        b'<?xml version="1.0" encoding="UTF-16"?>'.decode()
        + _before_root(xml, b"<!DOCTYPE r [" + LAUGHS + b"]>")[_declaration_end(xml) :].decode()
    ).encode("utf-16"),
    "doctype in EBCDIC": lambda _, xml: (
        '<?xml version="1.0" encoding="cp037"?><!DOCTYPE r><r>&amp;</r>'
    ).encode("cp037"),
    "doctype in UTF-7": lambda _, xml: (
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r+AD4APA-r/+AD4-'
    ),
    "doctype far behind": lambda _, xml: _before_root(
        xml, b"<!--" + b" " * 300_000 + b"-->" + b"\n" * MANY + b"<!DOCTYPE r>"
    ),
    "doctype in CDATA": lambda _, xml: _in_root(xml, b"<![CDATA[<!DOCTYPE r>]]>"),
    "undefined entity": lambda _, xml: _in_root(xml, b"&nothing;"),
    "deep": lambda _, xml: _in_root(xml, _nested(b"d", MANY)),
    "deep, of its own element": lambda _, xml: _in_root(
        xml, _nested(b'w:p xmlns:w="urn:w"', MANY // 10)
    ),
    "deep and never closed": lambda _, xml: _in_root(xml, b"<d>" * MANY),
    "huge attribute": lambda _, xml: _in_root(xml, b'<d a="%s"/>' % (b"a" * 11_000_000)),
    "many attributes": lambda dice, xml: _in_root(
        xml, b"<d " + b" ".join(b'a%d=""' % n for n in range(MANY)) + b"/>"
    ),
    "many namespaces": lambda _, xml: _in_root(
        xml, b"<d " + b" ".join(b'xmlns:a%d="u%d"' % (n, n) for n in range(MANY // 4)) + b"/>"
    ),
    "namespaces in depth": lambda _, xml: _in_root(
        xml, b"".join(b'<d xmlns:n%d="u">' % n for n in range(5000)) + b"</d>" * 5000
    ),
    "many elements": lambda _, xml: _in_root(xml, b"<d/>" * (5 * MANY)),
    "long name": lambda _, xml: _in_root(xml, b"<%s/>" % (b"n" * 1_000_000)),
    "much text": lambda _, xml: _in_root(xml, b"text " * 3_000_000),
    "flood of CDATA": lambda _, xml: _in_root(xml, b"<![CDATA[x]]>" * MANY),
    "flood of comments": lambda _, xml: _in_root(xml, b"<!---->" * MANY),
    "flood of instructions": lambda _, xml: _in_root(xml, b"<?p i?>" * MANY),
    "flood of references": lambda _, xml: _in_root(xml, b"&#120;" * MANY),
    "forbidden characters": lambda _, xml: _in_root(xml, b"\0\1\2\x0b\x1f\xef\xbf\xbe"),
    "forbidden references": lambda _, xml: _in_root(xml, b"&#0;&#xD800;&#xFFFF;&#1114112;"),
    "attribute twice": lambda _, xml: _in_root_tag(xml, b'q="1" q="2"'),
    "unknown encoding": lambda _, xml: (
        b'<?xml version="1.0" encoding="klingon"?>' + xml[_declaration_end(xml) :]
    ),
    "wrong encoding": lambda _, xml: (
        b'<?xml version="1.0" encoding="UTF-16"?>' + xml[_declaration_end(xml) :]
    ),
    "other encoding": lambda dice, xml: (
        xml[_declaration_end(xml) :]
        .decode()
        .encode(dice.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp037")))
    ),
    "not UTF-8": lambda _, xml: _in_root(xml, b"\xff\xfe\xc0\xaf\xed\xa0\x80"),
    "XInclude": lambda _, xml: _in_root(
        xml,
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>',
    ),
    "stylesheet": lambda _, xml: _before_root(
        xml, b'<?xml-stylesheet type="text/xsl" href="file:///etc/passwd"?>'
    ),
    "two roots": lambda _, xml: xml + xml[_declaration_end(xml) :],
    "no root": lambda _, xml: xml[: _declaration_end(xml)],
    "another root": lambda _, xml: b"<html><body>words</body></html>",
    "version 9": lambda _, xml: b'<?xml version="9.9"?>' + xml[_declaration_end(xml) :],
    "words repeated": lambda dice, xml: _words_repeated(dice, xml),
    "elements repeated": lambda dice, xml: _elements_repeated(dice, xml),
}


def _words_repeated(dice: Random, xml: bytes) -> bytes:
    """Repeat a stretch between two tags, which keeps most of it well formed."""
    tags = [at for at in range(len(xml)) if xml[at : at + 1] == b"<"]
    start, end = sorted(dice.sample(tags, 2))
    return xml[:start] + xml[start:end] * dice.choice((2, 50, 1000)) + xml[end:]


def _elements_repeated(dice: Random, xml: bytes) -> bytes:
    """Repeat all that the root holds."""
    start = _in_root(xml, b"\0").index(b"\0")
    end = max(start, xml.rfind(b"</"))
    times = max(2, dice.choice((100_000, 3_000_000)) // max(1, end - start))
    return xml[:start] + xml[start:end] * times + xml[end:]


def _applied(change: Change, dice: Random) -> bytes:
    name = dice.choice(list(PARTS))
    path = dice.choice(PARTS[name])
    assert path in parts(name), (name, path)
    return archive(
        member(each.name, change(dice, each.content()), each.method) if each.name == path else each
        for each in members_of(good(name))
    )


def _recipe(name: str, change: Change) -> Recipe:
    return Recipe(f"xml: {name}", "zip", lambda dice: _applied(change, dice))


RECIPES += [_recipe(name, change) for name, change in CHANGES.items()]
