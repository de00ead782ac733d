"""What is shown of uploads and batches: bars on a terminal, else a line for each document."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from ocr_grpc.commands.batch_table import PROBLEMS, document_line
from ocr_grpc.commands.failure import printable
from ocr_grpc.commands.tables import to_json
from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

Counts = batch_pb2.BatchProgress


class UploadBar:
    """Bytes and files on their way, for a terminal."""

    def __init__(self, bar: RichProgress, files: int, size_bytes: int) -> None:
        self._bar = bar
        self._files = files
        self._done = 0
        self._task = bar.add_task(self._description, total=size_bytes)

    @property
    def _description(self) -> str:
        return f"sending {self._done}/{self._files} files"

    def bytes(self, count: int) -> None:
        """Count so many bytes more."""
        self._bar.advance(self._task, count)

    def file(self) -> None:
        """Count a file more."""
        self._done += 1
        self._bar.update(self._task, description=self._description)


class BatchBars:
    """Documents and pages of some batches together, for a terminal; failures as lines above."""

    def __init__(self, bar: RichProgress, known: dict[str, Counts]) -> None:
        """Take how far each of the batches is."""
        self._bar = bar
        self._known = dict(known)
        self._documents = bar.add_task("documents", total=None, note="", per_second=False)
        self._pages = bar.add_task("pages", total=None, note="", per_second=True)
        self._show()

    def made(self, batch: batch_pb2.Batch) -> None:
        """Show one batch more."""
        self._known[batch.batch_id] = batch.progress
        self._show()

    def event(self, batch_id: str, event: pb.WatchBatchResponse) -> None:
        """Show how far the batches are after an event."""
        self._known[batch_id] = event.progress
        if event.document_finished.state in PROBLEMS:
            typer.echo(document_line(event.document_finished), err=True)
        self._show()

    def _show(self) -> None:
        def total(*fields: str) -> int:
            return sum(getattr(each, field) for each in self._known.values() for field in fields)

        problems = total("documents_failed", "documents_cancelled")
        self._bar.update(
            self._documents,
            completed=total("documents_finished") + problems,
            total=total("documents"),
            visible=bool(self._known),
            note=f"{problems} not read" if problems else "",
        )
        failed = total("pages_failed")
        self._bar.update(
            self._pages,
            completed=total("pages_ok", "pages_degraded") + failed,
            total=total("pages"),
            visible=bool(self._known),
            note=f"{failed} failed" if failed else "",
        )


class DocumentLines:
    """A line for each document that ended."""

    def __init__(self, *, err: bool) -> None:
        self._err = err

    def made(self, batch: batch_pb2.Batch) -> None:
        """Print nothing yet."""

    def event(self, batch_id: str, event: pb.WatchBatchResponse) -> None:
        """Print the document, if one ended."""
        if event.HasField("document_finished"):
            typer.echo(document_line(event.document_finished), err=self._err)


View = BatchBars | DocumentLines


class EventLines:
    """Every event as a line of JSON."""

    def event(self, batch_id: str, event: pb.WatchBatchResponse) -> None:
        """Print the event."""
        typer.echo(to_json(event))


@contextmanager
def batch_view(known: dict[str, Counts]) -> Generator[View, None, None]:
    """Yield what shows batches for the time of the block: bars if somebody looks, else lines.

    Args:
        known: how far each of the batches is.
    """
    if not sys.stderr.isatty():
        yield DocumentLines(err=False)
        return
    bar = RichProgress(*_batch_columns())
    with _live(bar):
        yield BatchBars(bar, known)


@contextmanager
def creation_view(files: int, size_bytes: int) -> Generator[tuple[UploadBar, View], None, None]:
    """Yield what shows uploads, and what shows batches: some are read while others are sent.

    Lines go to stderr, since standard output is for the batches themselves.
    """
    uploads, batches = RichProgress(*_upload_columns()), RichProgress(*_batch_columns())
    bar = UploadBar(uploads, files, size_bytes)
    if not sys.stderr.isatty():
        yield bar, DocumentLines(err=True)
        return
    with _live(Group(uploads, batches)):
        yield bar, BatchBars(batches, {})


class _PerSecond(ProgressColumn):
    """How many in a second, lately."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed and task.fields["per_second"] else "")


def _upload_columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
    )


def _batch_columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _PerSecond(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="red"),
    )


def _live(shown: RenderableType) -> Live:
    """Return what keeps bars up to date at the bottom of a terminal, until its block is left."""
    return Live(
        shown,
        console=Console(stderr=True),
        transient=True,
        # Text on the same terminal must scroll above the bar; text in a pipe stays untouched.
        redirect_stdout=sys.stdout.isatty(),
        refresh_per_second=10,
    )


def say_how_it_ended(batch: batch_pb2.Batch) -> None:
    """Say on stderr what came of a batch."""
    counts = batch.progress
    parts = [f"{counts.documents_finished} of {counts.documents} documents read"]
    for count, what in (
        (counts.documents_failed, "failed"),
        (counts.documents_cancelled, "cancelled"),
    ):
        if count:
            parts.append(f"{count} {what}")
    parts.append(f"{counts.pages_ok + counts.pages_degraded} of {counts.pages} pages read")
    if counts.pages_degraded:
        parts.append(f"{counts.pages_degraded} in part")
    name = f"{batch.display_name} ({batch.batch_id})" if batch.display_name else batch.batch_id
    typer.echo(printable(f"{name}: {', '.join(parts)}."), err=True)
