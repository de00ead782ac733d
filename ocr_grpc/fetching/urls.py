"""Takes URLs of callers apart, and refuses what nobody should ask."""

import re

import httpx

from ocr_grpc.fetching.errors import InvalidUrl
from ocr_grpc.fetching.hosts import PORTS

MAX_URL_CHARS = 8_000

_HOST = re.compile(r"[a-z0-9_.-]{1,253}|[0-9a-f:.]{2,45}")


def parsed_url(text: str, field: str) -> httpx.URL:
    """Return a URL with a host, without credentials and fragment.

    Raises:
        InvalidUrl: it is none. The message does not repeat it.
    """
    try:
        url = httpx.URL(text[: MAX_URL_CHARS + 1])
    except httpx.InvalidURL:
        raise InvalidUrl(f"What is in `{field}` is no URL.", field=field) from None
    if len(text) > MAX_URL_CHARS:
        raise InvalidUrl(f"A URL has at most {MAX_URL_CHARS} characters.", field=field)
    if url.scheme not in PORTS:
        raise InvalidUrl(f"The URL in `{field}` is not `http:` or `https:`.", field=field)
    if url.userinfo:
        raise InvalidUrl(f"The URL in `{field}` holds credentials.", field=field)
    host = host_of(url).rstrip(".")
    if not _HOST.fullmatch(host):
        raise InvalidUrl(f"The URL in `{field}` has no host.", field=field)
    return url.copy_with(host=host, fragment=None)


def host_of(url: httpx.URL) -> str:
    """Return the host in ASCII; `URL.host` would give international names back in Unicode."""
    return url.raw_host.decode("ascii")


def port_of(url: httpx.URL) -> int:
    """Return the port, the usual one if none is written."""
    return url.port or PORTS[url.scheme]
