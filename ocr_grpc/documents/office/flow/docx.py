"""Word documents: page breaks, text boxes and hidden text, which pandoc has no eye for. Child only.

Source: ECMA-376, part 1, sections 17.3 (paragraphs and runs), 17.6 (sections), 17.7 (styles).
"""

import posixpath
from itertools import pairwise

from lxml import etree

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.archives.relations import relations
from ocr_grpc.documents.office.flow.docx_fields import unwrap
from ocr_grpc.documents.office.flow.flow import Flow, FlowPages, open_flow
from ocr_grpc.documents.office.flow.marks import Marks

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DOCUMENT = "officeDocument"
_NEW_PAGE = frozenset(("nextPage", "oddPage", "evenPage"))
_NOTES = ("footnotes.xml", "endnotes.xml")
_OFF = frozenset(("0", "false", "off", "none"))


def open_docx(opening: Opening, archive: Archive) -> FlowPages:
    """Open a Word document.

    Raises:
        ReaderFailure: it is damaged, or its XML declares what it must not.
    """
    marks = Marks()
    name = _main_part(archive)
    folder = posixpath.dirname(name)
    root = xml.parse(archive.read(name))
    styles = f"{folder}/styles.xml"
    hidden, on_new_page = _styles(xml.parse(archive.read(styles))) if styles in archive else _NONE
    _unfold_text_boxes(root)
    # Before runs are taken out of furigana: what is around them may hide them.
    _remove_hidden(root, hidden)
    unwrap(root)
    _mark_breaks(root, on_new_page, marks)
    changed = {name: _written(root)}
    for part in (f"{folder}/{notes}" for notes in _NOTES):
        if part in archive:
            notes = xml.parse(archive.read(part))
            unwrap(notes)
            changed[part] = _written(notes)
    flow = Flow(
        archive.without_media(changed),
        "docx",
        marks,
        member=lambda target: posixpath.normpath(f"{folder}/{target}"),
    )
    return open_flow(opening, DocumentKind.DOCX, flow, archive)


_NONE: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


def _written(root: xml.Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _main_part(archive: Archive) -> str:
    for relation in relations(archive, "").values():
        if relation.kind == _DOCUMENT:
            return relation.part
    return "word/document.xml"


def _styles(root: xml.Element) -> tuple[frozenset[str], frozenset[str]]:
    """Return the styles whose text is hidden, and those whose paragraphs begin a page."""
    parents: dict[str, str] = {}
    hidden: dict[str, bool] = {}
    new_page: dict[str, bool] = {}
    for style in root.iter(f"{_W}style"):
        name = style.get(f"{_W}styleId") or ""
        based_on = style.find(f"{_W}basedOn")
        parents[name] = _value(based_on) if based_on is not None else ""
        for element, found in (("rPr/vanish", hidden), ("pPr/pageBreakBefore", new_page)):
            switch = style.find("/".join(f"{_W}{part}" for part in element.split("/")))
            if switch is not None:
                found[name] = _is_on(switch)
    return _with_children(hidden, parents), _with_children(new_page, parents)


def _with_children(own: dict[str, bool], parents: dict[str, str]) -> frozenset[str]:
    def inherited(name: str) -> bool:
        seen: set[str] = set()
        while name and name not in seen:
            if name in own:
                return own[name]
            seen.add(name)
            name = parents.get(name, "")
        return False

    return frozenset(name for name in parents if inherited(name))


def _unfold_text_boxes(root: xml.Element) -> None:
    """Put the paragraphs of text boxes after the paragraph that they are anchored to."""
    # Programs write what they draw twice, for older programs as well.
    for both in list(root.iter(f"{_MC}AlternateContent")):
        chosen = both.find(f"{_MC}Choice")
        if chosen is None:
            chosen = both.find(f"{_MC}Fallback")
        _replace(both, list(chosen) if chosen is not None else [])
    # From the inside out: a box may stand in a box.
    for box in reversed(list(root.iter(f"{_W}txbxContent"))):
        paragraph = next(box.iterancestors(f"{_W}p"), None)
        if paragraph is None:
            continue
        for block in reversed(list(box)):
            paragraph.addnext(block)
        drawing = next(box.iterancestors(f"{_W}drawing", f"{_W}pict"), None)
        # With pictures in the same drawing only the text leaves it.
        gone = box if drawing is None or _has_picture(drawing) else drawing
        if gone.getparent() is not None and not any(True for _ in gone.iter(f"{_W}t")):
            _replace(gone, [])


def _has_picture(drawing: xml.Element) -> bool:
    return any(True for _ in drawing.iter("{*}blip", "{*}imagedata"))


def _mark_breaks(root: xml.Element, on_new_page: frozenset[str], marks: Marks) -> None:
    for found in list(root.iter(f"{_W}br")):
        if found.get(f"{_W}type") == "page":
            _replace(found, [_text(marks)])
    for paragraph in root.iter(f"{_W}p"):
        if _begins_page(paragraph, on_new_page):
            run = etree.Element(f"{_W}r")
            run.append(_text(marks))
            properties = paragraph.find(f"{_W}pPr")
            paragraph.insert(0 if properties is None else paragraph.index(properties) + 1, run)
    sections = list(root.iter(f"{_W}sectPr"))
    # A section says itself how it begins, and it is described where it ends.
    for section, following in pairwise(sections):
        kind = following.find(f"{_W}type")
        if kind is None or _value(kind) in _NEW_PAGE:
            for paragraph in section.iterancestors(f"{_W}p"):
                run = etree.SubElement(paragraph, f"{_W}r")
                run.append(_text(marks))


def _begins_page(paragraph: xml.Element, on_new_page: frozenset[str]) -> bool:
    own = paragraph.find(f"{_W}pPr/{_W}pageBreakBefore")
    if own is not None:
        return _is_on(own)
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return style is not None and _value(style) in on_new_page


def _remove_hidden(root: xml.Element, hidden: frozenset[str]) -> None:
    for run in list(root.iter(f"{_W}r")):
        own = run.find(f"{_W}rPr/{_W}vanish")
        style = run.find(f"{_W}rPr/{_W}rStyle")
        by_style = style is not None and _value(style) in hidden
        if by_style if own is None else _is_on(own):
            for shown in list(run):
                if shown.tag != f"{_W}fldChar":  # a field has to end
                    run.remove(shown)


def _text(marks: Marks) -> xml.Element:
    text = etree.Element(f"{_W}t")
    text.text = marks.page_break
    return text


def _replace(element: xml.Element, by: list[xml.Element]) -> None:
    parent = element.getparent()
    if parent is None:
        return
    place = parent.index(element)
    parent.remove(element)
    parent[place:place] = by


def _value(element: xml.Element) -> str:
    return element.get(f"{_W}val") or ""


def _is_on(element: xml.Element) -> bool:
    return _value(element) not in _OFF
