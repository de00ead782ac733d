"""The options that commands about documents share, and how their values are written."""

from enum import Enum
from typing import Annotated, TypeVar

import typer

from ocr_grpc.extraction.options import Mode
from ocr_grpc.model import TextFormat
from ocr_grpc.rpc.options_mapping import text_format_to_proto
from ocr_grpc.v1 import options_pb2

ModeName = Annotated[str, typer.Option("--mode", help="auto, force-ocr or text-layer-only.")]
Pages = Annotated[str, typer.Option(help="Pages such as 1,3-5,9-; default: all.")]
Dpi = Annotated[int, typer.Option(help="Resolution for rendering; 0: automatic.")]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Language to expect, such as de. May be repeated."),
]
EngineName = Annotated[
    str,
    typer.Option(
        "--engine", help="Engine to read images with, such as ppocr; default: the server's."
    ),
]
Prompt = Annotated[str, typer.Option(help="What to ask a vision-language engine.")]
Words = Annotated[
    bool, typer.Option("--words", help="With json and ndjson: words with their places.")
]
TextFormatName = Annotated[
    str,
    typer.Option("--text-format", help="plain or markdown; default: what the document has."),
]
SkipPictures = Annotated[
    bool, typer.Option("--skip-pictures", help="Leave pictures inside documents unread.")
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Have it read anew, and keep nothing of it.")
]
Password = Annotated[
    str,
    # Others on this machine can see arguments: scripts set the variable.
    typer.Option(envvar="OCR_DOCUMENT_PASSWORD", help="Opens an encrypted PDF."),
]

Named = TypeVar("Named", bound=Enum)


def mode_named(name: str) -> Mode:
    """Return a mode, written with `-` or `_`, in any case, with or without the enum's prefix."""
    return named(Mode, name, "MODE_")


def text_format_named(name: str) -> options_pb2.TextFormat.ValueType:
    """Return a text format by such a name; empty is the document's own."""
    if not name:
        return options_pb2.TEXT_FORMAT_UNSPECIFIED
    return text_format_to_proto(named(TextFormat, name, "TEXT_FORMAT_"))


def named(kind: type[Named], name: str, prefix: str) -> Named:
    """Return a member of an enum of the domain by a name as people or the proto write it.

    Raises:
        BadParameter: there is no such member.
    """
    plain = name.lower().replace("-", "_").removeprefix(prefix.lower())
    try:
        return kind(plain)
    except ValueError:
        known = ", ".join(str(each.value).replace("_", "-") for each in kind)
        raise typer.BadParameter(f"{name!r} is none of {known}.") from None
