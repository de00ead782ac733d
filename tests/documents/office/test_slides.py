"""Slides become pages: their title, their shapes as they are read, and the speaker's notes."""

import io
from collections.abc import Callable
from dataclasses import replace

import pptx
import pytest
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Inches

from ocr_grpc.documents.document import DocumentKind, Picture
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.detect import detect
from ocr_grpc.documents.office.pages import WrittenPages
from ocr_grpc.documents.office.slides.presentation import open_slides
from ocr_grpc.documents.protocol import ReaderFailure
from ocr_grpc.model import TextFormat
from tests.documents.conftest import opening
from tests.documents.office.archive_samples import zipped

TITLE_AND_BODY, TITLE_ONLY, BLANK = 1, 5, 6
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def picture(color: str = "white") -> io.BytesIO:
    written = io.BytesIO()
    Image.new("RGB", (400, 200), color).save(written, "PNG")
    written.seek(0)
    return written


def saved(*fills: Callable[[Slide], None], layout: int = BLANK) -> bytes:
    presentation = pptx.Presentation()
    for fill in fills:
        fill(presentation.slides.add_slide(presentation.slide_layouts[layout]))
    return as_bytes(presentation)


def as_bytes(presentation: Presentation) -> bytes:
    written = io.BytesIO()
    presentation.save(written)
    return written.getvalue()


def opened(content: bytes, scratch: io.BytesIO | None = None, **limits: int) -> WrittenPages:
    asked = replace(opening(io.BytesIO(content), None, **limits), scratch=scratch)
    archive = Archive(asked.file, asked.limits)
    assert detect(asked, archive) is DocumentKind.PPTX
    return open_slides(asked, archive)


def text(document: WrittenPages, page: int = 0, *, markdown: bool = True) -> str:
    segments = document.structured(page, markdown)["segments"]
    return "".join(part if isinstance(part, str) else "[picture]" for part in segments)


def box(slide: Slide, words: str, left: float, top: float, height: float = 1) -> None:
    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(height))
    shape.text_frame.text = words


def paragraph(frame, words: str, level: int = 0) -> None:
    added = frame.add_paragraph()
    added.text, added.level = words, level


def test_a_title_is_a_heading_and_a_body_is_a_list_with_levels():
    def fill(slide: Slide) -> None:
        slide.shapes.title.text = "Prices\vof 2024 *"
        frame = slide.placeholders[1].text_frame
        frame.text = "fruit"
        paragraph(frame, "apples", 1)
        paragraph(frame, "pears", 3)
        paragraph(frame, "bread")

    document = opened(saved(fill, layout=TITLE_AND_BODY))
    assert text(document) == (
        "# Prices of 2024 \\*\n\n- fruit\n    - apples\n        - pears\n- bread\n"
    )
    assert text(document, markdown=False) == (
        "Prices of 2024 *\n\n- fruit\n    - apples\n        - pears\n- bread\n"
    )


def test_numbered_lists_are_counted_and_plain_text_is_no_list():
    def fill(slide: Slide) -> None:
        frame = slide.placeholders[1].text_frame
        frame.text = "one"
        paragraph(frame, "two")
        paragraph(frame, "not numbered")
        paragraph(frame, "one again")
        for each in frame.paragraphs:
            number = "buNone" if "not" in each.text else "buAutoNum"
            sign = f'<a:{number} xmlns:a="{DRAWING}" type="arabicPeriod"/>'
            each._p.get_or_add_pPr().append(parse_xml(sign.replace(' type="arabicPeriod"', "")))
        box(slide, "3. of May", 1, 6)

    content = saved(fill, layout=TITLE_AND_BODY)
    assert text(opened(content)) == (
        "1. one\n2. two\n\nnot numbered\n\n1. one again\n\n3\\. of May\n"
    )


def test_shapes_are_read_from_the_top_and_those_beside_each_other_from_the_left():
    def fill(slide: Slide) -> None:
        box(slide, "bottom", 0, 6)
        box(slide, "right", 5, 1.1)
        box(slide, "right, below", 5, 3)
        box(slide, "left", 1, 1.2, height=4)
        box(slide, "top", 4, 0, height=0.5)

    lines = text(opened(saved(fill)), markdown=False).split("\n\n")
    assert [line.strip() for line in lines] == ["top", "left", "right", "right, below", "bottom"]


