"""Finds the place for blobs that `BLOB_URL` names."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, from_url

from ocr_grpc.store.blob_errors import STORE_ERRORS, told

if TYPE_CHECKING:  # a name of the stub file alone
    from obstore.store import ObjectStore

MIB = 1024 * 1024
LOCAL_PART_BYTES = MIB
REMOTE_PART_BYTES = 5 * MIB
"""The least that S3 takes as a part that is not the last."""
MAX_PARTS = 10_000

_CLIENT: dict[str, Any] = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=30),
}
_RETRIES: dict[str, Any] = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"max_backoff": timedelta(seconds=5)},
}
_HTTP_ALLOWED = ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP")
"""obstore knows such names itself, but forgets them beside other options of the client."""
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")


@dataclass(frozen=True, slots=True)
class Place:
    """Where blobs lie.

    Attributes:
        name: what messages call it.
        folder: of a store on this machine. None: it is elsewhere.
        part_bytes: what goes into one request of a large upload.
    """

    name: str
    # Never shown: obstore falls over showing one for Azure whose account is in the environment.
    store: "ObjectStore" = field(repr=False)
    folder: Path | None
    part_bytes: int


def find_place(url: str, data_dir: Path, max_bytes: int) -> Place:
    """Return where blobs lie, after making the folder of a local place. Asks nobody yet.

    Args:
        url: `BLOB_URL`. Empty: `blobs` below `data_dir`.
        data_dir: `DATA_DIR`.
        max_bytes: the largest blob there will be.

    Raises:
        ValueError: the URL leads nowhere; the sentence names the setting.
    """
    name = url or f"file://{data_dir.absolute()}/blobs"
    folder = _folder(url) if url else data_dir.absolute() / "blobs"
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Place(name, LocalStore(folder), folder, LOCAL_PART_BYTES)
        _check_endpoints()
        client = {**_CLIENT, "allow_http": _allows_http()}
        # The stubs want to know the kind of store, which the URL says.
        store = cast("Any", from_url)(url, client_options=client, retry_config=_RETRIES)
    except STORE_ERRORS as error:
        raise ValueError(f"BLOB_URL: {name} is no place for documents: {told(error)}.") from None
    return Place(name, store, None, max(REMOTE_PART_BYTES, -(-max_bytes // (MAX_PARTS - 1))))


def _folder(url: str) -> Path | None:
    """Return the folder of a local place, None if it is elsewhere."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError("BLOB_URL: a folder is written as file:///folder, with three slashes.")
    return Path(unquote(parts.path))


def _check_endpoints() -> None:
    """Refuse addresses that obstore would not explain, or fall over.

    Raises:
        ValueError: naming the variable.
    """
    for name in _ENDPOINTS:
        scheme = urlsplit(os.environ.get(name, "https:")).scheme
        if scheme not in ("http", "https"):
            raise ValueError(f"BLOB_URL: {name} begins with http:// or https://.")
        if scheme == "http" and not _allows_http():
            raise ValueError(f"BLOB_URL: {name} is without TLS, which needs AWS_ALLOW_HTTP=true.")


def _allows_http() -> bool:
    return any(os.environ.get(name, "").lower() in ("1", "true") for name in _HTTP_ALLOWED)
