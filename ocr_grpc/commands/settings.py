"""`ocr-grpc settings`: what every setting is at this moment, and the page about them in docs/."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.tables import print_rows
from ocr_grpc.settings import Settings, SettingsError, load_settings

GROUPS = {
    "Settings": "The service and its documents",
    "HttpSettings": "HTTP and TLS",
    "AccountSettings": "Accounts, limits, databases",
    "EngineSettings": "Engines and language models",
    "BatchSettings": "Batches, files, webhooks",
    "TelemetrySettings": "Logs, error tracking, traces",
    "RetentionSettings": "How long things are kept",
    "CacheSettings": "The cache of results",
}
"""The title of each part of the settings, in the order of the page."""

HEAD = """# Settings

Environment variables, or lines of a file `.env` in the folder where the program starts; the
environment wins. Sizes are in bytes, times in seconds, unless the name says otherwise. What is
wrong is refused at the start, with the name of the variable and the fix. `ocr-grpc settings`
prints what is in force, without secrets; [.env.example](../.env.example) is a file to begin with.

Generated from `ocr_grpc/settings.py` by `make settings`.
"""

COLUMNS = "| setting | default | allowed | what |\n| --- | --- | --- | --- |\n"

_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]*@")


def settings(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/settings.md; nothing of this machine.")
    ] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only those that are not as by default.")
    ] = False,
) -> None:
    """Print every setting with the value in force; of secrets only whether there is one."""
    if markdown:
        typer.echo(page(), nl=False)
        return
    try:
        in_force = load_settings()
    except SettingsError as error:
        raise CommandFailed(" ".join(str(error).splitlines()), exit_code=2) from None
    rows = [
        (name.upper(), shown(getattr(in_force, name)), shown(field.default))
        for name, field in Settings.model_fields.items()
        if not changed or getattr(in_force, name) != field.default
    ]
    print_rows(("SETTING", "VALUE", "DEFAULT"), sorted(rows))


def shown(value: Any) -> str:
    """Return a value as it is written in `.env`; a secret as `***`."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return "***" if value.get_secret_value() else ""
        case float():
            return f"{value:g}"
        case tuple() | list():
            parts: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            return ",".join(str(part) for part in parts)
        case Path():
            return value.as_posix()
        case _:
            return _PASSWORD.sub(r"\1:***@", str(value))


def page() -> str:
    """Return the page about all settings, in Markdown."""
    return HEAD + "".join(_parts())


def _parts() -> Iterator[str]:
    of_group: dict[str, list[str]] = {name: [] for name in GROUPS}
    for name, field in Settings.model_fields.items():
        of_group[_group_of(name)].append(_row(name, field))
    for group, title in GROUPS.items():
        if of_group[group]:
            yield f"\n## {title}\n\n{COLUMNS}"
            yield from of_group[group]


def _group_of(name: str) -> str:
    """Return the class that a setting stands in."""
    return next(
        kind.__name__
        for kind in reversed(Settings.__mro__)
        if name in vars(kind).get("__annotations__", {})
    )


def _row(name: str, field: FieldInfo) -> str:
    default = shown(field.default)
    what = (field.description or "").replace("|", "\\|")
    cell = f"`{default}`" if default else ""
    return f"| `{name.upper()}` | {cell} | {_allowed(field)} | {what} |\n"


def _allowed(field: FieldInfo) -> str:
    """Return the bounds of a number, or the words there are."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(field.annotation))
    bounds: dict[str, float] = {}
    for rule in field.metadata:
        bounds |= {
            sign: getattr(rule, attribute)
            for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
            if getattr(rule, attribute, None) is not None
        }
    return ", ".join(f"{sign} {bound:,}" for sign, bound in bounds.items())