def test_tables_are_tables_and_merged_cells_are_shown_once():
    def fill(slide: Slide) -> None:
        table = slide.shapes.add_table(2, 3, 0, 0, Inches(5), Inches(1)).table
        for column, word in enumerate(("a|b", "", "c")):
            table.cell(0, column).text = word
        table.cell(1, 0).text = "both\nlines"
        table.cell(1, 0).merge(table.cell(1, 1))

    document = opened(saved(fill))
    assert text(document).startswith("| a\\|b |  | c |\n| --- | --- | --- |\n| both lines |")
    assert text(document, markdown=False) == "a|b\t\tc\nboth lines\n"


def test_a_chart_is_a_table_of_its_values():
    def fill(slide: Slide) -> None:
        values = CategoryChartData()
        values.categories = ["Q1", "Q2"]
        values.add_series("Sales", (1.5, 2))
        values.add_series("Costs", (1, None))
        place = (XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(4), Inches(3), values)
        chart = slide.shapes.add_chart(*place).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "Year"

    plain = text(opened(saved(fill)), markdown=False)
    assert plain == "Year\n\tSales\tCosts\nQ1\t1.5\t1\nQ2\t2\n"


def test_a_diagram_is_a_list_of_its_texts():
    words = "".join(
        f'<dgm:pt modelId="{n}"><dgm:t><a:p><a:r><a:t>{word}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for n, word in enumerate(("plan", "", "do"))
    )
    dgm = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
    part_xml = (
        f'<dgm:dataModel xmlns:dgm="{dgm}" xmlns:a="{DRAWING}">'
        f"<dgm:ptLst>{words}</dgm:ptLst></dgm:dataModel>"
    )

    def fill(slide: Slide) -> None:
        part = pptx.opc.package.Part(
            pptx.opc.packuri.PackURI("/ppt/diagrams/data1.xml"),
            "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml",
            slide.part.package,
            part_xml.encode(),
        )
        related = slide.part.relate_to(part, f"{RELATIONS}/diagramData")
        slide.shapes.add_table(1, 1, 0, 0, Inches(1), Inches(1))
        frame = slide.shapes[0]._element.graphic.graphicData
        frame.set("uri", dgm)
        frame.remove(frame[0])
        frame.append(
            parse_xml(f'<d:relIds xmlns:d="{dgm}" xmlns:r="{RELATIONS}" r:dm="{related}"/>')
        )

    assert text(opened(saved(fill))) == "- plan\n- do\n"


def test_notes_come_last():
    def fill(slide: Slide) -> None:
        slide.notes_slide.notes_text_frame.text = "say this\n# and that"
        box(slide, "shown", 0, 0)

    document = opened(saved(fill))
    assert text(document) == "shown\n\nNotes:\n\nsay this\n\n\\# and that\n"


def test_pictures_stand_in_their_places_and_each_only_once():
    def fill(slide: Slide) -> None:
        box(slide, "above", 0, 0)
        slide.shapes.add_picture(picture("red"), 0, Inches(2))
        box(slide, "between", 0, 5)
        slide.shapes.add_picture(picture("red"), 0, Inches(6))
        group = slide.shapes.add_group_shape()
        group.shapes.add_picture(picture("blue"), 0, Inches(7))
        nested = group.shapes.add_group_shape()
        nested.shapes.add_textbox(0, Inches(9), Inches(1), Inches(1)).text_frame.text = "in group"

    document = opened(saved(fill))
    assert text(document) == "above\n\n[picture]\n\nbetween\n\n[picture]\n\nin group\n"
    numbers = [part[0] for part in document.structured(0, True)["segments"] if part[0] != "a"]
    shown = [document._picture(number) for number in numbers if isinstance(number, int)]
    assert shown == [picture("red").read(), picture("blue").read()]


def test_a_slide_that_is_one_photo_is_just_that_picture():
    def photo(slide: Slide) -> None:
        slide.shapes.add_picture(picture(), 0, 0, Inches(10), Inches(7.5))

    def background(slide: Slide) -> None:
        _, related = slide.part.get_or_add_image_part(picture("red"))
        blip = f'<a:blip xmlns:r="{RELATIONS}" r:embed="{related}"/>'
        filled = f'<a:blipFill xmlns:a="{DRAWING}">{blip}<a:stretch/></a:blipFill>'
        properties = slide.background._cSld.get_or_add_bgPr()
        properties.insert(0, parse_xml(filled))

    def filled_shape(slide: Slide) -> None:
        _, related = slide.part.get_or_add_image_part(picture("blue"))
        shape = slide.shapes.add_shape(1, 0, 0, Inches(5), Inches(5))
        blip = f'<a:blip xmlns:r="{RELATIONS}" r:embed="{related}"/>'
        shape._element.spPr.append(
            parse_xml(f'<a:blipFill xmlns:a="{DRAWING}">{blip}<a:stretch/></a:blipFill>')
        )

    document = opened(saved(photo, background, filled_shape))
    assert [text(document, page).strip() for page in range(3)] == ["[picture]"] * 3
    assert document.inspect(0, 0)["pictures"] == 1
    assert document.inspect(0, 0)["text_share"] == 0


