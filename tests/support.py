"""Starts real servers and speaks to them; makes small documents."""

import io
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.rpc.status import DETAILS_KEY
from ocr_grpc.server import Server
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

NO_DOCUMENT = b"\x7fELF\2\1\1" + bytes(range(40)) * 9
"""Bytes of no format that is read: nearly everything else is a text."""

AUTO = options_pb2.MODE_AUTO
FORCE_OCR = options_pb2.MODE_FORCE_OCR
TEXT_LAYER_ONLY = options_pb2.MODE_TEXT_LAYER_ONLY


@asynccontextmanager
async def running(
    data_dir: Path, fetcher: Fetcher | None = None, **settings
) -> AsyncIterator[Server]:
    """Run a server with the null engine and without accounts, unless settings say otherwise."""
    values = {"engine": "null", "engine_workers": 1, "shutdown_grace_seconds": 1}
    # Each is a process, and one more of each kind is kept warm.
    values |= {"readers": 1, "office_readers": 1}
    values |= {"grpc_port": 0, "metrics_port": 0, "auth_enabled": False, "bcrypt_cost": 4}
    values |= {"http_enabled": False, "http_port": 0, "tesseract_workers": 0}
    values |= {"batches_in_serve": False}
    # A test that reads a document twice wants it read twice.
    values |= {"result_cache_bytes": 0}
    server = Server(Settings(_env_file=None, data_dir=data_dir, **values | settings), fetcher)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def channel_to(server: Server) -> grpc.aio.Channel:
    options = [
        ("grpc.max_receive_message_length", -1),
        # Each channel a connection of its own, so that each is a caller of its own.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    return grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=options)


@asynccontextmanager
async def serving(data_dir: Path, **settings) -> AsyncIterator[OcrServiceStub]:
    async with running(data_dir, **settings) as server, channel_to(server) as channel:
        yield OcrServiceStub(channel)


async def collect(call) -> list:
    return [event async for event in call]


async def failed_stream(call) -> tuple[list, grpc.aio.AioRpcError]:
    """Return the events of a stream that fails, and the status it fails with."""
    events = []
    try:
        async for event in call:
            events.append(event)  # noqa: PERF401 - those before the failure must be kept
    except grpc.aio.AioRpcError as error:
        return events, error
    raise AssertionError("The stream did not fail.")


async def refusal(call) -> tuple[grpc.StatusCode, str]:
    """Return the code and the reason that a call fails with."""
    if hasattr(call, "__aiter__"):
        _, error = await failed_stream(call)
        return error.code(), reason_of(error)
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), reason_of(error)
    raise AssertionError("The call was not refused.")


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info
    raise AssertionError(f"No ErrorInfo in {error!r}")


def reason_of(error: grpc.aio.AioRpcError) -> str:
    return error_info(error).reason


def kinds(events: Iterable) -> list[str]:
    return [event.WhichOneof("event") for event in events]


def text_of(events: Iterable, page_number: int = 1) -> str:
    """Return a page's text the way a client puts it together."""
    text = ""
    for event in events:
        if event.HasField("delta") and event.delta.page_number == page_number:
            text += event.delta.text
        elif event.HasField("retract") and event.retract.page_number == page_number:
            text = text[: event.retract.offset]
    return text


def upload(data: bytes, chunk_bytes: int = 65536, **first) -> Iterator[pb.UploadExtractRequest]:
    yield pb.UploadExtractRequest(**first)
    for start in range(0, len(data), chunk_bytes):
        yield upload_bytes(data[start : start + chunk_bytes])


def upload_bytes(data: bytes) -> pb.UploadExtractRequest:
    return pb.UploadExtractRequest(content={"data": data})


def picture(
    lines: Iterable[str] = ("Hello world",), size=(800, 200), first_pixel=255
) -> Image.Image:
    page = Image.new("L", size, 255)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text((40, 40 + 60 * number), line, fill=0, font=ImageFont.load_default(36))
    page.putpixel((0, 0), first_pixel)
    return page


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def image_pdf(pages: list[Image.Image]) -> bytes:
    return encoded(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=150.0)


def text_pdf(pages: int, lines_per_page: int = 40) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    for page in range(1, pages + 1):
        canvas.setFont("Helvetica", 11)
        for line in range(lines_per_page):
            text = f"Page {page}, line {line}: the quick brown fox."
            canvas.drawString(60, 780 - 18 * line, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()
