"""Callers that go on while servers are restarted, and write down how each of their calls ended."""

import asyncio
import base64
import contextlib
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import httpx

from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import House, Metadata
from tests.rpc.test_service_config import POLICY
from tests.support import TEXT_LAYER_ONLY, encoded, picture, text_pdf

PAGES = 3
DOCUMENT = text_pdf(PAGES, lines_per_page=5)
LONG_PAGES = 120
LONG_DOCUMENT = text_pdf(LONG_PAGES, lines_per_page=30)
"""Its events are more than all buffers on the way hold."""
LONG_SECONDS = 12.0
"""What a caller takes for a long document: more than delay and grace of a server together."""
SMALL_WINDOW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16_384))
"""So that a server waits for a slow reader, and is in the middle of the stream when it ends."""
IMAGE = encoded(picture())
TEXTS = [f"# Board {number}\n\nOak.\n".encode() for number in range(6)]
LAYERS = {"mode": TEXT_LAYER_ONLY}

SLOW_SECONDS = 0.5
"""Between two pages that a slow reader takes."""

BREAKS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)


@dataclass
class Seen:
    """What became of all calls.

    Attributes:
        ends: by kind of call and end; `good` is the only good one.
        pages: that were delivered.
        resumed: how many streams were broken and went on.
        repeated: how many that cannot do that were cut off, and sent again.
        over: nobody calls again from now on, or takes his time.
    """

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    pages: int = 0
    resumed: int = 0
    repeated: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def rest(self, seconds: float) -> None:
        """Wait, as a slow reader does."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)

    async def evenly(self, call: AsyncIterator[Any], pages: int) -> AsyncIterator[Any]:
        """Yield events; take `LONG_SECONDS` for all pages, each as long as the others."""
        async for event in call:
            yield event
            if event.HasField("page_finished"):
                await self.rest(LONG_SECONDS / pages)

    @property
    def wrong(self) -> dict[tuple[str, str], int]:
        return {end: count for end, count in self.ends.items() if end[1] != "good"}


Call = Callable[[], Awaitable[int]]
"""Makes one call, and returns how many pages it brought."""


async def repeat(seen: Seen, kind: str, call: Call) -> None:
    """Call again and again; the last call is let end."""
    while not seen.over.is_set():
        try:
            pages = await call()
            seen.pages += pages
            seen.ends[kind, "good"] += 1
        except grpc.aio.AioRpcError as error:
            seen.ends[kind, f"{error.code().name}: {error.details()}"] += 1
        except (httpx.HTTPError, AssertionError, TimeoutError, ValueError) as error:
            seen.ends[kind, repr(error)[:300]] += 1


def channel_to_all(addresses: list[str], *more: tuple[str, Any]) -> grpc.aio.Channel:
    """Return a channel with the shipped policy, and arguments, to all servers in turn."""
    balanced = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
    }
    return _channel(addresses, POLICY | balanced, *more)


def channel_to_first(addresses: list[str], *more: tuple[str, Any]) -> grpc.aio.Channel:
    """Return a channel to the first of some servers that can be reached."""
    return _channel(addresses, POLICY, *more)


def _channel(
    addresses: list[str], config: dict[str, Any], *more: tuple[str, Any]
) -> grpc.aio.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 3_000),
        *more,
    ]
    return grpc.aio.insecure_channel("ipv4:" + ",".join(addresses), options=options)


def checked(events: list[Any], pages: int) -> int:
    """Return how many pages a stream brought, which must be whole."""
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "gap"
    assert events[-1].WhichOneof("event") == "finished", events[-1].WhichOneof("event")
    ended = [each.page_finished.page_number for each in events if each.HasField("page_finished")]
    assert sorted(ended) == list(range(1, pages + 1)), ended
    assert events[-1].finished.pages_ok == pages
    return pages


class NativeCalls:
    """Calls by gRPC."""

    def __init__(self, home: House, key: Metadata, user: Metadata, seen: Seen) -> None:
        self._home, self._key, self._user, self._seen = home, key, user, seen

    def all(self) -> dict[str, Call]:
        """Return each kind of call by its name."""
        return {
            "GetMe": self.get_me,
            "CreateKey": self.create_key,
            "Inspect": self.inspect,
            "Extract": self.extract,
            "StreamExtract": self.stream,
            "slow StreamExtract": self.slow_stream,
            "UploadExtract": self.upload,
            "batch": self.batch,
        }

    async def get_me(self) -> int:
        await self._home.auth.GetMe(auth_pb.GetMeRequest(), metadata=self._user)
        return 0

    async def create_key(self) -> int:
        request = keys_pb.CreateKeyRequest(key={"scopes": [1]})
        made = await self._home.keys.CreateKey(request, metadata=self._user)
        revoke = keys_pb.RevokeKeyRequest(key_id=made.key.key_id)
        await self._home.keys.RevokeKey(revoke, metadata=self._user)
        return 0

    async def inspect(self) -> int:
        found = await self._home.ocr.Inspect(
            pb.InspectRequest(content=DOCUMENT), metadata=self._key
        )
        assert found.document_page_count == PAGES
        return 0

    async def extract(self) -> int:
        request = pb.ExtractRequest(content=DOCUMENT, options=LAYERS, request_id=str(uuid.uuid4()))
        answer = await self._home.ocr.Extract(request, metadata=self._key)
        assert len(answer.pages) == PAGES
        return PAGES

    async def stream(self) -> int:
        request = pb.StreamExtractRequest(content=IMAGE)
        call = self._home.ocr.StreamExtract(request, metadata=self._key)
        return checked([event async for event in call], 1)

    async def slow_stream(self) -> int:
        """Take what comes slowly."""
        request = pb.StreamExtractRequest(content=DOCUMENT, options=LAYERS)
        call = self._home.ocr.StreamExtract(request, metadata=self._key)
        events: list[Any] = []
        async for event in call:
            events.append(event)
            if event.HasField("page_finished"):
                await self._seen.rest(SLOW_SECONDS)
        return checked(events, PAGES)

    async def upload(self) -> int:
        pieces = [pb.UploadExtractRequest(options=LAYERS)]
        pieces += [
            pb.UploadExtractRequest(content={"data": DOCUMENT[start : start + 2000]})
            for start in range(0, len(DOCUMENT), 2000)
        ]
        call = self._home.ocr.UploadExtract(iter(pieces), metadata=self._key)
        return checked([event async for event in call], PAGES)

    async def batch(self) -> int:
        request = batch_pb.CreateBatchRequest(
            documents=[{"content": text} for text in TEXTS], request_id=str(uuid.uuid4())
        )
        made = (await self._home.batches.CreateBatch(request, metadata=self._key)).batch
        events: list[Any] = []
        for _ in range(10):
            watching = batch_pb.WatchBatchRequest(
                batch_id=made.batch_id, after_sequence=events[-1].sequence if events else 0
            )
            try:
                async for event in self._home.batches.WatchBatch(watching, metadata=self._key):
                    events.append(event)  # noqa: PERF401 - those before the break must be kept
                break
            except grpc.aio.AioRpcError as error:
                if error.code() not in BREAKS:
                    raise
        assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "gap"
        finished = [event.finished for event in events if event.HasField("finished")]
        assert [each.progress.documents_finished for each in finished] == [len(TEXTS)], finished
        return len(TEXTS)


class RestCalls:
    """Calls through Envoy."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    def all(self) -> dict[str, Call]:
        """Return each kind of call by its name."""
        return {
            "GET users/me": self.get_me,
            "POST keys": self.create_key,
            "POST ocr:extract": self.extract,
            "POST ocr:upload": self.upload,
        }

    async def get_me(self) -> int:
        self._good(await self._client.get("/v1/users/me"))
        return 0

    async def create_key(self) -> int:
        made = self._good(
            await self._client.post("/v1/keys", json={"key": {"scopes": ["SCOPE_OCR"]}})
        )
        self._good(await self._client.delete(f"/v1/keys/{made['key']['key_id']}"))
        return 0

    async def extract(self) -> int:
        body = {"content": base64.b64encode(DOCUMENT).decode(), "request_id": str(uuid.uuid4())}
        answer = self._good(await self._client.post("/v1/ocr:extract", json=body))
        assert len(answer["pages"]) == PAGES
        return PAGES

    async def upload(self) -> int:
        url = "/v1/ocr:upload?options.mode=MODE_TEXT_LAYER_ONLY"
        async with self._client.stream("POST", url, content=DOCUMENT) as answer:
            lines = [json.loads(line) async for line in answer.aiter_lines()]
            assert answer.status_code == 200, lines
        assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1)), "gap"
        assert lines[-1]["finished"]["pages_ok"] == PAGES, lines[-1]
        return PAGES

    def _good(self, answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise ValueError(f"{answer.status_code} {answer.text[:200]}")
        return answer.json()
