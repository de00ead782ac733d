"""What callers see when something dies, hangs, or is no longer wanted."""

import asyncio
import os
import signal
import time

import grpc
import numpy as np
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import page_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.support import (
    channel_to,
    collect,
    encoded,
    failed_stream,
    image_pdf,
    kinds,
    picture,
    reason_of,
    running,
    serving,
    text_of,
    text_pdf,
    upload,
    upload_bytes,
)

GOOD = picture()
BAD = picture(first_pixel=0)
"""A page over which the engines that fail on purpose fail."""


def bad_pdf() -> bytes:
    """Three pages; the second begins black, as rendering may change a single pixel."""
    black = GOOD.copy()
    black.paste(0, (0, 0, black.width, 30))
    return image_pdf([GOOD, black, GOOD])


async def until(condition, seconds: float = 30.0) -> float:
    """Wait for a condition and return the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "It never came true."
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_a_page_that_kills_its_workers_fails_alone(tmp_path):
    async with serving(tmp_path, engine="crash") as stub:
        events = await collect(stub.StreamExtract(pb.StreamExtractRequest(content=bad_pdf())))
    ends = {
        event.page_finished.page_number: event.page_finished
        for event in events
        if event.HasField("page_finished")
    }
    assert ends[1].outcome == ends[3].outcome == page_pb2.PAGE_OUTCOME_OK
    assert ends[2].outcome == page_pb2.PAGE_OUTCOME_FAILED
    assert ends[2].reason == "ENGINE_CRASHED"
    assert ends[2].provenance.attempts == 3
    assert ends[2].text == ""
    second = [
        event.WhichOneof("event")
        for event in events
        if 2 in (event.delta.page_number, event.retract.page_number)
    ]
    assert second == ["delta", "retract"] * 3
    assert events[-1].finished.pages_failed == 1


async def test_when_every_page_fails_so_does_the_call(tmp_path):
    request = pb.StreamExtractRequest(content=encoded(BAD))
    async with serving(tmp_path, engine="crash") as stub:
        events, error = await failed_stream(stub.StreamExtract(request))
    assert kinds(events)[-1] == "failed"
    assert events[-1].failed.reason == "ENGINE_CRASHED"
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_killed_worker_is_replaced_and_nothing_of_the_document_is_lost(tmp_path):
    async with running(tmp_path, engine_workers=2) as server, channel_to(server) as channel:
        first = server.engine.worker_pids
        pages = image_pdf([GOOD] * 30)
        call = OcrServiceStub(channel).StreamExtract(pb.StreamExtractRequest(content=pages))
        events = []
        async for event in call:
            events.append(event)
            if event.HasField("page_finished") and event.page_finished.page_number == 3:
                for pid in server.engine.worker_pids:
                    os.kill(pid, signal.SIGKILL)
        assert events[-1].finished.pages_ok == 30
        for page in range(1, 31):
            assert text_of(events, page).count("null line") == 4
        await until(lambda: server.engine.ready_workers == 2)
        assert not set(first) & set(server.engine.worker_pids)


async def test_health_tells_when_no_worker_is_left(tmp_path):
    async with running(tmp_path, engine_workers=1) as server, channel_to(server) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service="ocr_grpc.v1.OcrService"))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        alive = health.Watch(health_pb2.HealthCheckRequest(service="liveness"))
        assert (await alive.read()).status == health_pb2.HealthCheckResponse.SERVING
        os.kill(server.engine.worker_pids[0], signal.SIGKILL)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        answer = await health.Check(health_pb2.HealthCheckRequest(service="liveness"))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING


async def test_an_engine_that_hangs_fails_its_page_and_is_replaced(tmp_path):
    settings = {"engine": "hang", "engine_workers": 1, "page_timeout_seconds": 1}
    async with running(tmp_path, **settings) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        first = server.engine.worker_pids
        call = stub.StreamExtract(pb.StreamExtractRequest(content=encoded(BAD)))
        events, error = await failed_stream(call)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert events[-1].failed.reason == reason_of(error) == "PAGE_TIMED_OUT"
        assert kinds(events)[2:] == ["delta", "retract", "page_finished", "failed"]
        assert text_of(events) == events[-2].page_finished.text == ""
        await until(lambda: server.engine.ready_workers and server.engine.worker_pids != first)
        after = await collect(stub.StreamExtract(pb.StreamExtractRequest(content=encoded(GOOD))))
        assert after[-1].finished.pages_ok == 1


async def test_a_cancelled_call_gives_its_worker_back(tmp_path):
    settings = {"engine": "hang", "engine_workers": 1}
    async with running(tmp_path, **settings) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        hanging = stub.StreamExtract(pb.StreamExtractRequest(content=encoded(BAD)))
        while not (await hanging.read()).HasField("delta"):
            pass
        hanging.cancel()
        began = time.monotonic()
        call = stub.StreamExtract(pb.StreamExtractRequest(content=encoded(GOOD)))
        assert (await collect(call))[-1].finished.pages_ok == 1
        # The engine that does not listen costs its two seconds of grace and a new process.
        assert time.monotonic() - began < 20


async def test_a_deadline_stops_the_work(tmp_path):
    async with serving(tmp_path, engine="hang", engine_workers=1) as stub:
        call = stub.StreamExtract(pb.StreamExtractRequest(content=encoded(BAD)), timeout=1)
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await collect(call)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        after = await collect(stub.StreamExtract(pb.StreamExtractRequest(content=encoded(GOOD))))
        assert after[-1].finished.pages_ok == 1


async def test_a_vanished_caller_leaves_no_file_and_no_work(tmp_path):
    async with running(tmp_path) as server:
        async with channel_to(server) as channel:
            call = OcrServiceStub(channel).UploadExtract(upload(text_pdf(500)))
            assert (await anext(aiter(call))).HasField("started")
        await until(lambda: not list(tmp_path.rglob("document-*")))
        await until(lambda: not list(tmp_path.rglob("page-*")))


async def test_a_slow_reader_slows_its_own_document_and_nobody_else(tmp_path):
    settings = {"engine_workers": 1, "pages_at_once": 2}
    async with (
        running(tmp_path, **settings) as server,
        channel_to(server) as slow,
        channel_to(server) as quick,
    ):
        pages = image_pdf([GOOD] * 40)
        stalled = OcrServiceStub(slow).StreamExtract(pb.StreamExtractRequest(content=pages))
        assert (await stalled.read()).HasField("started")
        request = pb.StreamExtractRequest(content=encoded(GOOD))
        for _ in range(5):
            events = await collect(OcrServiceStub(quick).StreamExtract(request, timeout=10))
            assert events[-1].finished.pages_ok == 1
        stalled.cancel()


async def test_many_streams_opened_at_once_are_all_served_and_told_their_place(tmp_path):
    """A short slice of `make bench`'s 500 streams of ten callers."""
    request = pb.StreamExtractRequest(content=encoded(GOOD))
    async with running(tmp_path) as server:
        channels = [channel_to(server) for _ in range(10)]
        calls = [
            collect(OcrServiceStub(channel).StreamExtract(request, timeout=60))
            for channel in channels
            for _ in range(15)
        ]
        results = await asyncio.gather(*calls)
        for channel in channels:
            await channel.close()
    assert all(kinds(events)[-1] == "finished" for events in results)
    assert max(events[0].started.queue_position for events in results) > 0


