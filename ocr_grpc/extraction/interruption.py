"""Ends an extraction from outside, with an error that becomes its last event."""

import asyncio

from ocr_grpc.errors import OcrError


class Interruption:
    """The way to end one extraction. Made in its event loop."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Done when the extraction shall end; the result says why."""

    def end(self, error: OcrError) -> None:
        """End the extraction. Only the first call counts."""
        if not self.future.done():
            self.future.set_result(error)
