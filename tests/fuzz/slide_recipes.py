"""Slides that are well formed and mean harm."""

from tests.fuzz.good_documents import parts
from tests.fuzz.recipes import family
from tests.fuzz.word_recipes import with_parts

MANY = 100_000
SLIDE = parts("pptx")["ppt/slides/slide1.xml"]
TREE = SLIDE.index(b"</p:spTree>")
SHAPE = b'<p:sp><p:nvSpPr><p:cNvPr id="9" name="x"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>' \
        b"<p:txBody><a:bodyPr/><a:p><a:r><a:t>x</a:t></a:r></a:p></p:txBody></p:sp>"  # fmt: skip
GROUP = b'<p:grpSp><p:nvGrpSpPr><p:cNvPr id="8" name="g"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>' \
        b"<p:grpSpPr/>"  # fmt: skip


def _slide(more: bytes) -> bytes:
    return with_parts("pptx", {"ppt/slides/slide1.xml": SLIDE[:TREE] + more + SLIDE[TREE:]})


def _slides(count: int) -> bytes:
    whole = parts("pptx")["ppt/presentation.xml"]
    at, end = whole.index(b"<p:sldIdLst>") + 12, whole.index(b"</p:sldIdLst>")
    name = whole[at:end].split(b'r:id="')[1].split(b'"')[0]
    ids = b"".join(b'<p:sldId id="%d" r:id="%s"/>' % (256 + n, name) for n in range(count))
    return with_parts("pptx", {"ppt/presentation.xml": whole[:at] + ids + whole[end:]})


family(
    "pptx",
    {
        "20,000 shapes": _slide(SHAPE * 20_000),
        "100,000 shapes": _slide(SHAPE * MANY),
        "groups in groups": _slide(GROUP * 3000 + SHAPE + b"</p:grpSp>" * 3000),
        "groups in deep groups": _slide(GROUP * 50_000),
        "5,000 slides": _slides(5_000),
        "50,000 slides": _slides(50_000),
        "no slides": _slides(0),
        "paragraphs": _slide(SHAPE.replace(b"<a:p>", b"<a:p/>" * MANY + b"<a:p>")),
        "level of 2^31": _slide(SHAPE.replace(b"<a:p>", b'<a:p><a:pPr lvl="2147483647"/>')),
        "offsets": _slide(SHAPE.replace(
            b"<p:spPr/>", b'<p:spPr><a:xfrm><a:off x="99999999999999" y="NaN"/>'
            b'<a:ext cx="-1" cy="1e9"/></a:xfrm></p:spPr>')),
        "slide is the layout": with_parts("pptx", {
            "ppt/slides/_rels/slide1.xml.rels":
            parts("pptx")["ppt/slides/_rels/slide1.xml.rels"].replace(
                b"../slideLayouts/slideLayout2.xml", b"../slides/slide1.xml")}),
        "slide is the presentation": with_parts("pptx", {
            "ppt/_rels/presentation.xml.rels":
            parts("pptx")["ppt/_rels/presentation.xml.rels"].replace(
                b"slides/slide1.xml", b"presentation.xml")}),
        "slide outside": with_parts("pptx", {
            "ppt/_rels/presentation.xml.rels":
            parts("pptx")["ppt/_rels/presentation.xml.rels"].replace(
                b"slides/slide1.xml", b"../../../../etc/passwd")}),
    },
)  # fmt: skip
