"""Word documents, and pictures in documents, that are well formed and mean harm."""

from random import Random

from tests.documents.samples import png_bomb
from tests.fuzz.archive import archive, member
from tests.fuzz.good_documents import good, parts
from tests.fuzz.recipes import family, recipe

W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MANY = 100_000


def with_parts(name: str, more: dict[str, bytes]) -> bytes:
    """Return a good container with some members replaced or added."""
    whole = parts(name) | more
    return archive(member(path, content) for path, content in whole.items())


def _docx(body: bytes) -> bytes:
    whole = b"<w:document %s><w:body>%s</w:body></w:document>" % (W, body)
    return with_parts("docx", {"word/document.xml": whole})


def _paragraph(text: bytes = b"x", properties: bytes = b"") -> bytes:
    return b"<w:p>%s<w:r><w:t>%s</w:t></w:r></w:p>" % (properties, text)


def _cell(inner: bytes, properties: bytes = b"") -> bytes:
    return b"<w:tbl><w:tr><w:tc>%s%s</w:tc></w:tr></w:tbl>" % (properties, inner)


def _tables(depth: int) -> bytes:
    start, end = b"<w:tbl><w:tr><w:tc>", b"<w:p/></w:tc></w:tr></w:tbl>"
    return start * depth + _paragraph() + end * depth


def _span(word: bytes, number: bytes) -> bytes:
    return b'<w:tcPr><w:%s w:val="%s"/></w:tcPr>' % (word, number)


BREAK = b'<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
STYLES = b"<w:styles %s>%s</w:styles>"
CIRCLE = b'<w:style w:type="paragraph" w:styleId="a"><w:basedOn w:val="b"/></w:style>' \
         b'<w:style w:type="paragraph" w:styleId="b"><w:basedOn w:val="a"/></w:style>'  # fmt: skip
STYLED = _paragraph(b"x", b'<w:pPr><w:pStyle w:val="a"/></w:pPr>')
LEVEL = b'<w:pPr><w:numPr><w:ilvl w:val="%s"/><w:numId w:val="1"/></w:numPr></w:pPr>'

family(
    "docx",
    {
        "paragraphs": _docx(_paragraph() * MANY),
        "9,000 page breaks": _docx(BREAK * 9_000),
        "50,000 page breaks": _docx(BREAK * 50_000),
        "long paragraph": _docx(_paragraph(b"words " * 1_000_000)),
        "tables in tables": _docx(_tables(200)),
        "tables in deep tables": _docx(_tables(5000)),
        "wide table": _docx(_cell(_paragraph() + b"</w:tc><w:tc>", b"") * 2000),
        "span of 2^31": _docx(_cell(_paragraph(), _span(b"gridSpan", b"2147483647"))),
        "span below 0": _docx(_cell(_paragraph(), _span(b"gridSpan", b"-5"))),
        "many spans": _docx(_cell(_paragraph(), _span(b"gridSpan", b"20000")) * 500),
        "styles in a circle": with_parts(
            "docx", {"word/styles.xml": STYLES % (W, CIRCLE),
                     "word/document.xml": b"<w:document %s><w:body>%s</w:body></w:document>"
                     % (W, STYLED)}),
        "deep list": _docx(b"".join(_paragraph(b"x", LEVEL % (b"%d" % n)) for n in range(3000))),
        "list level of 2^31": _docx(_paragraph(b"x", LEVEL % b"2147483647")),
        "smart tags": _docx(b"<w:p>" + b"<w:smartTag>" * 5000 + b"</w:smartTag>" * 5000 + b"</"
        b"w:p>"),
        "content controls": _docx(
            b"<w:sdt><w:sdtContent>" * 5000 + _paragraph() + b"</w:sdtContent></w:sdt>" * 5000),
        "fields": _docx(b'<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r></w:p>' * 5000),
        "insertions": _docx(b"<w:ins>" * 5000 + _paragraph() + b"</w:ins>" * 5000),
        "text of controls": _docx(_paragraph("\u202e\u2066\u0085\ufeff\u2028 words".encode())),
        "empty body": _docx(b""),
        "no document": with_parts("docx", {"word/document.xml": b""}),
        "types of another format": with_parts(
            "docx", {"[Content_Types].xml": parts("xlsx")["[Content_Types].xml"]}),
    },
)  # fmt: skip

BLIP = (
    b'<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
    b'wordprocessingDrawing"><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/'
    b'main"><a:graphicData><pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/'
    b'picture"><pic:blipFill><a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/'
    b"2006/"
    b'relationships" r:embed="%s"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></'
    b"wp:inline>"
    b"</w:drawing></w:r></w:p>"
)


def _picture_of(dice: Random) -> bytes:
    """Return something that stands where a picture should."""
    return dice.choice((
        b"", b"words", png_bomb(30_000, 30_000), good("pdf"), good("docx"), good("jpeg")[:300],
        good("tiff"), good("gif"), good("avif"), b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xd7\xcd\xc6\x9a" + bytes(500), b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(500),
        bytes(1000), png_bomb(8, 200_000),
    ))  # fmt: skip


@recipe("docx")
def pictures_that_are_none(dice: Random) -> bytes:
    return with_parts("docx", {"word/media/image1.png": _picture_of(dice)})


@recipe("pptx")
def pictures_on_slides_that_are_none(dice: Random) -> bytes:
    paths = [path for path in parts("pptx") if "media" in path]
    return with_parts("pptx", dict.fromkeys(paths, _picture_of(dice)))


@recipe("odt")
def pictures_in_text_that_are_none(dice: Random) -> bytes:
    paths = [path for path in parts("odt") if path.endswith(".png")]
    return with_parts("odt", dict.fromkeys(paths, _picture_of(dice)))


@recipe("docx")
def many_pictures(dice: Random) -> bytes:
    rels = parts("docx")["word/_rels/document.xml.rels"]
    at = rels.index(b"media/image1.png")
    name = rels[rels.rindex(b'Id="', 0, at) + 4 :].split(b'"')[0]
    return _docx(BLIP % name * dice.choice((60, 3000)))


@recipe("docx")
def relations_elsewhere(dice: Random) -> bytes:
    target = dice.choice(
        (
            b"../../../../etc/passwd",
            b"/etc/passwd",
            b"document.xml",
            b"",
            b"\\\\h\\s",
            b"file:///etc/passwd",
            b"media/../../word/media/image1.png",
            b"x" * 5000,
        )
    )
    rels = parts("docx")["word/_rels/document.xml.rels"].replace(b"media/image1.png", target)
    return with_parts("docx", {"word/_rels/document.xml.rels": rels})  # fmt: skip