async def test_a_large_upload_does_not_grow_the_server(tmp_path):
    """The 100 MB of `make bench`, with the caller in the same process."""
    noise = np.random.default_rng(1).bytes(2**20)
    process = psutil.Process()

    async def requests():
        yield upload_bytes(text_pdf(1) + b"%")
        for _ in range(100):
            yield upload_bytes(noise)

    async with running(tmp_path) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        await collect(stub.UploadExtract(upload(text_pdf(1))))
        before = process.memory_info().rss
        events = await collect(stub.UploadExtract(requests()))
        grown = process.memory_info().rss - before
    assert events[-1].finished.pages_ok == 1
    assert events[0].started.size_bytes > 100 * 2**20
    assert grown < 64 * 2**20


async def test_nothing_is_left_when_the_server_stops(tmp_path):
    others = set(psutil.Process().children(recursive=True))
    async with running(tmp_path) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        await collect(stub.StreamExtract(pb.StreamExtractRequest(content=image_pdf([GOOD] * 3))))
        children = set(psutil.Process().children(recursive=True)) - others
        assert len(children) >= 4
    assert not [child for child in children if child.is_running()]
    assert not list((tmp_path / "spool").iterdir())


async def test_a_stopped_worker_is_replaced_and_its_page_read_again(tmp_path):
    settings = {"engine_workers": 1, "page_timeout_seconds": 1}
    async with running(tmp_path, **settings) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        request = pb.StreamExtractRequest(content=encoded(GOOD))
        stopped = server.engine.worker_pids[0]
        os.kill(stopped, signal.SIGSTOP)
        events = await collect(stub.StreamExtract(request))
        assert events[-1].finished.pages_ok == 1
        assert text_of(events).count("null line") == 4
        assert server.engine.worker_pids != [stopped]


async def test_streams_that_outlast_the_grace_end_with_a_reason(tmp_path):
    settings = {"engine": "hang", "shutdown_grace_seconds": 2}
    async with running(tmp_path, **settings) as server, channel_to(server) as channel:
        request = pb.StreamExtractRequest(content=encoded(BAD))
        reading = asyncio.create_task(failed_stream(OcrServiceStub(channel).StreamExtract(request)))
        await asyncio.sleep(0.5)
        await server.stop()
        events, error = await reading
    assert events[-1].failed.reason == reason_of(error) == "SHUTTING_DOWN"
    assert error.code() is grpc.StatusCode.UNAVAILABLE
