"""The `ocr-grpc` command."""

from importlib.metadata import version
from typing import Annotated

import typer

from ocr_grpc.commands.doctor import doctor
from ocr_grpc.commands.extract import extract
from ocr_grpc.commands.serve import serve

app = typer.Typer(
    help="OCR over gRPC: a document goes in, its text streams out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(extract)
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ocr-grpc {version('ocr-grpc')}")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction] - typer keeps it
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Take what all commands have in common."""


def main() -> None:
    """Run the command line."""
    app()
