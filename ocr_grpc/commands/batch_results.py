"""Results of batches as files: an archive, one document, or a folder of texts."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import grpc.aio

from ocr_grpc.commands.batch_link import BatchLink, Retries
from ocr_grpc.commands.batch_sources import text_names
from ocr_grpc.commands.calls import told
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

DOWNLOADS_AT_ONCE = 4

TO_STDOUT = Path("-")


class Format(Enum):
    """The forms of results."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"

    @property
    def ending(self) -> str:
        """The ending of a file of this form."""
        return {Format.TEXT: ".txt", Format.MARKDOWN: ".md", Format.JSON: ".json"}[self]

    @property
    def proto(self) -> pb.ResultFormat.ValueType:
        """The form as the contract names it."""
        return pb.ResultFormat.Value(f"RESULT_FORMAT_{self.name}")


async def save(
    link: BatchLink, method: Callable[..., Any], request: Any, target: Path, *, force: bool
) -> None:
    """Write what a download brings into a file, or to standard output for `-`.

    Args:
        link: to the server.
        method: `DownloadBatch` or `DownloadBatchDocument`.
        request: what it takes.
        target: the file. It is whole or not there.
        force: whether a file that is there is replaced.

    Raises:
        CommandFailed: the server refuses, or the file cannot be written or is there.
    """
    if target == TO_STDOUT:
        await _print(link, method, request)
        return
    try:
        with _whole_file(target, force=force) as file:
            await _fill(link, method, request, file)
    except FileExistsError:
        raise CommandFailed(f"{target} is there already; --force replaces it.") from None
    except OSError as error:
        raise CommandFailed(f"{target}: {error.strerror}") from None


class TextFolder:
    """A folder that gets a text for each document of a batch, named after its file."""

    def __init__(self, folder: Path, form: Format, *, force: bool) -> None:
        self._folder = folder
        self._form = form
        self._force = force
        self._gate = asyncio.Semaphore(DOWNLOADS_AT_ONCE)

    def plan(self, names: Sequence[PurePosixPath]) -> list[Path]:
        """Return where the texts of these files go, and see that nothing is in their way.

        Args:
            names: of files below the folder that was given.

        Raises:
            CommandFailed: the folder cannot be made, or a text is there already.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandFailed(f"{self._folder}: {error.strerror}") from None
        targets = [self._folder / name for name in text_names(names, self._form.ending)]
        there = [target for target in targets if os.path.lexists(target)]
        if there and not self._force:
            others = f" and {len(there) - 1} more" if len(there) > 1 else ""
            raise CommandFailed(f"{there[0]}{others} is there already; --force replaces it.")
        return targets

    async def write(self, link: BatchLink, document: batch_pb2.BatchDocument, target: Path) -> None:
        """Write the text of a document, if it has one.

        Raises:
            CommandFailed: as `save`, or `target` leads out of the folder.
        """
        if document.state != batch_pb2.DOCUMENT_STATE_FINISHED:
            return
        async with self._gate:
            self._make_way(target)
            request = pb.DownloadBatchDocumentRequest(
                batch_id=document.batch_id,
                document_id=document.document_id,
                format=self._form.proto,
            )
            method = link.batches.DownloadBatchDocument
            await save(link, method, request, target, force=self._force)

    def _make_way(self, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            inside = target.parent.resolve().is_relative_to(self._folder.resolve())
        except OSError as error:
            raise CommandFailed(f"{target.parent}: {error.strerror}") from None
        if not inside:  # by a link that somebody put there
            raise CommandFailed(f"{target.parent} leads out of {self._folder}.")


@contextmanager
def _whole_file(target: Path, *, force: bool) -> Generator[BinaryIO, None, None]:
    """Yield a file beside the target that takes its place once the block is through."""
    if os.path.lexists(target) and not force:
        raise FileExistsError
    beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            yield file
        if os.path.lexists(target) and not force:  # since the download began
            raise FileExistsError
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


async def _fill(link: BatchLink, method: Callable[..., Any], request: Any, file: BinaryIO) -> None:
    retries = Retries()
    while True:
        try:
            async for piece in _pieces(link, method, request):
                await asyncio.to_thread(file.write, piece)
            return
        except grpc.aio.AioRpcError as error:
            await retries.wait(error)
            file.seek(0)  # from the beginning: there is no way to go on in the middle
            file.truncate()


async def _print(link: BatchLink, method: Callable[..., Any], request: Any) -> None:
    try:
        async for piece in _pieces(link, method, request):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except grpc.aio.AioRpcError as error:  # what is printed cannot be taken back
        reason, sentence = told(error)
        raise CommandFailed(sentence, reason) from None


async def _pieces(
    link: BatchLink, method: Callable[..., Any], request: Any
) -> AsyncGenerator[bytes, None]:
    call = method(request, metadata=await link.metadata())
    try:
        async for response in call:
            yield response.content.data
    finally:
        call.cancel()
