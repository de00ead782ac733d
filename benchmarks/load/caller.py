"""A caller with a key of its own, and the ways in which it has documents read."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import grpc
import grpc.aio
import httpx

from benchmarks.load.corpus import Corpus, LoadDocument
from benchmarks.load.history import Recorder
from benchmarks.load.seen import of_extraction, outcome_name, reason_of
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceStub
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

CALL_SECONDS = 180.0
"""After which a call that does not end is given up, which the validator does not like."""

PIECE_BYTES = 2**18
SLOW_SECONDS = 0.1

CHANNEL_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.max_receive_message_length", -1),
    # grpc's own waits grow to two minutes, long after the server is back.
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.min_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


@dataclass(frozen=True)
class Doors:
    """Where the service is: gRPC addresses, as `host:port`, and the URL of its HTTP door."""

    grpc: list[str]
    http: str = ""

    def channel(self) -> grpc.aio.Channel:
        """Return a channel that spreads calls over all servers."""
        target = "ipv4:" + ",".join(self.grpc)
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)


@dataclass
class Sent:
    """One call that is under way, and how its client may leave it.

    Attributes:
        name: in the history.
        document: what is to be read.
        request_id: of the caller; empty for none.
        cancel_seconds: when the client hangs up; None: never.
        deadline_seconds: that the client gives the call.
        pause_seconds: between two events that are taken.
    """

    name: str
    document: LoadDocument
    request_id: str = ""
    cancel_seconds: float | None = None
    deadline_seconds: float | None = None
    pause_seconds: float = 0.0
    skip_cache: bool = True

    @property
    def seconds(self) -> float:
        """The deadline of each RPC."""
        return self.deadline_seconds or CALL_SECONDS


@dataclass
class Caller:
    """One user with one key. `async with` it."""

    user: str
    key: str
    doors: Doors
    corpus: Corpus
    recorder: Recorder
    dice: random.Random
    prefix: str = "load"
    """Of the ids of its RPCs, so that several runs on one database are told apart."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> "Caller":
        self.channel = await self._stack.enter_async_context(self.doors.channel())
        self.ocr, self.batches = OcrServiceStub(self.channel), BatchServiceStub(self.channel)
        client = httpx.AsyncClient(base_url=self.doors.http, timeout=CALL_SECONDS, trust_env=False)
        self.http = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def begin(self, kind: str, document: str = "", request_id: str = "") -> str:
        """Note that a call begins, and return its name."""
        name = self.recorder.new_call()
        self.recorder.note(
            "begin",
            call=name,
            kind=kind,
            user=self.user,
            document=document,
            request_id=request_id,
        )
        return name

    def metadata(self, name: str) -> tuple[tuple[str, str], ...]:
        """Note that another RPC of a call begins, and return what it is sent with."""
        rpc = f"{self.prefix}-{name}-{self.dice.getrandbits(32):08x}"
        self.recorder.note("rpc", call=name, rpc=rpc)
        return (("x-api-key", self.key), ("x-request-id", rpc))

    async def extract(self, sent: Sent) -> str:
        """Have a document read by `Extract`; return the status."""
        request = pb.ExtractRequest(
            content=sent.document.content,
            options=sent.document.options(sent.skip_cache),
            file_name=sent.document.file_name,
            request_id=sent.request_id,
        )
        call = self.ocr.Extract(request, metadata=self.metadata(sent.name), timeout=sent.seconds)
        try:
            async with leaving(call, sent):
                answer = await call
        except grpc.aio.AioRpcError as error:
            return self.ended(sent, error)
        except asyncio.CancelledError:
            return self.ended(sent, None)
        for page in answer.pages:
            outcome, text = outcome_name(page.outcome), page.text
            self.recorder.note(
                "page", call=sent.name, page=page.page_number, outcome=outcome, text=text
            )
        return self.ended(sent, None, "OK")

    async def stream(self, sent: Sent) -> str:
        """Have a document read by `StreamExtract`; return the status."""
        request = pb.StreamExtractRequest(
            content=sent.document.content,
            options=sent.document.options(sent.skip_cache),
            file_name=sent.document.file_name,
            request_id=sent.request_id,
        )
        metadata = self.metadata(sent.name)
        return await self.read(
            self.ocr.StreamExtract(request, metadata=metadata, timeout=sent.seconds), sent
        )

    async def upload(self, sent: Sent) -> str:
        """Have a document read by `UploadExtract`; return the status."""
        metadata = self.metadata(sent.name)
        return await self.read(
            self.ocr.UploadExtract(pieces_of(sent), metadata=metadata, timeout=sent.seconds), sent
        )

    async def read(self, call: "grpc.aio.Call", sent: Sent) -> str:
        """Read the events of a stream to its end, and note them; return the status."""
        try:
            async with leaving(call, sent):
                async for event in call:  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
                    self.recorder.note("event", call=sent.name, **of_extraction(event))
                    if sent.pause_seconds:
                        await asyncio.sleep(sent.pause_seconds)
        except grpc.aio.AioRpcError as error:
            return self.ended(sent, error)
        except asyncio.CancelledError:
            return self.ended(sent, None)
        return self.ended(sent, None, "OK")

    def ended(
        self, sent: Sent, error: grpc.aio.AioRpcError | None, status: str = "CANCELLED"
    ) -> str:
        """Note how a call ended, and return its status."""
        status = error.code().name if error else status
        left = ""
        if sent.cancel_seconds is not None and status == "CANCELLED":
            left = "cancelled"
        if sent.deadline_seconds is not None and status == "DEADLINE_EXCEEDED":
            left = "deadline"
        reason = reason_of(error) if error else ""
        words = (error.details() or "")[:160] if error and not reason else ""
        self.recorder.note(
            "end", call=sent.name, status=status, reason=reason, left=left, words=words
        )
        return status


class leaving:  # noqa: N801 - reads as a function
    """Hangs up after a while, if the caller means to."""

    def __init__(self, call: "grpc.aio.Call", sent: Sent) -> None:
        self._call, self._seconds = call, sent.cancel_seconds
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        if self._seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._call.cancel)

    async def __aexit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()


async def pieces_of(sent: Sent, **first: bool) -> AsyncIterator[pb.UploadExtractRequest]:
    """Yield the messages of an upload."""
    document = sent.document
    yield pb.UploadExtractRequest(
        options=document.options(sent.skip_cache),
        file_name=document.file_name,
        size_bytes=len(document.content),
        request_id=sent.request_id,
        **first,
    )
    for start in range(0, len(document.content), PIECE_BYTES):
        piece = document.content[start : start + PIECE_BYTES]
        yield pb.UploadExtractRequest(content={"data": piece})
