"""What the commands about accounts print: tables for people, plain lines for pipes, or JSON."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC
from enum import Enum

import typer
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ocr_grpc.commands.failure import printable
from ocr_grpc.v1 import user_pb2


class Form(Enum):
    """The forms of output."""

    TABLE = "table"
    JSON = "json"


def to_json(message: Message, indent: int | None = None) -> str:
    """Return a message as JSON the way REST gives it: the proto's field names, zeros printed."""
    return json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        ensure_ascii=False,
        indent=indent,
    )


def print_json(message: Message) -> None:
    """Print a message as one document."""
    typer.echo(to_json(message, indent=2))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; where nobody looks, one line a row with tabs between, the names first."""
    shown = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(columns), *shown]:
            typer.echo("\t".join(row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in shown:
        table.add_row(*(Text(cell) for cell in row))  # no markup: cells hold what users wrote
    Console().print(table)


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print one thing: a line for each of its fields."""
    shown = [(name, printable(value)) for name, value in fields]
    width = max(len(name) for name, _ in shown) + 2
    on_terminal = sys.stdout.isatty()
    for name, value in shown:
        typer.echo(f"{name:{width}}{value or '-'}" if on_terminal else f"{name}\t{value}")


def note(text: str) -> None:
    """Say something on stderr, beside what the command prints."""
    typer.echo(printable(text), err=True)


def moment(message: Message, field: str) -> str:
    """Return a time of a message, in UTC to the minute; empty if it is absent."""
    if not message.HasField(field):
        return ""
    time: Timestamp = getattr(message, field)
    return time.ToDatetime(UTC).strftime("%Y-%m-%d %H:%M")


def short_name(name: str) -> str:
    """Return the name of an enum's value without its prefix: `ROLE_ADMIN` as `admin`."""
    return name.rpartition("_")[2].lower()


def limits_text(limits: user_pb2.CallerLimits) -> str:
    """Return limits in words; empty if there are none of one's own."""
    named = (
        ("calls_per_minute", "calls/minute"),
        ("pages_per_month", "pages/month"),
        ("concurrent_streams", "streams"),
    )
    return ", ".join(
        f"{getattr(limits, field) or 'unlimited'} {unit}"
        for field, unit in named
        if limits.HasField(field)  # pyright: ignore[reportArgumentType]
    )
