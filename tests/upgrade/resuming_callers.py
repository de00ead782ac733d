"""Streams that are resumed, as docs/resuming.md says: each begins at the server that it prefers."""

import itertools
import uuid
from typing import Any

import grpc.aio

from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import House, Metadata
from tests.upgrade.callers import (
    BREAKS,
    LAYERS,
    LONG_DOCUMENT,
    LONG_PAGES,
    SMALL_WINDOW,
    Call,
    Seen,
    channel_to_first,
    checked,
)

ATTEMPTS = 10


class ResumingCalls:
    """Calls that take longer than a server waits, one at each server."""

    def __init__(self, addresses: list[str], key: Metadata, seen: Seen) -> None:
        orders = [[first, *(each for each in addresses if each != first)] for first in addresses]
        self._channels = [channel_to_first(order, *SMALL_WINDOW) for order in orders]
        self._key, self._seen = key, seen

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    def all(self) -> dict[str, Call]:
        """Return each kind of call by its name."""
        return {
            f"resumable StreamExtract {number}": self._stream(House(channel))
            for number, channel in enumerate(self._channels)
        }

    def _stream(self, home: House) -> Call:
        async def stream() -> int:
            request = pb.StreamExtractRequest(
                content=LONG_DOCUMENT, options=LAYERS, resumable=True, request_id=str(uuid.uuid4())
            )
            events: list[Any] = []
            call: Any = home.ocr.StreamExtract(request, metadata=self._key)
            for attempt in itertools.count(1):
                try:
                    async for event in self._seen.evenly(call, LONG_PAGES):
                        events.append(event)  # noqa: PERF401 - those before the break must be kept
                    return checked(events, LONG_PAGES)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in BREAKS or not events or attempt > ATTEMPTS:
                        raise
                assert events[-1].WhichOneof("event") != "failed"
                self._seen.resumed += 1
                again = pb.ResumeExtractRequest(
                    extraction_id=events[0].started.extraction_id,
                    after_sequence=events[-1].sequence,
                )
                call = home.ocr.ResumeExtract(again, metadata=self._key)
            raise AssertionError

        return stream
