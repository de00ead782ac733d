"""A bar on stderr for people who wait; nothing at all where nobody looks."""

import sys
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import page_pb2


class Progress:
    """Shows how many pages of one file are read, and says which failed."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("pages"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
            # Text on the same terminal must scroll above the bar; text in a pipe stays untouched.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task(file, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away. May be called again."""
        self._bar.stop()

    def event(self, response: pb.UploadExtractResponse) -> None:
        """Show what an event says."""
        if response.HasField("started"):
            waiting = response.started.queue_position
            note = f" ({waiting} ahead)" if waiting else ""
            self._bar.update(
                self._task, total=response.started.page_count, description=self._file + note
            )
        elif response.HasField("page_started"):
            self._bar.update(self._task, description=self._file)
        elif response.HasField("page_finished"):
            self._bar.advance(self._task)
            page = response.page_finished
            if page.outcome != page_pb2.PAGE_OUTCOME_OK:
                outcome = page_pb2.PageOutcome.Name(page.outcome).removeprefix("PAGE_OUTCOME_")
                typer.echo(
                    f"{self._file}: page {page.page_number} {outcome.lower()}: "
                    f"{page.reason}: {page.message}",
                    err=True,
                )
