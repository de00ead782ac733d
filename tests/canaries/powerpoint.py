"""Slides that reach out."""

from tests.canaries.containers import R, more_relations, outside_entities, part, related, with_parts
from tests.canaries.target import Target

SLIDE, RELS = "ppt/slides/slide1.xml", "ppt/slides/_rels/slide1.xml.rels"
END = "</p:spTree>"


def slide(shapes: str = "") -> str:
    whole = part("pptx", SLIDE).replace("Slide 0", "Visible words")
    at = whole.index(END)
    return whole[:at] + shapes + whole[at:]


def picture(blip: str, media: str = "") -> str:
    return (
        f'<p:pic><p:nvPicPr><p:cNvPr id="99" name="x"/><p:cNvPicPr/><p:nvPr>{media}</p:nvPr>'
        f"</p:nvPicPr><p:blipFill><a:blip {R} {blip}/></p:blipFill><p:spPr/></p:pic>"
    )


def linked_pictures(there: Target) -> bytes:
    ids, xml = related(there, "image")
    shapes = "".join(picture(f'r:link="{name}"') + picture(f'r:embed="{name}"') for name in ids)
    return with_parts("pptx", {SLIDE: slide(shapes), RELS: more_relations("pptx", RELS, xml)})


def pictures_in_no_member(there: Target) -> bytes:
    ids, xml = related(there, "image", "Internal")
    shapes = "".join(picture(f'r:embed="{name}"') for name in ids)
    return with_parts("pptx", {SLIDE: slide(shapes), RELS: more_relations("pptx", RELS, xml)})


def linked_media(there: Target) -> bytes:
    ids, xml = related(there, "video")
    kinds = ("videoFile", "audioFile", "quickTimeFile")
    shapes = "".join(
        picture("", f'<a:{kind} {R} r:link="{name}"/>') for name in ids for kind in kinds
    )
    return with_parts("pptx", {SLIDE: slide(shapes), RELS: more_relations("pptx", RELS, xml)})


def linked_objects(there: Target) -> bytes:
    ids, xml = related(there, "oleObject")
    links, more = related(there, "hyperlink")
    shapes = "".join(
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="98" name="x">'
        f'<a:hlinkClick {R} r:id="{link}" action="ppaction://program"/></p:cNvPr>'
        "<p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm/><a:graphic><a:graphicData "
        'uri="http://schemas.openxmlformats.org/presentationml/2006/ole"><p:oleObj '
        f'{R} r:id="{name}" progId="Excel.Sheet.12"><p:link updateAutomatic="1"/></p:oleObj>'
        "</a:graphicData></a:graphic></p:graphicFrame>"
        for name, link in zip(ids, links, strict=True)
    )
    return with_parts(
        "pptx", {SLIDE: slide(shapes), RELS: more_relations("pptx", RELS, xml + more)}
    )


def entities(there: Target) -> bytes:
    return with_parts("pptx", {SLIDE: outside_entities(there, slide(), "Visible words")})


READ = {
    "pptx: linked pictures": linked_pictures,
    "pptx: linked media": linked_media,
    "pptx: linked objects": linked_objects,
}
REFUSED = {
    "pptx: entities": (entities, "DOCTYPE_REFUSED"),
    "pptx: pictures in no member": (pictures_in_no_member, "*"),
}
