"""The options that commands about documents share, and how their values are written."""

from enum import Enum
from typing import Annotated, TypeVar

import typer

from ocr_grpc.extraction.options import Mode

ModeName = Annotated[str, typer.Option("--mode", help="auto, force-ocr or text-layer-only.")]
Pages = Annotated[str, typer.Option(help="Pages such as 1,3-5,9-; default: all.")]
Dpi = Annotated[int, typer.Option(help="Resolution for rendering; 0: automatic.")]
Password = Annotated[
    str,
    # Others on this machine can see arguments: scripts set the variable.
    typer.Option(envvar="OCR_DOCUMENT_PASSWORD", help="Opens an encrypted PDF."),
]

Named = TypeVar("Named", bound=Enum)


def mode_named(name: str) -> Mode:
    """Return a mode, written with `-` or `_`, in any case, with or without the enum's prefix."""
    return named(Mode, name, "MODE_")


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
