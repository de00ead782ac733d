"""Takes an upload apart: what is wanted of a document, and its bytes as they come."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from ocr_grpc.rpc.errors import OptionsTooLate, UploadTruncated
from ocr_grpc.rpc.form_options import merged_options, single_value
from ocr_grpc.rpc.intake import Wanted
from ocr_grpc.rpc.multipart import Form, boundary_of
from ocr_grpc.rpc.options_mapping import options_from_proto
from ocr_grpc.rpc.patience import Patience
from ocr_grpc.v1 import ocr_service_pb2 as pb

OWN_FIELDS = ("request_id", "file_name")
"""Fields of a form that are not options."""


class Upload:
    """One upload in progress: the bytes of a document, or a form with one in it."""

    def __init__(
        self, requests: AsyncIterator[pb.UploadExtractRequest], idle_seconds: float
    ) -> None:
        self._requests = Patience(requests, idle_seconds)
        self._first = pb.UploadExtractRequest()
        self._first_bytes = b""
        self._form: Form | None = None

    @property
    def size_bytes(self) -> int:
        """How many bytes were announced, once it began; 0 if that was not said."""
        return self._first.size_bytes

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

    def wanted(self) -> Wanted:
        """Return what is wanted, as far as it was said; all of it, once the bytes are over.

        Raises:
            InvalidOption: an option is not known, or is said twice and differently.
        """
        first, fields = self._first, self._form.fields if self._form else {}
        own = {name: single_value(fields, name, getattr(first, name)) for name in OWN_FIELDS}
        others = {name: values for name, values in fields.items() if name not in OWN_FIELDS}
        return Wanted(
            options_from_proto(merged_options(first.options, others) if others else first.options),
            own["file_name"] or (self._form.file_name if self._form else ""),
            own["request_id"],
        )

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
            late = request.file_name or request.size_bytes or request.request_id
            if late or request.HasField("options"):
                raise OptionsTooLate(
                    "Options, name, size and id go in the first message; bytes alone follow."
                )
            if request.content.data:
                yield request.content.data
                self._requests.renew()
