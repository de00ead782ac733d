"""OpenDocument texts: page breaks and hidden text, which pandoc has no eye for. Child only.

Source: OpenDocument 1.3, part 3, sections 16 (styles), 20.184 and 20.185 (breaks).
"""

import posixpath
from dataclasses import dataclass, field

from lxml import etree

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.flow.flow import Flow, FlowPages, open_flow
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.odt_boxes import unfold_boxes, unfold_tables
from ocr_grpc.documents.office.flow.odt_fields import unwrap

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:"
_STYLE, _TEXT, _TABLE = f"{_NAMES}style:1.0}}", f"{_NAMES}text:1.0}}", f"{_NAMES}table:1.0}}"
_FO = f"{_NAMES}xsl-fo-compatible:1.0}}"


@dataclass
class _Styles:
    """What styles say about pages, by their names."""

    parents: dict[str, str] = field(default_factory=dict[str, str])
    before: dict[str, bool] = field(default_factory=dict[str, bool])
    after: dict[str, bool] = field(default_factory=dict[str, bool])
    hidden: dict[str, bool] = field(default_factory=dict[str, bool])

    def add(self, root: xml.Element) -> None:
        """Take over the styles of a part; later ones win."""
        for style in root.iter(f"{_STYLE}style"):
            name = style.get(f"{_STYLE}name") or ""
            self.parents[name] = style.get(f"{_STYLE}parent-style-name") or ""
            if style.get(f"{_STYLE}master-page-name"):
                self.before[name] = True  # another kind of page begins with a page
            for properties in style:
                before, after = (properties.get(f"{_FO}break-{at}") for at in ("before", "after"))
                if before is not None:
                    self.before[name] = before == "page"
                if after is not None:
                    self.after[name] = after == "page"
                if properties.get(f"{_TEXT}display") is not None:
                    self.hidden[name] = properties.get(f"{_TEXT}display") == "none"

    def say(self, own: dict[str, bool], name: str) -> bool:
        """Return what a style or the one it is based on says."""
        seen: set[str] = set()
        while name and name not in seen:
            if name in own:
                return own[name]
            seen.add(name)
            name = self.parents.get(name, "")
        return False


def open_odt(opening: Opening, archive: Archive) -> FlowPages:
    """Open an OpenDocument text.

    Raises:
        ReaderFailure: it is damaged, or its XML declares what it must not.
    """
    marks = Marks()
    root = xml.parse(archive.read("content.xml"))
    styles = _Styles()
    if "styles.xml" in archive:
        styles.add(xml.parse(archive.read("styles.xml")))
    styles.add(root)
    _remove_hidden(root, styles)
    unwrap(root)
    unfold_boxes(root)
    unfold_tables(root)
    for element in list(root.iter(f"{_TEXT}p", f"{_TEXT}h")):
        _mark_paragraph(element, styles, marks)
    for table in list(root.iter(f"{_TABLE}table")):
        name = table.get(f"{_TABLE}style-name") or ""
        if styles.say(styles.before, name):
            table.addprevious(_paragraph(marks))
        if styles.say(styles.after, name):
            table.addnext(_paragraph(marks))
    changed = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    flow = Flow(
        archive.without_media({"content.xml": changed}), "odt", marks, member=posixpath.normpath
    )
    return open_flow(opening, DocumentKind.ODT, flow, archive)


def _mark_paragraph(element: xml.Element, styles: _Styles, marks: Marks) -> None:
    name = element.get(f"{_TEXT}style-name") or ""
    if styles.say(styles.before, name):
        element.text = marks.page_break + (element.text or "")
    if styles.say(styles.after, name):
        if len(element):
            element[-1].tail = (element[-1].tail or "") + marks.page_break
        else:
            element.text = (element.text or "") + marks.page_break


def _paragraph(marks: Marks) -> xml.Element:
    paragraph = etree.Element(f"{_TEXT}p")
    paragraph.text = marks.page_break
    return paragraph


def _remove_hidden(root: xml.Element, styles: _Styles) -> None:
    for element in list(root.iter(f"{_TEXT}span", f"{_TEXT}p", f"{_TEXT}h")):
        if styles.say(styles.hidden, element.get(f"{_TEXT}style-name") or ""):
            tail = element.tail
            element.clear()
            element.tail = tail
