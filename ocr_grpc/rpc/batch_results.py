"""Results of batches as messages: files in pieces, over REST the files themselves."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BytesValue

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.batches.result_pieces import PageText, ResultCodec, ResultForm
from ocr_grpc.batches.results import Download, Results
from ocr_grpc.batches.spooled_pieces import spooled
from ocr_grpc.rpc.batch_mapping import document_to_proto
from ocr_grpc.rpc.caller import current_caller
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.page_results import decoded_page
from ocr_grpc.sidecar.plan import ORIGINAL_PATH
from ocr_grpc.store.batches import DocumentRow
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1 import options_pb2, page_pb2
from ocr_grpc.v1.ocr_service_pb2 import ExtractResponse

Response = TypeVar("Response", pb.DownloadBatchDocumentResponse, pb.DownloadBatchResponse)

_FORMS = {
    pb.RESULT_FORMAT_UNSPECIFIED: ResultForm.JSON,
    pb.RESULT_FORMAT_JSON: ResultForm.JSON,
    pb.RESULT_FORMAT_TEXT: ResultForm.TEXT,
    pb.RESULT_FORMAT_MARKDOWN: ResultForm.MARKDOWN,
}


UNREADABLE = BytesValue(value=b"\xff")
"""An answer with something else than an `HttpBody` in it: the transcoder resets a stream that has
one. An error alone it leaves out over HTTP/1.1, and a file that broke off would look whole."""


class BatchResults:
    """Answers the RPCs that download."""

    def __init__(self, results: Results, folder: Path) -> None:
        """Take what writes results, and the folder where a document's lies while it is sent."""
        self._results = results
        self._folder = folder

    async def document(
        self, user_id: str, request: pb.DownloadBatchDocumentRequest, rest: bool
    ) -> AsyncGenerator[pb.DownloadBatchDocumentResponse, None]:
        """Send the result of one document; `rest` if the sidecar makes a file of it."""
        form = _form_from_proto(request.format)
        download = await self._results.document(
            user_id, request.batch_id, request.document_id, form, request.partial
        )
        whole = replace(download, pieces=spooled(download.pieces, self._folder))
        async with aclosing(_sent(pb.DownloadBatchDocumentResponse, whole, rest)) as responses:
            async for response in responses:
                yield response

    async def archive(
        self, user_id: str, request: pb.DownloadBatchRequest, rest: bool
    ) -> AsyncGenerator[pb.DownloadBatchResponse, None]:
        """Send the results of a batch; `rest` if the sidecar makes a file of it."""
        form = _form_from_proto(request.format)
        download = await self._results.archive(user_id, request.batch_id, form, request.partial)
        async with aclosing(_sent(pb.DownloadBatchResponse, download, rest)) as responses:
            async for response in responses:
                yield response


def is_rest(context: Context) -> bool:
    """Return whether the sidecar makes a file of the answer, as the caller speaks REST."""
    return any(key == ORIGINAL_PATH for key, _ in context.invocation_metadata() or ())


def result_codec() -> ResultCodec:
    """Return what `Results` needs to know of messages."""
    return ResultCodec(
        whole=_whole,
        listed=lambda row: _json(document_to_proto(row)),
        page=lambda result: _json(decoded_page(result)),
        text=_text,
    )


def content_disposition(file_name: str) -> str:
    """Return the header that names a file, in ASCII and as RFC 6266 has it for all other signs."""
    plain = "".join(
        sign if sign.isascii() and sign.isprintable() and sign not in '"\\%' else "_"
        for sign in file_name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


async def _sent(
    kind: type[Response], download: Download, rest: bool
) -> AsyncGenerator[Response, None]:
    content_type = download.content_type

    def response(piece: bytes) -> Response:
        if content_type:
            # Metadata of the answer, which is a header over REST; not if it becomes an error.
            current_caller().left["content-disposition"] = content_disposition(download.file_name)
        return kind(content=HttpBody(content_type=content_type, data=piece))

    try:
        async with aclosing(download.pieces) as pieces:
            async for piece in pieces:
                yield response(piece)
                content_type = ""
    except Exception:
        if rest and not content_type:
            yield cast("Response", UNREADABLE)
        raise
    if content_type:  # an empty file is one, too
        yield response(b"")


def _form_from_proto(form: pb.ResultFormat.ValueType) -> ResultForm:
    if form not in _FORMS:
        raise InvalidField(f"{form} is no form that this server knows.", field="format")
    return _FORMS[form]


def _whole(row: DocumentRow) -> dict[str, Any]:
    listed = document_to_proto(row)
    took = row.finish_time - row.start_time if row.finish_time and row.start_time else None
    message = ExtractResponse(
        extraction_id=row.document_id,
        kind=listed.kind,
        document_page_count=listed.document_page_count,
        usage=listed.usage,
        duration_seconds=took.total_seconds() if took else 0.0,
    )
    found = _json(message)
    # In the order of the proto: what is empty comes last otherwise.
    return {field.name: found[field.name] for field in ExtractResponse.DESCRIPTOR.fields}


def _text(result: bytes) -> PageText:
    page = decoded_page(result)
    return PageText(
        page.text,
        is_markdown=page.text_format == options_pb2.TEXT_FORMAT_MARKDOWN,
        was_read=page.outcome != page_pb2.PAGE_OUTCOME_FAILED,
    )


def _json(message: Message) -> dict[str, Any]:
    """Return a message as the sidecar writes it; see `print_options` in `sidecar/filters.py`."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
