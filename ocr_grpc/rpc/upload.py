"""Takes an upload apart: what is wanted of a document, and its bytes as they come."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Generic, TypeVar

from ocr_grpc.rpc.errors import OptionsTooLate, UploadTruncated
from ocr_grpc.rpc.form_options import merged_options, single_flag, single_value
from ocr_grpc.rpc.intake import Wanted
from ocr_grpc.rpc.multipart import Form, boundary_of
from ocr_grpc.rpc.options_mapping import options_from_proto
from ocr_grpc.rpc.patience import Patience
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb

OWN_FIELDS = ("request_id", "file_name", "resumable")
"""Fields of a form that are not options."""

CONTENT = "content"
"""The field with the bytes, the only one of later messages."""

Request = TypeVar("Request", pb.UploadExtractRequest, batch_pb.UploadDocumentRequest)


class ArrivingFile(Generic[Request]):
    """One file on its way in: its bytes, or a form with it inside."""

    def __init__(
        self, requests: AsyncIterator[Request], idle_seconds: float, empty: Request
    ) -> None:
        """Wait for nothing yet.

        Args:
            requests: what the caller streams.
            idle_seconds: how long no byte may come.
            empty: stands for the first message where there is none.
        """
        self._requests = Patience(requests, idle_seconds)
        self._first = empty
        self._first_bytes = b""
        self._form: Form | None = None

    @property
    def size_bytes(self) -> int:
        """How many bytes were announced, once it began; 0 if that was not said."""
        return self._first.size_bytes

    @property
    def file_name(self) -> str:
        """What the caller calls the file, as far as that was said; a form says it before bytes."""
        fields = self._form.fields if self._form else {}
        said = single_value(fields, "file_name", self._first.file_name)
        return said or (self._form.file_name if self._form else "")

    async def begin(self) -> None:
        """Wait for the first message; an upload without one has defaults.

        Raises:
            UploadStalled: it did not come in time.
            MalformedRequest: it announces a form, but not how its parts are separated.
        """
        self._first = await self._requests.next() or self._first
        self._first_bytes = self._first.content.data
        boundary = boundary_of(self._first.content.content_type)
        self._form = Form(boundary) if boundary else None
        self._first.ClearField("content")

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the document.

        Raises:
            OptionsTooLate: a later message has more than bytes.
            UploadStalled: nothing came for too long.
            UploadTruncated: another number of bytes came than announced, or half a form.
            MalformedRequest: it announced a form and is none.
            InvalidOption: the form has two files, or fields that are too long.
            DocumentMissing: the form has no file.
        """
        size_bytes = 0
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                for chunk in self._form.feed(piece) if self._form else [piece]:
                    size_bytes += len(chunk)
                    yield chunk
        # A caller that hangs up looks like a normal end here; its cancellation lands at this await.
        await asyncio.sleep(0)
        if self._form:
            self._form.end()
        if self.size_bytes and size_bytes != self.size_bytes:
            raise UploadTruncated(
                f"{self.size_bytes} bytes were announced, {size_bytes} came.",
                announced=self.size_bytes,
                received=size_bytes,
            )

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        first, self._first_bytes = self._first_bytes, b""
        if first:
            yield first
        del first
        while (request := await self._requests.next()) is not None:
            # Whatever is said beside bytes, also in fields that are added one day.
            if any(field.name != CONTENT for field, _ in request.ListFields()):
                raise OptionsTooLate(
                    "Options, name, size and id go in the first message; bytes alone follow."
                )
            if request.content.data:
                yield request.content.data
                self._requests.renew()


class Upload(ArrivingFile[pb.UploadExtractRequest]):
    """One upload in progress that is to be read."""

    def __init__(
        self, requests: AsyncIterator[pb.UploadExtractRequest], idle_seconds: float
    ) -> None:
        super().__init__(requests, idle_seconds, pb.UploadExtractRequest())

    def wanted(self) -> Wanted:
        """Return what is wanted, as far as it was said; all of it, once the bytes are over.

        Raises:
            InvalidOption: an option is not known, or is said twice and differently.
        """
        first, fields = self._first, self._form.fields if self._form else {}
        request_id = single_value(fields, "request_id", first.request_id)
        others = {name: values for name, values in fields.items() if name not in OWN_FIELDS}
        return Wanted(
            options_from_proto(merged_options(first.options, others) if others else first.options),
            self.file_name,
            request_id,
            single_flag(fields, "resumable", first.resumable),
        )


class DocumentUpload(ArrivingFile[batch_pb.UploadDocumentRequest]):
    """One upload in progress that is to be kept."""

    def __init__(
        self, requests: AsyncIterator[batch_pb.UploadDocumentRequest], idle_seconds: float
    ) -> None:
        super().__init__(requests, idle_seconds, batch_pb.UploadDocumentRequest())
