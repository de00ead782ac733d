"""`ocr-grpc retention`: removes what is over now, as the job of a server does, and says what."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Annotated

import typer

from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.settings import Settings, SettingsError, load_settings
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.retention import Rule
from ocr_grpc.telemetry.logs import configure_logs


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing; say how much would go.")
    ] = False,
    orphans: Annotated[
        bool,
        typer.Option(
            "--orphans",
            help="Look for documents in BLOB_URL that no row of this database leads to, too. Only "
            "where no other database has documents there.",
        ),
    ] = False,
) -> None:
    """Remove what is over now, as servers do by themselves, and say what.

    Servers may run meanwhile, but with SQLite, whose only server does it itself.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        raise CommandFailed(" ".join(str(error).splitlines()), exit_code=2) from None
    configure_logs("console", "warning")
    asyncio.run(_retention(settings, dry_run, orphans))


async def _retention(settings: Settings, dry_run: bool, orphans: bool) -> None:
    # These know the whole service: only who runs the command waits for them.
    from ocr_grpc.wiring.database import open_database
    from ocr_grpc.wiring.errors import CannotServe
    from ocr_grpc.wiring.retention import open_rules

    async with AsyncExitStack() as stack:
        try:
            database = await open_database(settings, stack)
            rules = await open_rules(settings, database, stack, orphans)
            async with database.read() as session:
                now = await database.now(session)
            failed = await (_count(rules, now) if dry_run else _remove(rules, now))
        except (CannotServe, DatabaseUnavailable) as error:
            raise CommandFailed(str(error)) from None
    if failed:
        raise CommandFailed("Not all could be removed; what failed is logged above.")


async def _count(rules: list[Rule], now: datetime) -> int:
    for rule in rules:
        for kind, count in (await rule.due(now)).items():
            typer.echo(f"{kind:20} {count}")
    return 0


async def _remove(rules: list[Rule], now: datetime) -> int:
    from ocr_grpc.retention.job import apply

    removed: Counter[str] = Counter()
    while True:
        done = await apply(rules, now, lambda _: None)
        removed.update(done.removed)
        if not done.more:
            break
    for kind in (kind for rule in rules for kind in rule.kinds):
        typer.echo(f"{kind:20} {removed[kind]}")
    return done.failed
