"""Takes an upload apart: what is wanted from its first message, and its bytes as they come."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.rpc.errors import OptionsTooLate, UploadStalled, UploadTruncated
from ocr_grpc.rpc.mapping import options_from_proto
from ocr_grpc.v1 import ocr_service_pb2 as pb

LINGER_SECONDS = 1.0


class Upload:
    """One upload in progress."""

    def __init__(
        self, requests: AsyncIterator[pb.UploadExtractRequest], idle_seconds: float
    ) -> None:
        self._requests = aiter(requests)
        self._idle_seconds = idle_seconds
        self._first = pb.UploadExtractRequest()
        self._ended = False

    async def begin(self) -> ExtractOptions:
        """Wait for the first message and return its options; an upload without one has defaults.

        Raises:
            UploadStalled: it did not come in time.
            InvalidOption: an option is not known.
        """
        self._first = await self._next() or pb.UploadExtractRequest()
        return options_from_proto(self._first.options)

    @property
    def file_name(self) -> str:
        """Return what the caller calls the file."""
        return self._first.file_name

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the document.

        Raises:
            OptionsTooLate: a later message has more than bytes.
            UploadStalled: nothing came for too long.
            UploadTruncated: another number of bytes came than announced.
        """
        size_bytes = len(self._first.content.data)
        if size_bytes:
            yield self._first.content.data
        while (request := await self._next()) is not None:
            if request.HasField("options") or request.file_name or request.size_bytes:
                raise OptionsTooLate(
                    "Options, name and size go in the first message; later ones are bytes alone."
                )
            size_bytes += len(request.content.data)
            if request.content.data:
                yield request.content.data
        # A caller that hangs up looks like a normal end here; its cancellation lands at this await.
        await asyncio.sleep(0)
        if self._first.size_bytes and size_bytes != self._first.size_bytes:
            raise UploadTruncated(
                f"{self._first.size_bytes} bytes were announced, {size_bytes} came.",
                announced=self._first.size_bytes,
                received=size_bytes,
            )

    async def linger(self) -> None:
        """Take what still comes of a refused upload and forget it, for `LINGER_SECONDS` at most.

        A status sent into the face of a caller that is still writing gets lost in some clients,
        grpc.aio's among them: they see their own failed write instead.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._ended:
                    await self._next()

    async def _next(self) -> pb.UploadExtractRequest | None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                request = await anext(self._requests, None)
        except TimeoutError:
            self._ended = True
            raise UploadStalled(
                f"Nothing came for {self._idle_seconds:g} s, so the upload was given up.",
                idle_seconds=self._idle_seconds,
            ) from None
        self._ended = request is None
        return request
