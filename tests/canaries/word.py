"""Word documents that reach out."""

from collections.abc import Callable
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

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
OLE = 'xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:v="urn:schemas-microsoft-com:vml"'
A = "http://schemas.openxmlformats.org/drawingml/2006/"
DOCUMENT, RELS = "word/document.xml", "word/_rels/document.xml.rels"
WORDS = "<w:p><w:r><w:t>Visible words</w:t></w:r></w:p>"
PICTURE = (
    f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{A}wordprocessingDrawing"><a:graphic '
    f'xmlns:a="{A}main"><a:graphicData uri="{A}picture"><pic:pic xmlns:pic="{A}picture">'
    '<pic:blipFill><a:blip r:%s="%s"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>'
    "</wp:inline></w:drawing></w:r></w:p>"
)


def document(body: str) -> str:
    return f"<w:document {W} {R} {OLE}><w:body>{WORDS}{body}</w:body></w:document>"


def _related(there: Target, kind: str, body: Callable[[str], str], mode: str = "External") -> bytes:
    ids, xml = related(there, kind, mode)
    more = {DOCUMENT: document("".join(map(body, ids))), RELS: more_relations("docx", RELS, xml)}
    return with_parts("docx", more)


def linked_pictures(there: Target) -> bytes:
    return _related(there, "image", lambda name: PICTURE % ("link", name))


def embedded_pictures_outside(there: Target) -> bytes:
    return _related(there, "image", lambda name: PICTURE % ("embed", name))


def pictures_in_no_member(there: Target) -> bytes:
    return _related(there, "image", lambda name: PICTURE % ("embed", name), "Internal")


def vml_pictures(there: Target) -> bytes:
    return _related(
        there,
        "image",
        lambda name: (
            f'<w:p><w:r><w:pict><v:shape><v:imagedata r:id="{name}" r:href="{name}"/>'
            "</v:shape></w:pict></w:r></w:p>"
        ),
    )


def hyperlinks(there: Target) -> bytes:
    return _related(
        there,
        "hyperlink",
        lambda name: (
            f'<w:p><w:hyperlink r:id="{name}"><w:r><w:t>a link</w:t></w:r></w:hyperlink></w:p>'
        ),
    )


def linked_objects(there: Target) -> bytes:
    return _related(
        there,
        "oleObject",
        lambda name: (
            '<w:p><w:r><w:object><o:OLEObject Type="Link" ProgID="Word.Document.12" '
            f'UpdateMode="Always" r:id="{name}"/></w:object></w:r></w:p>'
        ),
    )


def alternative_parts(there: Target) -> bytes:
    return _related(there, "aFChunk", lambda name: f'<w:altChunk r:id="{name}"/>')


def subdocuments(there: Target) -> bytes:
    return _related(there, "subDocument", lambda name: f'<w:p><w:subDoc r:id="{name}"/></w:p>')


def template(there: Target) -> bytes:
    ids, xml = related(there, "attachedTemplate")
    inner = "".join(f'<w:attachedTemplate r:id="{name}"/>' for name in ids)
    return with_parts(
        "docx",
        {
            DOCUMENT: document(""),
            "word/settings.xml": f"<w:settings {W} {R}>{inner}</w:settings>",
            "word/_rels/settings.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.'
            f'org/package/2006/relationships">{xml}</Relationships>',
        },
    )


def frames(there: Target) -> bytes:
    ids, xml = related(there, "frame")
    inner = "".join(f'<w:frame><w:sourceFileName r:id="{name}"/></w:frame>' for name in ids)
    return with_parts(
        "docx",
        {
            DOCUMENT: document(""),
            "word/webSettings.xml": f"<w:webSettings {W} {R}><w:frameset>{inner}</w:frameset>"
            "</w:webSettings>",
            "word/_rels/webSettings.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats'
            f'.org/package/2006/relationships">{xml}</Relationships>',
        },
    )


def fields(there: Target) -> bytes:
    codes = ("INCLUDEPICTURE {} \\d", "INCLUDETEXT {}", "DDEAUTO c:\\\\cmd {}", "LINK Word {}",
             "IMPORT {}", "RD {}", "HYPERLINK {}")  # fmt: skip
    written = [code.format(f'"{address}"') for code in codes for address in there.addresses]
    body = "".join(
        f'<w:p><w:fldSimple w:instr={quoteattr(field)} w:dirty="true"/></w:p><w:p><w:r><w:fldChar '
        f'w:fldCharType="begin"/></w:r><w:r><w:instrText>{escape(field)}</w:instrText></w:r><w:r>'
        '<w:fldChar w:fldCharType="end"/></w:r></w:p>'
        for field in written
    )
    return with_parts("docx", {DOCUMENT: document(body)})


def vector_pictures(there: Target) -> bytes:
    images = "".join(f"<image xlink:href={quoteattr(it)}/>" for it in there.addresses)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{images}</svg>'
    return with_parts(
        "docx",
        {
            DOCUMENT: document(PICTURE % ("embed", "rIdSvg")),
            "word/media/drawing.svg": svg,
            RELS: more_relations(
                "docx",
                RELS,
                '<Relationship Id="rIdSvg" Type="http://schemas.openxmlformats.org/officeDocument/'
                '2006/relationships/image" Target="media/drawing.svg"/>',
            ),
        },
    )


def inclusions(there: Target) -> bytes:
    paragraph = f"<w:p><w:r><w:t>{included(there)}</w:t></w:r></w:p>"
    styles = f'<?xml-stylesheet type="text/xsl" href="{there.url}"?>'
    return with_parts("docx", {DOCUMENT: styles + document(included(there) + paragraph)})


def entities(there: Target) -> bytes:
    return with_parts("docx", {DOCUMENT: outside_entities(there, document(""), "Visible words")})


def entities_in_relations(there: Target) -> bytes:
    whole = part("docx", RELS)
    end = "</Relationships>"
    return with_parts("docx", {RELS: outside_entities(there, whole, whole[: -len(end)][-20:])})


READ = {
    "docx: linked pictures": linked_pictures,
    "docx: embedded pictures outside": embedded_pictures_outside,
    "docx: pictures in no member": pictures_in_no_member,
    "docx: VML pictures": vml_pictures,
    "docx: hyperlinks": hyperlinks,
    "docx: linked objects": linked_objects,
    "docx: alternative parts": alternative_parts,
    "docx: subdocuments": subdocuments,
    "docx: template": template,
    "docx: frames": frames,
    "docx: fields": fields,
    "docx: vector pictures": vector_pictures,
    "docx: inclusions": inclusions,
}
REFUSED = {
    "docx: entities": (entities, "DOCTYPE_REFUSED"),
    "docx: entities in relations": (entities_in_relations, "DOCTYPE_REFUSED"),
}
