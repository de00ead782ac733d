"""Documents made on the spot, by reportlab, by Pillow, and byte by byte; and how to wait."""

import asyncio
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.documents.family import DrawnFile
from ocr_grpc.documents.protocol import RenderAnswer

PROSE = (
    "It was a bright cold day in April, and the clocks were striking thirteen.",
    "Everybody who was awake at that hour looked up at the tower and wondered",
    "whether the old machine had finally lost its mind, or whether they had.",
    "Nobody climbed the stairs to find out, because the door had been locked.",
)


def drawn(draw: Callable[[Canvas], None], size: tuple[float, float] = A4, **options) -> bytes:
    """Return a PDF of one page that `draw` drew; more if it calls `showPage` itself."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1, **options)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def written(*lines: str, left: float = 60, top: float = 780, leading: float = 14) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for number, line in enumerate(lines):
            canvas.drawString(left, top - leading * number, line)

    return drawn(draw)


def prose_pdf(pages: int, paragraphs: int = 11) -> bytes:
    def draw(canvas: Canvas) -> None:
        for page in range(1, pages + 1):
            canvas.setFont("Helvetica", 10)
            for row in range(4 * paragraphs):
                canvas.drawString(60, 790 - 16 * row, PROSE[row % 4])
            canvas.drawString(280, 30, f"Page {page}")
            canvas.showPage()

    return drawn(draw)


def objects_pdf(*bodies: str | bytes, trailer: str = "/Root 1 0 R") -> bytes:
    """Return a PDF of these objects, numbered from 1, with a correct table of references."""
    file = b"%PDF-1.7\n"
    offsets: list[int] = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(file))
        body = body.encode() if isinstance(body, str) else body
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(bodies) + 1
    return file + f"trailer\n<</Size {size} {trailer}>>\nstartxref\n{table}\n%%EOF".encode()


def stream(content: bytes, entries: str = "") -> bytes:
    return b"<</Length %d %s>>stream\n%s\nendstream" % (len(content), entries.encode(), content)


def page_pdf(content: bytes = b"", page: str = "/MediaBox [0 0 612 792]", *more: bytes) -> bytes:
    """Return a PDF of one page with this content, Helvetica as /F1, and more objects from 6 on."""
    return objects_pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>{page}>>",
        stream(content),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        *more,
    )


def scan_pdf(
    picture: Image.Image, draw: Callable[[Canvas], None] = lambda _: None, dpi: float = 150
) -> bytes:
    """Return a PDF of one page that is a picture, with whatever `draw` puts over it."""
    size = (picture.width * 72 / dpi, picture.height * 72 / dpi)

    def page(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(picture), 0, 0, *size)
        draw(canvas)

    return drawn(page, size)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind.replace("_", ""), **options)
    return buffer.getvalue()


def paper(width: int = 400, height: int = 300) -> Image.Image:
    """Return a white picture with a black bar in its top left quarter."""
    image = Image.new("L", (width, height), 255)
    image.paste(0, (20, 20, width // 2, height // 3))
    return image


def png_bomb(width: int, height: int) -> bytes:
    """Return a small PNG that says it is huge; its pixels are all there, compressed."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + width // 8)) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def endless_pdf() -> bytes:
    """Return a small PDF with three pages, the second of which takes years to read.

    Each of its form objects draws the next one ten times.
    """
    depth = 20
    forms = [
        stream(
            b"/X Do " * 10,
            f"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {8 + level} 0 R>>>>",
        )
        for level in range(depth)
    ]
    last = stream(b"0 0 9 9 re f", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    good = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 6 0 R>>"
    return objects_pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3>>",
        good,
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 6 0 R"
        "/Resources<</XObject<</X 7 0 R>>>>>>",
        good,
        stream(b"/X Do 0 g 20 20 90 90 re f"),
        *forms,
        last,
    )


def spooled(
    opened: DrawnFile, path: Path, page: int = 0, dpi: int = 0
) -> tuple[RenderAnswer, bytes]:
    """Render a page into a file as a reader does; return what it says and what it wrote."""
    with path.open("wb") as sink:
        answer = opened.render(page, dpi, sink.fileno())
    return answer, path.read_bytes()


async def until(true: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something nobody announces, such as the end of a process."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
