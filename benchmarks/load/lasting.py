"""Calls that go on when their connection breaks: resumable streams, and calls over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import httpx
from google.protobuf import json_format

from benchmarks.load.caller import Caller, Sent, leaving, pieces_of
from benchmarks.load.seen import of_extraction, reason_of
from ocr_grpc.v1 import ocr_service_pb2 as pb

PATIENCE_SECONDS = 120.0
"""How long a stream that broke is asked for without any event; faults last up to a minute."""

AGAIN_SECONDS = 0.5

BREAKS = {"UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED", "RESOURCE_EXHAUSTED"}

CODE_NAMES: dict[int, str] = {code.value[0]: code.name for code in grpc.StatusCode}


async def resumable(caller: Caller, sent: Sent) -> str:
    """Have a document read by `UploadExtract`, and go on with `ResumeExtract`; return the status.

    Does what docs/resuming.md says. A client that leaves does not come back.
    """
    extraction_id, sequence, given_up = "", 0, time.monotonic() + PATIENCE_SECONDS
    while True:
        metadata = caller.metadata(sent.name)
        if extraction_id:
            request = pb.ResumeExtractRequest(extraction_id=extraction_id, after_sequence=sequence)
            call = caller.ocr.ResumeExtract(request, metadata=metadata, timeout=sent.seconds)
        else:
            requests = pieces_of(sent, resumable=True)
            call = caller.ocr.UploadExtract(requests, metadata=metadata, timeout=sent.seconds)
        last = ""
        try:
            async with leaving(call, sent):
                async for event in call:
                    given_up = time.monotonic() + PATIENCE_SECONDS
                    last = str(event.WhichOneof("event"))
                    # A refusal, sent again by the next attempt, is of this attempt alone.
                    if last == "failed" and not extraction_id:
                        continue
                    caller.recorder.note("event", call=sent.name, **of_extraction(event))
                    extraction_id = extraction_id or event.started.extraction_id
                    sequence = event.sequence
            return caller.ended(sent, None, "OK")
        except grpc.aio.AioRpcError as error:
            broken = error
        except asyncio.CancelledError:
            return caller.ended(sent, None)
        if last == "finished":  # only the status was lost
            return caller.ended(sent, None, "OK")
        if _is_over(broken, sent) or (last == "failed" and extraction_id):
            return caller.ended(sent, broken)
        if time.monotonic() > given_up:
            return caller.ended(sent, broken)
        await asyncio.sleep(AGAIN_SECONDS)


def _is_over(error: grpc.aio.AioRpcError, sent: Sent) -> bool:
    if sent.cancel_seconds is not None and error.code() is grpc.StatusCode.CANCELLED:
        return True
    if reason_of(error) and error.code().name in ("INTERNAL", "UNKNOWN"):
        return True
    return error.code().name not in BREAKS


async def rest(caller: Caller, sent: Sent) -> str:
    """Have a document read over HTTP, as lines of JSON; return the status."""
    query = {"file_name": sent.document.file_name, "request_id": sent.request_id}
    query |= {"options.engine": sent.document.engine}
    query |= {"options.skip_cache": "true" if sent.skip_cache else ""}
    path = "/v1/ocr:upload?" + "&".join(f"{name}={value}" for name, value in query.items() if value)
    call = asyncio.create_task(_rest(caller, sent, path))
    seconds = sent.cancel_seconds if sent.cancel_seconds is not None else sent.seconds
    done, _ = await asyncio.wait([call], timeout=seconds)
    if done:
        status, reason, words = call.result()
        left = ""
    else:
        call.cancel()
        await asyncio.wait([call])
        reason, words = "", ""
        if sent.cancel_seconds is not None:
            status, left = "CANCELLED", "cancelled"
        else:
            status, left = "DEADLINE_EXCEEDED", "deadline" if sent.deadline_seconds else ""
    caller.recorder.note(
        "end", call=sent.name, status=status, reason=reason, left=left, words=words
    )
    return status


async def _rest(caller: Caller, sent: Sent, path: str) -> tuple[str, str, str]:
    """Return the status, its reason, and words if there is none."""
    headers = dict(caller.metadata(sent.name))
    kind, reason, code = "", "", 0
    try:
        async with caller.http.stream(
            "POST", path, content=_bytes(sent), headers=headers
        ) as answer:
            if answer.status_code != httpx.codes.OK:
                return _refused(answer.status_code, (await answer.aread()).decode())
            async for line in answer.aiter_lines():
                event = json_format.Parse(line, pb.UploadExtractResponse())
                caller.recorder.note("event", call=sent.name, **of_extraction(event))
                kind, reason = str(event.WhichOneof("event")), event.failed.reason
                code = event.failed.status.code
    except (httpx.TransportError, json_format.ParseError) as error:
        return "BROKEN", "", f"{type(error).__name__} {error}"[:160]
    if kind == "failed":
        return CODE_NAMES.get(code, "UNKNOWN"), reason, ""
    # Over HTTP a stream may just stop where a server died; the missing last event says so.
    return ("OK" if kind == "finished" else "BROKEN"), "", ""


async def _bytes(sent: Sent) -> AsyncIterator[bytes]:
    yield sent.document.content


def _refused(code: int, body: str) -> tuple[str, str, str]:
    """Return what an answer with an error says, as `rpc/status.py` writes it for HTTP."""
    if code in (502, 503, 504, 429, 0):
        known = "UNAVAILABLE"
    elif code == 499:
        known = "CANCELLED"
    else:
        known = f"HTTP_{code}"
    at = body.find('"reason"')
    reason = body[at:].split('"')[3] if at >= 0 else ""
    return known, reason, "" if reason else body[:160]
