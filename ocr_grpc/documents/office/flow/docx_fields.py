"""What pandoc drops from Word documents with all that is in it: its text is taken out. Child only.

Source: ECMA-376, part 1, sections 17.3.2.3 (bdo), 17.3.2.8 (dir), 17.3.3.25 (ruby), 17.5.1 (custom
XML) and 17.16.19 (fldSimple).
"""

from copy import deepcopy

from lxml import etree

from ocr_grpc.documents.office.archives import xml

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WRAPPERS = tuple(f"{_W}{name}" for name in ("fldSimple", "bdo", "dir", "customXml"))
_ABOUT_WRAPPERS = frozenset((f"{_W}fldData", f"{_W}customXmlPr"))


def unwrap(root: xml.Element) -> None:
    """Put what is in fields, turned text, custom XML and under furigana in their place."""
    # From the outside in, so that whatever is nested moves once.
    for wrapper in list(root.iterdescendants(*_WRAPPERS)):
        for inner in list(wrapper):
            if inner.tag not in _ABOUT_WRAPPERS:
                wrapper.addprevious(inner)
        _remove(wrapper)
    for run in dict.fromkeys(ruby.getparent() for ruby in root.iter(f"{_W}ruby")):
        if run is not None and run.tag == f"{_W}r" and run.getparent() is not None:
            _split(run)


def _split(run: xml.Element) -> None:
    """Put the runs that furigana explain in place of their run, between what else is in it."""
    properties = run.find(f"{_W}rPr")
    part: xml.Element | None = None
    for inner in list(run):
        if inner.tag == f"{_W}ruby":
            for base in inner.findall(f"{_W}rubyBase"):
                for explained in list(base):
                    run.addprevious(explained)
            run.remove(inner)  # one by one: lxml takes the square of their number for all at once
            part = None
        elif inner is not properties:
            if part is None:
                part = etree.Element(f"{_W}r")
                if properties is not None:
                    part.append(deepcopy(properties))
                run.addprevious(part)
            part.append(inner)
    _remove(run)


def _remove(element: xml.Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
