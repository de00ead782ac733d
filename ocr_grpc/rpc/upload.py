"""Takes an upload apart: what is wanted from its first message, and its bytes as they come."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.rpc.errors import OptionsTooLate, UploadStalled, UploadTruncated
from ocr_grpc.rpc.mapping import options_from_proto
from ocr_grpc.v1 import ocr_service_pb2 as pb


class Upload:
    """One upload in progress."""

    def __init__(
        self, requests: AsyncIterator[pb.UploadExtractRequest], idle_seconds: float
    ) -> None:
        self._requests = aiter(requests)
        self._idle_seconds = idle_seconds
        self._first_bytes = b""
        self._patience_ends = 0.0
        self.file_name = ""
        """What the caller calls the file, once it began."""
        self.request_id = ""
        """What makes a repetition free, once it began."""
        self.size_bytes = 0
        """How many bytes were announced, once it began; 0 if that was not said."""

    async def begin(self) -> ExtractOptions:
        """Wait for the first message and return its options; an upload without one has defaults.

        Raises:
            UploadStalled: it did not come in time.
            InvalidOption: an option is not known.
        """
        self._be_patient()
        first = await self._next() or pb.UploadExtractRequest()
        self._first_bytes = first.content.data
        self.file_name, self.size_bytes = first.file_name, first.size_bytes
        self.request_id = first.request_id
        return options_from_proto(first.options)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the document.

        Raises:
            OptionsTooLate: a later message has more than bytes.
            UploadStalled: nothing came for too long.
            UploadTruncated: another number of bytes came than announced.
        """
        first, self._first_bytes = self._first_bytes, b""
        size_bytes = len(first)
        if first:
            yield first
        del first
        while (request := await self._next()) is not None:
            late = request.file_name or request.size_bytes or request.request_id
            if late or request.HasField("options"):
                raise OptionsTooLate(
                    "Options, name, size and id go in the first message; bytes alone follow."
                )
            size_bytes += len(request.content.data)
            if request.content.data:
                yield request.content.data
                self._be_patient()
        # A caller that hangs up looks like a normal end here; its cancellation lands at this await.
        await asyncio.sleep(0)
        if self.size_bytes and size_bytes != self.size_bytes:
            raise UploadTruncated(
                f"{self.size_bytes} bytes were announced, {size_bytes} came.",
                announced=self.size_bytes,
                received=size_bytes,
            )

    def _be_patient(self) -> None:
        self._patience_ends = asyncio.get_running_loop().time() + self._idle_seconds

    async def _next(self) -> pb.UploadExtractRequest | None:
        try:
            # Until a byte comes: a caller that sends empty messages is as idle as a silent one.
            async with asyncio.timeout_at(self._patience_ends):
                return await anext(self._requests, None)
        except TimeoutError:
            raise UploadStalled(
                f"Nothing came for {self._idle_seconds:g} s, so the upload was given up.",
                idle_seconds=self._idle_seconds,
            ) from None
