"""`ocr-grpc batch create`: files or a folder in, and on request a folder of texts out."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from ocr_grpc.commands.batch_link import BatchLink, first_failure, linked
from ocr_grpc.commands.batch_progress import batch_view, say_how_it_ended, upload_bar
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
from ocr_grpc.commands.options import Address
from ocr_grpc.commands.tables import note, to_json
from ocr_grpc.extraction.options import Mode
from ocr_grpc.rpc.options_mapping import mode_to_proto
from ocr_grpc.v1 import batch_pb2, options_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb


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
        int, typer.Option(min=0, help="Hours to keep it when it has ended; 0: the server's most.")
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
        await _create_all(link, sources, wanted, made, targets, json=json)
        if watch or folder:
            made.batches = await _watch_all(link, made, folder)


async def _create_all(
    link: BatchLink,
    sources: Sequence[Source],
    wanted: pb.CreateBatchRequest,
    made: Made,
    targets: Sequence[Path],
    *,
    json: bool,
) -> None:
    """Make the batches, and print each as soon as it is there."""
    limits = await limits_of(link)
    request_id, rest = wanted.request_id, iter(targets)
    with upload_bar(len(sources), sum(source.size_bytes for source in sources)) as bar:
        for number, part in enumerate(batches_of(sources, limits.documents), start=1):
            if number > 1:
                wanted.request_id = f"{request_id}.{number}"
            batch = await Sending(link, limits, bar).create(part, wanted)
            made.batches.append(batch)
            for place, target in zip(range(1, len(part) + 1), rest):  # noqa: B905 - may be none
                made.targets[batch.batch_id, place] = target
            typer.echo(to_json(batch) if json else batch.batch_id)
            sys.stdout.flush()  # a script may want to cancel it before the rest is made


async def _watch_all(
    link: BatchLink, made: Made, folder: TextFolder | None
) -> list[batch_pb2.Batch]:
    async def write(document: batch_pb2.BatchDocument) -> None:
        if folder and (target := made.targets.get((document.batch_id, document.number))):
            await folder.write(link, document, target)

    known = {batch.batch_id: batch.progress for batch in made.batches}
    try:
        with ExitStack() as stack:
            view = stack.enter_context(batch_view(known, lines_on_stderr=True))
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(watch(link, batch_id, view, when_finished=write))
                    for batch_id in known
                ]
    except* CommandFailed as failures:
        raise first_failure(failures) from None
    ended = [task.result() for task in tasks]
    for batch in ended:
        say_how_it_ended(batch)
    return ended
