"""The folders that one running server has to itself."""

import re
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from ocr_grpc.documents.spool import Spool
from ocr_grpc.wiring.errors import CannotServe

SOCKET_FOLDER = re.compile(r"[A-Za-z0-9_./-]{1,90}")
"""Folders that can hold sockets: these allow 104 to 108 bytes, and grpc takes paths for URIs."""

MAX_TEMPORARY_CHARS = 60


def make_spool(data_dir: Path, stack: AsyncExitStack, hashes: bool = False) -> Spool:
    """Make the folder for documents, until `stack` closes; see `Spool`. Blocks for a moment.

    Raises:
        CannotServe: it cannot be written.
    """
    try:
        spool = Spool(data_dir / "spool", hashes)
    except OSError as error:
        raise CannotServe(
            f"Cannot write to {data_dir}: {error.strerror}. DATA_DIR chooses another folder."
        ) from None
    stack.callback(spool.close)
    return spool


def make_run_dir(spool: Spool, stack: AsyncExitStack) -> Path:
    """Return a folder for sockets, beside the spooled files if that path will do."""
    if SOCKET_FOLDER.fullmatch(str(spool.path)):
        return spool.path
    # The folder for temporary files may be as long; /tmp itself never is.
    fits = len(tempfile.gettempdir()) < MAX_TEMPORARY_CHARS
    folder = Path(tempfile.mkdtemp(prefix="ocr-grpc-", dir=None if fits else "/tmp"))  # noqa: S108
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder
