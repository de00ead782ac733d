"""What can be wrong with a URL. No message repeats a URL, or anything that its host said."""

from ocr_grpc.errors import InvalidOption, OcrError


class InvalidUrl(InvalidOption):
    """It is no URL that could be asked."""

    reason = "INVALID_URL"


class UrlNotAllowed(InvalidOption):
    """Its scheme, host, port or address is not one that this server asks."""

    reason = "URL_NOT_ALLOWED"

    def __init__(self, why: str, field: str, setting: str) -> None:
        super().__init__(
            f"The URL in `{field}` is not allowed: {why} ({setting}).",
            field=field,
            setting=setting,
        )


class UrlUnreachable(OcrError):
    """The host did not give the document.

    Attributes:
        passing: whether it may help to try again later.
    """

    reason = "URL_UNREACHABLE"

    def __init__(self, why: str, field: str, passing: bool = False) -> None:
        super().__init__(
            f"The URL in `{field}` cannot be fetched: {why}. "
            "Check it, or send the document itself.",
            field=field,
        )
        self.passing = passing


class HostUnknown(UrlUnreachable):
    """The host has no address: a slip in its name most of the time, else an ailing resolver."""

    def __init__(self, field: str) -> None:
        super().__init__("its host has no address", field, passing=True)
