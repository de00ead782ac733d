"""The options that commands about accounts share, and how their values are written."""

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from ocr_grpc.commands.tables import Form
from ocr_grpc.v1 import key_pb2, user_pb2

Address = Annotated[
    str,
    typer.Option(
        envvar="OCR_ADDRESS",
        help="host:port, or https://host:port for TLS; default: this machine's server.",
    ),
]
Output = Annotated[Form, typer.Option(help="What to print.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Most lines to print.")]
Since = Annotated[
    str, typer.Option(help="A day such as 2026-11-01, a time (UTC), or 7d for that long ago.")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]

_LIMIT = "or `default`: as it is without one of its own; 0: no limit."
CallsPerMinute = Annotated[str, typer.Option(help=f"Calls in any minute, {_LIMIT}")]
PagesPerMonth = Annotated[str, typer.Option(help=f"Pages in a month, {_LIMIT}")]
ConcurrentStreams = Annotated[str, typer.Option(help=f"Extractions at once, {_LIMIT}")]

MAX_INT32 = 2**31 - 1

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """Return a duration such as `90s`, `45m`, `12h`, `30d` or `2w`.

    Raises:
        BadParameter: it is none.
    """
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration such as 45m, 12h or 30d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def seconds(text: str) -> int:
    """Return a duration in seconds; empty is 0."""
    return min(round(duration(text).total_seconds()), MAX_INT32) if text else 0


def time_ago(text: str) -> Timestamp | None:
    """Return a moment in the past: a day, a time, or a duration ago. None if empty."""
    return _moment(text, -1)


def time_ahead(text: str) -> Timestamp | None:
    """Return a moment in the future: a day, a time, or a duration from now. None if empty."""
    return _moment(text, 1)


def _moment(text: str, direction: int) -> Timestamp | None:
    if not text:
        return None
    stamp = Timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.now(UTC) + direction * duration(text)
        except (typer.BadParameter, OverflowError):
            raise typer.BadParameter(
                f"{text!r} is neither a day such as 2026-11-01 nor a duration such as 30d."
            ) from None
    stamp.FromDatetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return stamp


def set_limits(
    message: user_pb2.User | key_pb2.ApiKey,
    calls_per_minute: str,
    pages_per_month: str,
    concurrent_streams: str,
) -> list[str]:
    """Write the limits that were given into a message, and return their paths for a mask.

    Raises:
        BadParameter: one is neither a number nor `default`.
    """
    given = {
        "calls_per_minute": calls_per_minute,
        "pages_per_month": pages_per_month,
        "concurrent_streams": concurrent_streams,
    }
    for field, word in given.items():
        if word and word.lower() != "default":  # which is an absent one
            setattr(message.limits, field, _number(word))
    return [f"limits.{field}" for field, word in given.items() if word]


def read_password(from_stdin: bool, prompt: str = "Password", confirm: bool = False) -> str:
    """Return a password: one line of standard input, or what a person types without echo.

    Raises:
        BadParameter: there is none, or nobody to ask.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    else:
        raise typer.BadParameter("Nobody can be asked for a password here: use --password-stdin.")
    if not password:
        raise typer.BadParameter("Standard input has no password.")
    return password


def _number(word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", word) or int(word) > MAX_INT32:
        raise typer.BadParameter(f"{word!r} is neither a number nor `default`.")
    return int(word)
