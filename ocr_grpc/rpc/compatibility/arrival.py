"""Takes the JSON of a request in, and the documents in it or behind its URLs.

JSON with documents in it is large, and at one moment it is there in three forms. So it is collected
on the disk, and only one request at a time is taken apart in memory.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from google.api.httpbody_pb2 import HttpBody

from ocr_grpc.documents.errors import DocumentTimedOut, DocumentTooLarge
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.events import Event
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.together import PartMeter, settled_together
from ocr_grpc.fetching.data_uri import base64_chunks, data_uri_chunks, is_data_uri
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.rpc.compatibility.models import engine_option, takes_prompt
from ocr_grpc.rpc.compatibility.request import NamedDocument, ReadRequest
from ocr_grpc.rpc.errors import MalformedRequest
from ocr_grpc.rpc.intake import Intake, Wanted
from ocr_grpc.rpc.patience import Patience

AROUND_DOCUMENTS_BYTES = 1024 * 1024
"""What a request may have beside its documents: words, names, options."""


class HasContent(Protocol):
    """A message that brings a piece of a body."""

    @property
    def content(self) -> HttpBody:
        """Return the piece."""
        ...


@dataclass(frozen=True, slots=True)
class ArrivedDocument:
    """A document, and what is wanted of it. Without a file it is still to be fetched."""

    named: NamedDocument
    wanted: Wanted
    file: SpooledDocument | None


@dataclass(frozen=True, slots=True)
class ArrivedRequest:
    """A request, its documents as near as they can be.

    Attributes:
        deadline: when an answer in one piece is due, by the clock of the event loop.
    """

    documents: list[ArrivedDocument]
    deadline: float
    stream: bool
    include_usage: bool


class Arrival:
    """What both interfaces have in common: from the bytes of a request to events."""

    def __init__(
        self, intake: Intake, fetcher: Fetcher, engines: Engines, limits: OcrLimits
    ) -> None:
        self._intake = intake
        self._fetcher = fetcher
        self._engines = engines
        self._limits = limits
        self._taking_apart = asyncio.Semaphore(1)

    @asynccontextmanager
    async def arrived(
        self, messages: AsyncIterator[HasContent], parse: Callable[[bytes], ReadRequest]
    ) -> AsyncGenerator[ArrivedRequest, None]:
        """Admit a request and take it in; its documents exist until the block is left.

        Raises:
            OcrError: it is refused.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._intake.admitted())
            pieces = self._pieces(messages)
            async with self._intake.received(pieces, self._max_body_bytes) as body:
                now = asyncio.get_running_loop().time()
                deadline = now + self._limits.document_timeout_seconds
                async with self._until(deadline), self._taking_apart:
                    request = await asyncio.to_thread(lambda: parse(body.path.read_bytes()))
                    documents = await self._documents(request, stack)
            yield ArrivedRequest(documents, deadline, request.stream, request.include_usage)

    @asynccontextmanager
    async def in_one_piece(self, request: ArrivedRequest) -> AsyncGenerator[list[PartMeter], None]:
        """Charge the documents that are read in the block, once their answer is ready, or none.

        Raises:
            DocumentTimedOut: the answer took too long.
            LedgerUnavailable: it cannot be charged.
        """
        async with settled_together() as parts, self._until(request.deadline):
            yield parts

    async def events(
        self, document: ArrivedDocument, parts: list[PartMeter] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of a document of a request that arrived, fetching it if need be.

        Args:
            document: which.
            parts: that of `in_one_piece`, within that. None: the events leave one by one.
        """
        async with AsyncExitStack() as stack:
            file = document.file
            if file is None:
                named = document.named
                chunks = self._fetcher.chunks(named.url, named.field_path)
                received = self._intake.received(chunks, self._limits.max_document_bytes)
                file = await stack.enter_async_context(received)
            events = self._intake.read(file, document.wanted, parts)
            await stack.enter_async_context(aclosing(events))
            async for event in events:
                yield event

    @asynccontextmanager
    async def _until(self, deadline: float) -> AsyncGenerator[None, None]:
        """Bound the block, which one task runs: the sidecar would give up without a reason."""
        limit = self._limits.document_timeout_seconds
        timeout = asyncio.timeout_at(deadline)
        try:
            async with timeout:
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise DocumentTimedOut(
                f"The answer took longer than {limit:g} seconds. Ask for fewer documents or pages "
                "at a time.",
                limit=limit,
                setting="DOCUMENT_TIMEOUT_SECONDS",
            ) from None

    @property
    def _max_body_bytes(self) -> int:
        return self._limits.max_inline_bytes * 4 // 3 + AROUND_DOCUMENTS_BYTES

    async def _documents(
        self, request: ReadRequest, stack: AsyncExitStack
    ) -> list[ArrivedDocument]:
        """Return the documents of a request; what it brings itself is on the disk then."""
        arrived: list[ArrivedDocument] = []
        waiting = request.documents[::-1]
        request.documents.clear()
        while waiting:
            named = waiting.pop()
            engines = self._engines.descriptions
            options = ExtractOptions(
                pages=request.pages,
                engine=engine_option(request.model, engines),
                prompt=request.prompt if takes_prompt(request.model, engines) else "",
            )
            wanted = Wanted(options, named.file_name)
            self._intake.check(wanted)
            if not named.is_bare and not is_data_uri(named.url):
                self._fetcher.check(named.url, named.field_path)
                arrived.append(ArrivedDocument(named, wanted, None))
                continue
            decode = base64_chunks if named.is_bare else data_uri_chunks
            chunks = self._bounded(decode(named.url, named.field_path))
            received = self._intake.received(chunks, self._limits.max_inline_bytes)
            file = await stack.enter_async_context(received)
            path_alone = NamedDocument("", named.field_path, named.file_name)
            arrived.append(ArrivedDocument(path_alone, wanted, file))
        return arrived

    async def _pieces(self, messages: AsyncIterator[HasContent]) -> AsyncGenerator[bytes, None]:
        patience = Patience(messages, self._limits.upload_idle_seconds)
        size_bytes = 0
        while (message := await patience.next()) is not None:
            piece = message.content.data
            size_bytes += len(piece)
            if size_bytes > self._max_body_bytes:
                raise self._too_large()
            if piece:
                yield piece
                patience.renew()
        # A caller that hangs up looks like a normal end here; its cancellation lands at this await.
        await asyncio.sleep(0)
        if not size_bytes:
            raise MalformedRequest("The body is empty; it is JSON.")

    async def _bounded(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        size_bytes = 0
        async with aclosing(chunks):
            async for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > self._limits.max_inline_bytes:
                    raise self._too_large()
                yield chunk

    def _too_large(self) -> DocumentTooLarge:
        return DocumentTooLarge(
            self._limits.max_inline_bytes,
            None,
            "MAX_INLINE_BYTES",
            "POST /v1/ocr:upload takes more.",
        )