def test_a_linked_picture_is_never_followed():
    def fill(slide: Slide) -> None:
        shown = slide.shapes.add_picture(picture(), 0, 0)
        linked = slide.part.relate_to("http://127.0.0.1:9/a.png", RELATIONSHIP_TYPE.IMAGE, True)
        blip = shown._element.blipFill.find(f"{{{DRAWING}}}blip")
        del blip.attrib[f"{{{RELATIONS}}}embed"]
        blip.set(f"{{{RELATIONS}}}embed", linked)
        box(slide, "beside", 5, 0)

    assert text(opened(saved(fill))) == "beside\n"


def test_hidden_slides_are_left_out():
    def hidden(slide: Slide) -> None:
        box(slide, "secret", 0, 0)
        slide._element.set("show", "0")

    document = opened(saved(hidden, lambda slide: box(slide, "shown", 0, 0)))
    assert document.page_count == 1
    assert text(document) == "shown\n"


def test_what_newer_programs_draw_is_read_in_its_older_form():
    def fill(slide: Slide) -> None:
        box(slide, "formula", 0, 0)
        shape = slide.shapes[0]._element
        space = "http://schemas.openxmlformats.org/markup-compatibility/2006"
        parent = shape.getparent()
        choice = parse_xml(
            f'<mc:AlternateContent xmlns:mc="{space}"><mc:Choice Requires="a14"/>'
            "<mc:Fallback/></mc:AlternateContent>"
        )
        parent.replace(shape, choice)
        choice[1].append(shape)

    assert text(opened(saved(fill))) == "formula\n"


def test_slide_shows_and_templates_are_presentations():
    content = saved(lambda slide: box(slide, "shown", 0, 0))
    honest = Archive(io.BytesIO(content), opening(io.BytesIO(), None).limits)
    members = {name: honest.read(name) for name in honest.names}
    main = b"openxmlformats-officedocument.presentationml.presentation.main"
    for other in (
        b"openxmlformats-officedocument.presentationml.slideshow.main",
        b"openxmlformats-officedocument.presentationml.template.main",
        b"ms-powerpoint.presentation.macroEnabled.main",
        b"ms-powerpoint.slideshow.macroEnabled.main",
    ):
        types = members["[Content_Types].xml"].replace(main, other)
        assert text(opened(zipped({**members, "[Content_Types].xml": types}))) == "shown\n"


def test_damaged_presentations_are_told():
    content = saved(lambda slide: box(slide, "shown", 0, 0))
    honest = Archive(io.BytesIO(content), opening(io.BytesIO(), None).limits)
    members = {name: honest.read(name) for name in honest.names}
    slide = "ppt/slides/slide1.xml"
    for wrong, reason in (
        (b"<p:sld", "corrupt"),
        (b"", "corrupt"),
        (b"<a>" * 5000, "corrupt"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + members[slide], "doctype"),
    ):
        with pytest.raises(ReaderFailure, match=reason):
            opened(zipped({**members, slide: wrong}))
    del members[slide]
    with pytest.raises(ReaderFailure, match="corrupt"):
        opened(zipped(members))


def test_a_presentation_without_slides_is_a_blank_page_and_too_many_are_refused():
    document = opened(saved())
    assert document.page_count == 1
    assert document.inspect(0, 0)["blank"]
    with pytest.raises(ReaderFailure, match="too_many_pages"):
        opened(saved(*[lambda _: None] * 3), max_pages=2)


async def test_a_presentation_is_read_in_a_reader_process(pool, file):
    def fill(slide: Slide) -> None:
        slide.shapes.title.text = "Hello"
        slide.shapes.add_picture(picture("red"), 0, Inches(3))

    started = await pool()
    document = await started.open(file(saved(fill, layout=TITLE_ONLY)))
    assert (document.kind, document.page_count) == (DocumentKind.PPTX, 1)
    page = await document.structured_page(1, TextFormat.MARKDOWN)
    assert page.segments[0] == "# Hello\n\n"
    shown = page.segments[1]
    assert isinstance(shown, Picture)
    rendered = await document.render_picture(shown.number, 1)
    assert (rendered.geometry.width_px, rendered.geometry.height_px) == (400, 200)
    await document.close()
