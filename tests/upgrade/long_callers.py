"""Streams that cannot be resumed, and take longer than a server that is told to end waits.

docs/upgrade.md promises that each either ends well, or with `SHUTTING_DOWN` and UNAVAILABLE; sent
again under the same `request_id` it brings the whole document, and no page is charged twice.
"""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import httpx

from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import House, Metadata
from tests.support import encoded, picture
from tests.upgrade.callers import (
    LAYERS,
    LONG_DOCUMENT,
    LONG_PAGES,
    LONG_SECONDS,
    SMALL_WINDOW,
    Call,
    Seen,
    channel_to_all,
    checked,
)

SCANNED_PAGES = 24
SCAN = encoded(picture(), "PDF", save_all=True, append_images=[picture()] * (SCANNED_PAGES - 1))
ATTEMPTS = 10


class LongCalls:
    """Calls by gRPC and through Envoy, none of them resumable."""

    def __init__(
        self, addresses: list[str], client: httpx.AsyncClient, key: Metadata, seen: Seen
    ) -> None:
        self._channel = channel_to_all(addresses, *SMALL_WINDOW)
        self._ocr = House(self._channel).ocr
        self._client, self._key, self._seen = client, key, seen

    async def close(self) -> None:
        await self._channel.close()

    def all(self) -> dict[str, Call]:
        """Return each kind of call by its name."""
        return {
            "long StreamExtract": self.stream,
            "scan StreamExtract": self.scan,
            "long POST ocr:upload": self.upload,
        }

    async def stream(self) -> int:
        """Read a long document slowly."""
        request = pb.StreamExtractRequest(
            content=LONG_DOCUMENT, options=LAYERS, request_id=str(uuid.uuid4())
        )
        return await self._streamed(request, LONG_PAGES)

    async def scan(self) -> int:
        """Have pages read by the engine."""
        request = pb.StreamExtractRequest(content=SCAN, request_id=str(uuid.uuid4()))
        return await self._streamed(request, SCANNED_PAGES)

    async def _streamed(self, request: pb.StreamExtractRequest, pages: int) -> int:
        for _ in range(ATTEMPTS):
            call = self._ocr.StreamExtract(request, metadata=self._key)
            events: list[Any] = []
            try:
                async for event in self._seen.evenly(call, pages):
                    events.append(event)  # noqa: PERF401 - those before the end must be kept
                return checked(events, pages)
            except grpc.aio.AioRpcError as error:
                if not events or error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            numbers = [event.sequence for event in events]
            assert numbers == list(range(1, len(events) + 1)), "gap"
            # Whoever is far behind is cut off before he hears why.
            assert events[-1].failed.reason in ("", "SHUTTING_DOWN"), events[-1]
            self._seen.repeated += 1
        raise AssertionError(f"{ATTEMPTS} servers ended before the stream did")

    async def upload(self) -> int:
        """Read lines of JSON slowly."""
        parameters = {"options.mode": "MODE_TEXT_LAYER_ONLY", "request_id": str(uuid.uuid4())}
        for _ in range(ATTEMPTS):
            found: list[Any] = []
            with contextlib.suppress(httpx.RemoteProtocolError):
                async with self._client.stream(
                    "POST", "/v1/ocr:upload", params=parameters, content=LONG_DOCUMENT
                ) as answer:
                    async for line in self._lines_evenly(answer):
                        found.append(json.loads(line))  # noqa: PERF401 - those before the end
                    assert answer.status_code == 200, found
            assert found
            assert [line["sequence"] for line in found] == list(range(1, len(found) + 1)), "gap"
            if "finished" in found[-1]:
                assert found[-1]["finished"]["pages_ok"] == LONG_PAGES, found[-1]
                return LONG_PAGES
            failed = found[-1].get("failed", {"reason": "SHUTTING_DOWN"})
            assert failed["reason"] == "SHUTTING_DOWN", failed
            self._seen.repeated += 1
        raise AssertionError(f"{ATTEMPTS} servers ended before the stream did")

    async def _lines_evenly(self, answer: httpx.Response) -> AsyncIterator[str]:
        async for line in answer.aiter_lines():
            yield line
            if '"page_finished"' in line:
                await self._seen.rest(LONG_SECONDS / LONG_PAGES)
