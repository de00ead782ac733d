"""`ocr-grpc batch create`: files or a folder in, and on request a folder of texts out."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from ocr_grpc.commands.batch_link import BatchLink, first_failure, linked
from ocr_grpc.commands.batch_progress import View, creation_view, say_how_it_ended
from ocr_grpc.commands.batch_results import Format, TextFolder
from ocr_grpc.commands.batch_sending import Sending, batches_of, limits_of
from ocr_grpc.commands.batch_sources import Source, find_sources
from ocr_grpc.commands.batch_watching import exit_code, watch
from ocr_grpc.commands.document_options import (
    Dpi,
    EngineName,
    Languages,
    ModeName,
    Pages,
    Password,
    Prompt,
    SkipPictures,
    TextFormatName,
    mode_named,
    text_format_named,
)
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.options import MAX_INT32, Address
from ocr_grpc.commands.tables import note, to_json
from ocr_grpc.extraction.options import Mode
from ocr_grpc.rpc.options_mapping import mode_to_proto
from ocr_grpc.v1 import batch_pb2, options_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

MAX_REQUEST_ID_CHARS = 128


class Priority(Enum):
    """How urgent a batch is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass
class Made:
    """The batches that were made, and the files of each in their order."""

    batches: list[batch_pb2.Batch] = field(default_factory=list[batch_pb2.Batch])
    targets: dict[tuple[str, int], Path] = field(default_factory=dict[tuple[str, int], Path])
    """Where the text of a document goes, by batch and number; empty without --output."""

    def add(self, batch: batch_pb2.Batch, documents: int, targets: Iterator[Path]) -> None:
        """Add a batch of so many documents; the next of the targets, if there are any, are its."""
        self.batches.append(batch)
        for place, target in enumerate(islice(targets, documents), start=1):
            self.targets[batch.batch_id, place] = target


def create_batch(
    files: Annotated[list[str], typer.Argument(help="Files, or folders of files.")],
    address: Address = "",
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders in folders too.")
    ] = False,
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    priority: Annotated[
        Priority | None, typer.Option(help="How urgent it is; default: as normal as allowed.")
    ] = None,
    retention_hours: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_INT32, help="Hours to keep it when it has ended; 0: the server's most."
        ),
    ] = 0,
    request_id: Annotated[
        str, typer.Option(help="The same id again never makes a second batch, for a day.")
    ] = "",
    mode: ModeName = Mode.AUTO.value,
    pages: Pages = "",
    dpi: Dpi = 0,
    language: Languages = None,
    engine: EngineName = "",
    prompt: Prompt = "",
    words: Annotated[
        bool, typer.Option("--words", help="With json: words with their places.")
    ] = False,
    text_format: TextFormatName = "",
    skip_pictures: SkipPictures = False,
    password: Password = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Wait, and show progress.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Wait, and write texts into this folder.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What is written there.")] = Format.TEXT,
    force: Annotated[bool, typer.Option("--force", help="Replace texts that are there.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print each batch as a line of JSON, not its id.")
    ] = False,
) -> None:
    """Have files read in the background and print the batch's id; more than 1,000 make several.

    With --watch or --output it waits. Exit code 0: all was read. 3: some documents or pages were
    not, the rest was. 1: it failed.
    """
    wanted = pb.CreateBatchRequest(
        options=options_pb2.ExtractOptions(
            mode=mode_to_proto(mode_named(mode)),
            pages=pages,
            dpi=dpi,
            languages=language or [],
            engine=engine,
            prompt=prompt,
            words=words,
            password=password,
            text_format=text_format_named(text_format),
            skip_pictures=skip_pictures,
        ),
        display_name=name,
        priority=_priority(priority),
        retention_hours=retention_hours,
        # Without one a broken connection would leave us in doubt whether there is a batch.
        request_id=request_id or f"cli-{uuid4().hex}",
    )
    sources = find_sources(files, recursive)
    folder = TextFolder(output, form, force=force) if output else None
    targets = folder.plan([source.name for source in sources]) if folder else []
    made = Made()
    try:
        asyncio.run(_run(address, sources, wanted, made, targets, folder, watch=watch, json=json))
    except KeyboardInterrupt:
        for batch in made.batches:
            note(f"Batch {batch.batch_id} goes on; `ocr-grpc batch watch` shows it.")
        raise typer.Exit(130) from None
    if watch or folder:
        raise typer.Exit(exit_code(made.batches))


def _priority(priority: Priority | None) -> batch_pb2.BatchPriority.ValueType:
    if priority is None:
        return batch_pb2.BATCH_PRIORITY_UNSPECIFIED
    return batch_pb2.BatchPriority.Value(f"BATCH_PRIORITY_{priority.name}")


async def _run(
    address: str,
    sources: Sequence[Source],
    wanted: pb.CreateBatchRequest,
    made: Made,
    targets: Sequence[Path],
    folder: TextFolder | None,
    *,
    watch: bool,
    json: bool,
) -> None:
    async with linked(address) as link:
        limits = await limits_of(link)
        parts = list(batches_of(sources, limits.documents))
        request_ids = _request_ids(wanted.request_id, len(parts))
        size_bytes = sum(source.size_bytes for source in sources)
        with creation_view(len(sources), size_bytes) as (bar, view):
            waiting = _Waiting(link, made, folder, view) if watch or folder else None
            try:
                async with asyncio.TaskGroup() as group:
                    rest = iter(targets)
                    for part, wanted.request_id in zip(parts, request_ids, strict=True):
                        batch = await Sending(link, limits, bar).create(part, wanted)
                        made.add(batch, len(part), rest)
                        typer.echo(to_json(batch) if json else batch.batch_id)
                        sys.stdout.flush()  # a script may want to cancel it before the rest is made
                        if waiting:
                            waiting.begin(batch, group)
            except* (CommandFailed, BrokenPipeError) as failures:
                raise first_failure(failures) from None
    if waiting:
        made.batches = waiting.ended()


def _request_ids(request_id: str, count: int) -> list[str]:
    """Return the request ids of so many batches.

    Raises:
        CommandFailed: with the number of the batch it is too long; before anything is sent.
    """
    request_ids = [request_id, *(f"{request_id}.{number}" for number in range(2, count + 1))]
    if len(request_ids[-1]) > MAX_REQUEST_ID_CHARS:
        most = MAX_REQUEST_ID_CHARS - len(request_ids[-1]) + len(request_id)
        raise CommandFailed(
            f"A request id of {count} batches has at most {most} characters.", "INVALID_REQUEST_ID"
        )
    return request_ids


class _Waiting:
    """Waits for batches from when each is made, and writes their texts."""

    def __init__(self, link: BatchLink, made: Made, folder: TextFolder | None, view: View) -> None:
        self._link = link
        self._made = made
        self._folder = folder
        self._view = view
        self._tasks: list[asyncio.Task[batch_pb2.Batch]] = []

    def begin(self, batch: batch_pb2.Batch, group: asyncio.TaskGroup) -> None:
        """Wait for one batch more, in a task of the group."""
        self._view.made(batch)
        waiting = watch(self._link, batch.batch_id, self._view, when_finished=self._write)
        self._tasks.append(group.create_task(waiting))

    def ended(self) -> list[batch_pb2.Batch]:
        """Return the batches, of which all have ended, and say how."""
        batches = [task.result() for task in self._tasks]
        for batch in batches:
            say_how_it_ended(batch)
        return batches

    async def _write(self, document: batch_pb2.BatchDocument) -> None:
        target = self._made.targets.get((document.batch_id, document.number))
        if self._folder and target:
            await self._folder.write(self._link, document, target)
