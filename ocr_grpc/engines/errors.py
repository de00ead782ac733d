"""What can go wrong between the program and its engine workers."""

from ocr_grpc.errors import OcrError


class EngineUnavailable(OcrError):
    """No worker became ready in time; trying again may help."""

    reason = "ENGINE_UNAVAILABLE"


class EngineCrashed(OcrError):
    """Workers died over this page again and again."""

    reason = "ENGINE_CRASHED"


class PageTimedOut(OcrError):
    """The engine took longer over this page than `PAGE_TIMEOUT_SECONDS` allows."""

    reason = "PAGE_TIMED_OUT"


class EngineFailed(OcrError):
    """The engine reported an error of its own on this page."""

    reason = "ENGINE_FAILED"


class WorkerLost(Exception):
    """The worker went away; the page can be read again. Never leaves the service.

    `began` tells whether it had turned to the page, so that the page may be to blame.
    """

    def __init__(self, message: str, *, began: bool = False) -> None:
        super().__init__(message)
        self.began = began


class PageDropped(WorkerLost):
    """The worker let go of the page, but is there: what read it behind that worker went away."""


class PixelsLate(PageDropped):
    """The pixels of a page did not arrive in time: the network is to blame, and not the page."""


class WorkerBusy(Exception):
    """The worker has as many pages as it admits; another may be asked. Never leaves the pool."""
