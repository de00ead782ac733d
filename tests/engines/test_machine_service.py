"""What a machine does about servers that are slow, take nothing, or come in masses."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest

from ocr_grpc.engines.deadlines import Deadlines, PageClock
from ocr_grpc.engines.errors import PageDropped, PixelsLate
from ocr_grpc.engines.machine_service import MachineServicer
from ocr_grpc.engines.page_input import in_time
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import add_EngineServiceServicer_to_server
from tests.engines.machines import machine, pool, until

HEADER = pb.ReadRequest(header=pb.ReadHeader(width_px=10, height_px=10, channels=1))
PIXELS = pb.ReadRequest(chunk=b"\xff" * 100)


async def test_a_server_that_takes_no_lines_loses_its_place(folder):
    async with pool(folder, local=1) as workers:
        servicer = MachineServicer(workers, folder, 60, send_seconds=0.2)
        servicer.board.resize(1)
        server = grpc.aio.server()
        add_EngineServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with deaf_calls(port, 2):
            await until(lambda: servicer.board.load.admitted == 2)
            await until(lambda: servicer.board.load.admitted == 0)
            assert not list(folder.glob("page-*"))
        await server.stop(None)


@asynccontextmanager
async def deaf_calls(port: int, number: int) -> AsyncIterator[None]:
    """Send pages over a connection that allows no byte of an answer, in the frames of HTTP/2."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    no_window = b"\0\4" + bytes(4)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, no_window))
    fields = {":method": "POST", ":scheme": "http", ":authority": "there"}
    fields[":path"] = "/ocr_grpc.internal.v1.EngineService/Read"
    fields |= {"te": "trailers", "content-type": "application/grpc"}
    block = b"".join(b"\0" + short(name) + short(value) for name, value in fields.items())
    messages = [message.SerializeToString() for message in (HEADER, PIXELS)]
    body = b"".join(b"\0" + len(each).to_bytes(4, "big") + each for each in messages)
    for stream in range(1, 2 * number, 2):
        writer.write(frame(1, 4, stream, block) + frame(0, 1, stream, body))
    # What comes is taken from the socket, yet nothing is ever granted.
    taking = asyncio.create_task(reader.read())
    writer.write(frame(4, 1, 0, b""))
    try:
        yield
    finally:
        taking.cancel()
        writer.close()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4) + payload


def short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


async def test_a_server_that_stops_sending_pixels_loses_the_page():
    async def silent() -> AsyncIterator[pb.ReadRequest]:
        yield HEADER
        await asyncio.Event().wait()

    with pytest.raises(PixelsLate):
        [message async for message in in_time(silent(), pause_seconds=0.05)]


async def test_a_server_that_sends_a_pixel_now_and_then_loses_the_page():
    async def trickling() -> AsyncIterator[pb.ReadRequest]:
        while True:
            yield pb.ReadRequest(chunk=b"\0")
            await asyncio.sleep(0.001)

    with pytest.raises(PixelsLate):
        [message async for message in in_time(trickling(), pause_seconds=0.2)]


async def test_a_page_is_waited_for_as_long_as_its_pixels_leave():
    ended = asyncio.Event()
    questions = []

    async def answers() -> bool:
        questions.append(1)
        return True

    least = Deadlines(begin=0.01, others=0, slack=0, answer=60, not_begun=PageDropped)
    clock = PageClock(least, 60, answers, ended.set)
    loop = asyncio.get_running_loop()
    until_time = loop.time() + 0.2
    while loop.time() < until_time:
        clock.move()
        await asyncio.sleep(0)
    assert not ended.is_set()
    assert not questions
    await asyncio.wait_for(ended.wait(), 60)
    assert isinstance(clock.verdict, PageDropped)


async def test_a_machine_may_have_as_many_connections_as_its_system_allows(folder: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
    try:
        async with machine(folder):
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
