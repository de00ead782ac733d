"""Reports of errors as Sentry gets them, over HTTP."""

import asyncio
import threading
import time

import grpc
import pytest
import structlog

from ocr_grpc.errors import OcrError
from ocr_grpc.rpc import capabilities
from ocr_grpc.settings import SettingsError, load_settings
from ocr_grpc.telemetry.error_tracking import MAX_PER_MINUTE, REPEAT_SECONDS, Bound
from ocr_grpc.telemetry.process import Telemetry, telling
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.support import NO_DOCUMENT, refusal, serving
from tests.telemetry.sentry import receiving

log = structlog.get_logger()

CANARY = "".join(("ca", "nary"))
"""In pieces: reports quote the source of what failed, which is this test."""


def telemetry(dsn: str) -> Telemetry:
    return Telemetry("serve", "1.2.3", sentry_dsn=dsn, sentry_environment="trial")


def fail(text: str, error: type[Exception] = ValueError) -> None:
    in_a_local = f"local {text}"
    raise error(f"{in_a_local} ocr_{'k' * 40}")


def report(text: str, error: type[Exception] = ValueError) -> None:
    try:
        fail(text, error)
    except Exception:
        log.exception("unexpected_error", password=text)


async def test_an_internal_error_arrives_without_what_callers_sent(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        fail(f"{CANARY} text of a document")

    monkeypatch.setattr(capabilities, "response", broken)
    with receiving() as sentry, telling(telemetry(sentry.dsn)):
        async with serving(tmp_path) as stub:
            call = stub.GetCapabilities(
                pb.GetCapabilitiesRequest(),
                metadata=[("x-request-id", "mine-1"), ("authorization", f"Bearer {CANARY}")],
            )
            assert await refusal(call) == (grpc.StatusCode.INTERNAL, "INTERNAL")
            # What is wrong with a document is no error of ours.
            unsupported = stub.Extract(pb.ExtractRequest(content=NO_DOCUMENT))
            assert (await refusal(unsupported))[0] is grpc.StatusCode.INVALID_ARGUMENT
            await asyncio.to_thread(sentry.wait_for, 1)
    (event,) = sentry.events
    assert event["tags"]["request_id"] == "mine-1"
    assert event["tags"]["method"] == "/ocr_grpc.v1.OcrService/GetCapabilities"
    assert event["tags"]["process"] == "serve"
    assert (event["release"], event["environment"]) == ("1.2.3", "trial")
    (error,) = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert [frame["function"] for frame in error["stacktrace"]["frames"]][-2:] == ["broken", "fail"]
    sent = sentry.raw.replace(b"publickey", b"")
    for leak in (CANARY, "k" * 40, str(tmp_path), "vars"):
        assert leak.encode() not in sent, leak
    assert not {"server_name", "request", "user", "breadcrumbs", "extra"} & {
        name for name, value in event.items() if value
    }


async def test_errors_of_tasks_that_nobody_waited_for_arrive():
    async def lost() -> None:
        raise LookupError(CANARY)

    with receiving() as sentry, telling(telemetry(sentry.dsn)):
        task = asyncio.create_task(lost())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        await asyncio.to_thread(sentry.wait_for, 1)
    assert sentry.events[0]["exception"]["values"][0]["type"] == "LookupError"
    assert sentry.events[0]["tags"]["event"] == "asyncio"


def test_the_same_error_again_and_again_is_one_report():
    with receiving() as sentry, telling(telemetry(sentry.dsn)):
        for _ in range(200):
            report("again")
        report("other", KeyError)
        sentry.wait_for(2)
    assert [event["exception"]["values"][0]["type"] for event in sentry.events] == [
        "ValueError",
        "KeyError",
    ]


def test_reports_are_bounded_whatever_they_are_of():
    bound = Bound()
    taken = [bound.take((number,), 100.0) for number in range(1000)]
    assert taken.count(0) == MAX_PER_MINUTE
    assert bound.take((0,), 100 + REPEAT_SECONDS) == 0
    assert bound.take((0,), 101 + REPEAT_SECONDS) is None
    assert bound.take((0,), 102 + 2 * REPEAT_SECONDS) == 1  # says how many were left out


def test_errors_that_callers_may_see_are_not_reported():
    class Told(OcrError):
        reason = "TOLD"

    with receiving() as sentry, telling(telemetry(sentry.dsn)):
        report("a", Told)
        report("b")
        sentry.wait_for(1)
    assert [event["exception"]["values"][0]["type"] for event in sentry.events] == ["ValueError"]


def test_a_receiver_that_says_nothing_holds_up_nothing_but_the_end_and_that_not_long():
    never = threading.Event()
    with receiving(never) as sentry:
        with telling(telemetry(sentry.dsn)):
            began = time.perf_counter()
            report("a")
            sentry.wait_for(1)
            report("b", KeyError)
            logging_took = time.perf_counter() - began
            began = time.perf_counter()
        assert logging_took < 2
        assert time.perf_counter() - began < 5


@pytest.mark.parametrize("dsn", ["canary", "https://host/1", "ftp://k@host/1", "https://k@host/x"])
def test_a_wrong_address_is_refused_without_being_shown(monkeypatch, tmp_path, dsn):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENTRY_DSN", dsn)
    with pytest.raises(SettingsError, match=r"^SENTRY_DSN: ") as wrong:
        load_settings()
    assert dsn not in str(wrong.value)
