"""The servicer of CompatibilityService: parse, call, map."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from google.api.httpbody_pb2 import HttpBody

from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.events import Failed
from ocr_grpc.extraction.together import PartMeter
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.rpc.compatibility import models
from ocr_grpc.rpc.compatibility.arrival import Arrival, ArrivedRequest
from ocr_grpc.rpc.compatibility.chat_body import parse_chat
from ocr_grpc.rpc.compatibility.completion import Completion, encoded
from ocr_grpc.rpc.compatibility.ocr_answer import OcrAnswer
from ocr_grpc.rpc.compatibility.ocr_body import parse_ocr
from ocr_grpc.rpc.compatibility.text_in_order import TextInOrder
from ocr_grpc.rpc.errors import InternalError
from ocr_grpc.rpc.intake import Intake
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.v1 import compatibility_service_pb2 as pb
from ocr_grpc.v1.compatibility_service_pb2_grpc import CompatibilityServiceServicer

JSON = "application/json; charset=utf-8"
"""Exactly so: the sidecar takes `application/json` alone, of unknown length, for NDJSON."""

SSE = "text/event-stream"

PIECE_BYTES = 512 * 1024
"""An answer goes in pieces that the sidecar can hold."""


class CompatibilityServicer(CompatibilityServiceServicer):
    """Answers CompatibilityService."""

    def __init__(
        self, intake: Intake, fetcher: Fetcher, engines: Engines, limits: OcrLimits
    ) -> None:
        self._engines = engines
        self._arrival = Arrival(intake, fetcher, engines, limits)

    async def RecognizeDocument(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.RecognizeDocumentRequest], context: Context
    ) -> pb.RecognizeDocumentResponse:
        """Read a document and return its pages."""
        answer = OcrAnswer(self._default)
        async with (
            self._arrival.arrived(request_iterator, parse_ocr) as request,
            self._arrival.in_one_piece(request) as parts,
        ):
            for document in request.documents:
                async with aclosing(self._arrival.events(document, parts)) as events:
                    async for event in events:
                        answer.add(event)
            content = HttpBody(content_type=JSON, data=encoded(answer.whole()))
        return pb.RecognizeDocumentResponse(content=content)

    async def CreateChatCompletion(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.CreateChatCompletionRequest], context: Context
    ) -> AsyncGenerator[pb.CreateChatCompletionResponse, None]:
        """Read the documents of a conversation and answer with their text."""
        completion = Completion(self._default)
        async with self._arrival.arrived(request_iterator, parse_chat) as request:
            if request.stream:
                pieces, content_type = self._streamed(request, completion), SSE
            else:
                pieces, content_type = _pieces(await self._whole(request, completion)), JSON
            async with aclosing(pieces):
                async for piece in pieces:
                    content = HttpBody(content_type=content_type, data=piece)
                    yield pb.CreateChatCompletionResponse(content=content)

    async def ListModels(  # noqa: N802 - the name in the proto
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """List the engines."""
        return models.models_of(self._engines.descriptions)

    @property
    def _default(self) -> str:
        return self._engines.descriptions[0].name

    async def _whole(self, request: ArrivedRequest, completion: Completion) -> bytes:
        """Return the answer once all of it is known."""
        async with (
            self._arrival.in_one_piece(request) as parts,
            aclosing(self._texts(request, completion, TextInOrder(True), parts)) as texts,
        ):
            return completion.whole("".join([text async for text in texts]))

    async def _streamed(
        self, request: ArrivedRequest, completion: Completion
    ) -> AsyncGenerator[bytes, None]:
        """Yield events as text comes. What fails before the first one has its HTTP code."""
        begun = False
        try:
            async with aclosing(self._texts(request, completion, TextInOrder())) as texts:
                async for text in texts:
                    if not begun:
                        begun = True
                        yield completion.first_event()
                    if text:
                        yield completion.text_event(text)
        except Exception as error:
            if begun:
                known = error if isinstance(error, OcrError) else InternalError()
                yield completion.error_event(known)
            raise
        yield completion.last_events(request.include_usage)

    async def _texts(
        self,
        request: ArrivedRequest,
        completion: Completion,
        order: TextInOrder,
        parts: list[PartMeter] | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the text of all documents, with an empty one for each event that brings none."""
        for document in request.documents:
            order.begin_document()
            completion.begin_document()
            async with aclosing(self._arrival.events(document, parts)) as events:
                async for event in events:
                    if isinstance(event, Failed):
                        raise event.error
                    completion.note(event)
                    yield order.add(event)


async def _pieces(answer: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(answer), PIECE_BYTES):
        yield answer[start : start + PIECE_BYTES]
