"""The parts of an engine worker: its thread, the pixels it takes, the messages it speaks."""

import asyncio
import time
from contextlib import aclosing

import numpy as np
import pytest

from ocr_grpc.engines.engine import EngineDescription, PageImage, ReadCancelled, ReadOptions
from ocr_grpc.engines.engine_thread import EngineStuck, EngineThread
from ocr_grpc.engines.null import HangEngine, NullEngine
from ocr_grpc.engines.page_input import InvalidPage, receive_page
from ocr_grpc.engines.page_read import ReadTimes
from ocr_grpc.engines.wire import (
    description_from_proto,
    description_to_proto,
    lines_from_proto,
    lines_to_proto,
)
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.model import Line, Separator, box

PAGE = PageImage(np.zeros((40, 30), np.uint8))


class SlowEngine(NullEngine):
    """Yields a line, then waits for its cancellation."""

    stopped = False

    def read(self, page, options, cancellation):
        yield [Line("one", box(0, 0, 1, 1), 1.0)]
        if cancellation.wait(20):
            self.stopped = True
            raise ReadCancelled


async def test_lines_arrive_and_the_times_come_last():
    thread = await EngineThread.load(NullEngine)
    parts = [part async for part in thread.read(PAGE, ReadOptions())]
    assert parts[0][0].text == "null line 1"
    assert isinstance(parts[-1], ReadTimes)


async def test_closing_early_stops_the_engine_before_the_next_page():
    engine = SlowEngine()
    thread = await EngineThread.load(lambda: engine)
    began = time.monotonic()
    async with aclosing(thread.read(PAGE, ReadOptions())) as parts:
        assert (await anext(parts))[0].text == "one"
    assert engine.stopped
    assert time.monotonic() - began < 3


async def test_an_engine_that_does_not_stop_is_reported():
    black = PageImage(np.zeros((4, 4), np.uint8))
    thread = await EngineThread.load(HangEngine)
    parts = thread.read(black, ReadOptions())
    await anext(parts)
    with pytest.raises(EngineStuck):
        await parts.aclose()
    black.pixels[0, 0] = 1  # lets the thread of this test end


async def test_an_error_of_the_engine_reaches_the_reader():
    class Broken(NullEngine):
        def read(self, page, options, cancellation):
            yield []
            raise ZeroDivisionError

    thread = await EngineThread.load(Broken)
    with pytest.raises(ZeroDivisionError):
        [part async for part in thread.read(PAGE, ReadOptions())]


def header(width=3, height=2, channels=1) -> pb.ReadRequest:
    return pb.ReadRequest(
        header=pb.ReadHeader(width_px=width, height_px=height, channels=channels, dpi=150)
    )


async def received(*requests: pb.ReadRequest, spool=None):
    async def stream():
        for request in requests:
            await asyncio.sleep(0)
            yield request

    return await receive_page(stream(), spool)


async def test_pixels_come_in_chunks():
    chunks = [pb.ReadRequest(chunk=b"\1\2\3\4"), pb.ReadRequest(chunk=b"\5\6")]
    page, _ = await received(header(), *chunks)
    assert page.pixels.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert page.dpi == 150


async def test_pixels_come_from_the_spool_folder(tmp_path):
    (tmp_path / "page").write_bytes(bytes(range(18)))
    request = pb.ReadRequest(spool_file="page")
    page, _ = await received(header(channels=3), request, spool=tmp_path)
    assert page.pixels.shape == (2, 3, 3)
    assert page.pixels[1, 2].tolist() == [15, 16, 17]


CHUNK = pb.ReadRequest(chunk=b"\0" * 6)


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [CHUNK],
        [header(), header()],
        [header(), pb.ReadRequest(chunk=b"\0" * 5)],
        [header(), pb.ReadRequest(chunk=b"\0" * 7)],
        [header(channels=2), CHUNK],
        [header(width=0), CHUNK],
        [header(width=2**31 - 1, height=2**31 - 1), CHUNK],
        [header(), CHUNK, pb.ReadRequest(spool_file="page")],
        [header(), pb.ReadRequest(spool_file="missing")],
        [header(), pb.ReadRequest(spool_file="../page")],
        [header(), pb.ReadRequest(spool_file="short")],
    ],
)
async def test_pixels_that_do_not_fit_are_refused(tmp_path, requests):
    spool = tmp_path / "spool"
    spool.mkdir()
    (tmp_path / "page").write_bytes(bytes(6))
    (spool / "short").write_bytes(bytes(5))
    with pytest.raises(InvalidPage):
        await received(*requests, spool=spool)


async def test_a_remote_worker_reads_no_files(tmp_path):
    (tmp_path / "page").write_bytes(bytes(6))
    with pytest.raises(InvalidPage):
        await received(header(), pb.ReadRequest(spool_file="page"), spool=None)


def test_lines_survive_the_wire():
    lines = [
        Line("a", box(1, 2, 3, 4), 0.5, Separator.NONE),
        Line("ß", box(5.5, 6, 7, 8), 1.0, Separator.BLOCK),
        Line("c", box(9, 9, 9, 9), 0.0, Separator.SPACE),
    ]
    assert lines_from_proto(lines_to_proto(lines)) == lines


def test_a_description_survives_the_wire():
    engine = EngineDescription("n", "m", "v", "b", "bf16", ("de", "en"))
    assert description_from_proto(description_to_proto(engine)) == engine
