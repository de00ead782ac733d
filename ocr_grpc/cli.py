"""The `ocr-grpc` command."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.processes import no_collections

COMMANDS = {
    "serve": ("serve", "Run the service until it is told to stop (SIGTERM or Ctrl-C)."),
    "engine": ("engine", "Run engine workers for servers on other machines, until told to stop."),
    "worker": ("worker", "Read batches of servers on other machines, until told to stop."),
    "extract": ("extract", "Read documents and print their text as it is recognized."),
    "inspect": ("inspect", "Say what a document is and what reading it would cost."),
    "batch": ("batch", "Read many documents in the background, and watch them."),
    "login": ("login", "Sign in to a server and keep the session for later commands."),
    "logout": ("login", "End the session at a server and forget it."),
    "whoami": ("login", "Say who one is to a server, and by which credential."),
    "users": ("users", "Administer accounts. Users are named by user name or id."),
    "keys": ("keys", "Make and change API keys. Keys are named by id."),
    "usage": ("usage", "Say what was used; sums without --since are of this month (UTC)."),
    "envoy-config": (
        "envoy_config",
        "Write the HTTP sidecar's configuration, for an Envoy of one's own.",
    ),
    "migrate": ("migrate", "Bring the configured database to the newest revision."),
    "backup": ("backup", "Back up accounts, usage, batches, documents and secrets under DATA_DIR."),
    "restore": (
        "restore",
        "Put a backup in the place of DATA_DIR, which must be empty; all sessions are ended.",
    ),
    "retention": (
        "retention",
        "Remove what is over now, as servers do by themselves, and say what.",
    ),
    "health": ("health", "Ask a service whether it is well. Needs no credentials."),
    "settings": (
        "settings",
        "Print every setting with the value in force; of secrets only whether there is one.",
    ),
    "doctor": ("doctor", "Check the installation and print versions."),
}
"""For each command the module it is in, under its own name, and its first line of help."""


class LazyGroup(TyperGroup):
    """Loads a command when it is run: all of them together take a second."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments name, loaded."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else stand_in, rest


def load(name: str) -> Any:
    """Return a command of the table above, as typer runs it."""
    module, _ = COMMANDS[name]
    with no_collections():
        found = getattr(import_module(f"ocr_grpc.commands.{module}"), name.replace("-", "_"))
    if isinstance(found, typer.Typer):
        return get_command(found)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(found)
    return get_command(alone)


app = typer.Typer(
    cls=LazyGroup,
    help="OCR over gRPC: a document goes in, its text streams out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _stand_in() -> None:
    """Stand for a command that is not loaded, where help lists it."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_stand_in)


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
    try:
        app()
    except CommandFailed as failure:
        typer.echo(f"ocr-grpc: {failure}", err=True)
        raise SystemExit(failure.exit_code) from None
