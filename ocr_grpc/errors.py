"""The root of every error a caller may see."""

from collections.abc import Generator
from contextlib import contextmanager

MAX_VALUE_CHARS = 500


class OcrError(Exception):
    """An error with a stable reason, safe to show to the caller.

    Subclasses live in the `errors.py` of their area and set `reason`; `rpc/status.py` maps each of
    them to a gRPC status. The message tells a developer what to do next; everything variable in it
    is also in `metadata`.
    """

    reason = "UNSPECIFIED"

    by_caller = False
    """Whether callers can end what is under way with it at will, so that what they got counts."""

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.message = message
        # Cut, because a status travels in headers, which callers bound to some 8 KiB.
        self.metadata = {key: str(value)[:MAX_VALUE_CHARS] for key, value in metadata.items()}


class InvalidOption(OcrError):
    """An option whose value can never be honoured; `field` is its path in the request."""

    reason = "INVALID_OPTION"

    def __init__(self, message: str, *, field: str, **metadata: object) -> None:
        super().__init__(message, field=field, **metadata)
        self.field = field


@contextmanager
def fields_within(path: str) -> Generator[None, None, None]:
    """Say of refused options in the block where they stand, such as `documents[3]`."""
    try:
        yield
    except InvalidOption as error:
        error.field = error.metadata["field"] = f"{path}.{error.field}"
        raise
