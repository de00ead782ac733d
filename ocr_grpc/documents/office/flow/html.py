"""HTML: what a browser would show of it, with words for page breaks and pictures. Child only.

Nothing is fetched: of pictures elsewhere only the text stays that is to be shown in their place.
"""

import re
from dataclasses import dataclass, field

from lxml import etree, html

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import encodings
from ocr_grpc.documents.office.archives.xml import Element
from ocr_grpc.documents.office.flow.flow import Flow, FlowPages, data_of, open_flow
from ocr_grpc.documents.office.flow.html_controls import CONTROLS, show
from ocr_grpc.documents.office.flow.html_styles import Breaks, breaks, hides, sheet_breaks
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.protocol import Failure, ReaderFailure

PANDOC_FORM = "html-native_divs-native_spans-auto_identifiers"
_HEAD_BYTES = 4096
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^<>]*?(?:charset|encoding)\s*=\s*(?:["']\s*)?([\w.:-]+)""", re.I
)
_NOT_SHOWN = re.compile(
    "script|style|noscript|template|iframe|object|embed|applet|audio|video|canvas|svg|map|head|datalist"
)
_NO_TEXT_INSIDE = frozenset(["table", "ul", "ol", "dl"])
_INSIDE_OF_TABLES = frozenset(
    ("tr", "td", "th", "tbody", "thead", "tfoot", "col", "colgroup", "caption")
)
_KEPT_ATTRIBUTES = frozenset(
    ("href", "src", "alt", "class", "colspan", "rowspan", "align", "start", "type", "display")
)
"""Of the others pandoc makes nothing that is shown, and takes its time for it."""
_EMPTY = frozenset(["br", "hr", "img", "input", "wbr"])


def open_html(opening: Opening) -> FlowPages:
    """Open an HTML file.

    Raises:
        ReaderFailure: it is no text, or nested too deeply.
    """
    opening.file.seek(0)
    page = Shown(Marks())
    body = page.body(opening.file.read())
    flow = Flow(serialized([body]), PANDOC_FORM, page.marks, embedded=page.embedded)
    return open_flow(opening, DocumentKind.HTML, flow)


@dataclass
class Shown:
    """What is shown of the HTML files of one document.

    Attributes:
        embedded: the pictures that were inside of them, by the word that stands there instead.
    """

    marks: Marks
    embedded: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _breaks: Breaks = field(default_factory=Breaks)

    def body(self, content: bytes) -> Element:
        """Return the body of a file, without what is hidden, and with words for page breaks."""
        return self._shown(parse(content))

    def fragment(self, markup: str) -> Element:
        """Return a piece of HTML in the same way."""
        return self._shown(_parse_text(f"<html><body>{markup}</body></html>"))

    def _shown(self, root: Element) -> Element:
        self._breaks = sheet_breaks(root)
        body = root.find("body")
        if body is None:
            body = root
        waiting = list(reversed(body))
        while waiting:
            element = waiting.pop()
            children = list(element)
            if self._keep(element):
                waiting += reversed(children)
        # One by one it would take a time that grows with the square of the text between them.
        etree.strip_elements(body, self.marks.token, with_tail=False)
        return body

    def _keep(self, element: Element) -> bool:
        """Change an element; return whether what is in it is to be changed too."""
        style = element.get("style") or ""
        if _NOT_SHOWN.fullmatch(element.tag) or element.get("hidden") is not None or hides(style):
            element.tag = self.marks.token  # no element of the document has it
            return False
        places = breaks(style)
        places |= self._breaks.get((element.tag, ""), set())
        for name in (element.get("class") or "").split():
            places |= self._breaks.get(("", name), set())
            places |= self._breaks.get((element.tag, name), set())
        for place in places:
            self._mark(element, place)
        if element.tag == "img":
            self._take_out(element)
        elif element.tag == "table":
            _without_lonely_heads(element)
        elif element.tag in CONTROLS:
            show(element)
            return False
        for name in set(element.attrib) - _KEPT_ATTRIBUTES:
            del element.attrib[name]
        return True

    def _take_out(self, image: Element) -> None:
        source = (image.get("src") or "").strip()
        if source[:5].lower() == "data:":
            word = f"{self.marks.token}i{len(self.embedded)}"
            self.embedded[word] = data_of(source)
            image.set("src", word)

    def _mark(self, element: Element, place: str) -> None:
        mark = self.marks.page_break
        if element.tag in _INSIDE_OF_TABLES:
            return
        if element.tag in _EMPTY:
            element.tail = mark + (element.tail or "")
        elif element.tag in _NO_TEXT_INSIDE:
            between = etree.Element("p")
            between.text = mark
            if place == "before":
                element.addprevious(between)
            else:
                between.tail, element.tail = element.tail, None
                element.addnext(between)
        elif place == "before":
            element.text = mark + (element.text or "")
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + mark
        else:
            element.text = (element.text or "") + mark


def parse(content: bytes) -> Element:
    """Return the root of an HTML file in whatever encoding.

    Raises:
        ReaderFailure: it is no text, or nested too deeply.
    """
    declared = _DECLARED.search(content[:_HEAD_BYTES])
    return _parse_text(encodings.decode(content, declared[1].decode() if declared else ""))


def serialized(bodies: list[Element], between: str = "") -> bytes:
    """Return bodies as one HTML file, with a paragraph between them."""
    joint = f"<p>{between}</p>".encode() if between else b""
    for body in bodies:
        body.tag = "div"
    return joint.join(etree.tostring(body, encoding="utf-8", method="html") for body in bodies)


def _parse_text(text: str) -> Element:
    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    # A form feed is no character of XML, but of HTML.
    content = text.replace("\f", "\n").replace("\0", "").encode("utf-8", "replace")
    try:
        root: Element | None = etree.fromstring(content or b"<p></p>", parser)
    except etree.XMLSyntaxError:
        root = None
    except (ValueError, AssertionError) as error:
        raise ReaderFailure(Failure.CORRUPT) from error
    # Of nothing but comments there is no root.
    return etree.fromstring(b"<html><body></body></html>", parser) if root is None else root


def _without_lonely_heads(table: Element) -> None:
    """Make the cells of a table without a head, but with cells of one, plain cells.

    Pandoc takes the first row of them for the head, and cuts the cells that go on below it.
    """
    if table.find("thead/tr") is not None:
        return
    for row in [*table.iterfind("tr"), *table.iterfind("tbody/tr"), *table.iterfind("tfoot/tr")]:
        for cell in row.iterfind("th"):
            cell.tag = "td"
