"""The configured database, as commands look at it without a server."""

from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from ocr_grpc.commands.failure import CommandFailed, printable
from ocr_grpc.errors import OcrError
from ocr_grpc.settings import Settings
from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database, embedded_url
from ocr_grpc.store.errors import SchemaBehind

MAX_SENTENCE_CHARS = 300

DATABASE_ERRORS = (
    OcrError,
    SQLAlchemyError,
    asyncpg.PostgresError,  # wrong password, no such database: raised before SQLAlchemy is there
    CommandError,
    OSError,
    ValueError,
)
"""What a database that is out of reach or out of order raises."""


@dataclass(frozen=True)
class Revision:
    """Where the tables stand.

    Attributes:
        current: the revision of the tables; empty if there are none.
        is_behind: whether this version needs newer ones.
    """

    current: str
    is_behind: bool

    def __str__(self) -> str:
        return self.current or "none"


def open_database(settings: Settings) -> Database:
    """Return the configured database, nothing opened yet; whoever gets it closes it.

    Raises:
        CommandFailed: the address is none.
    """
    url = settings.database_url.get_secret_value() or embedded_url(settings.data_dir)
    try:
        return Database(url)
    except (SQLAlchemyError, ValueError):  # their text may have all of the address in it
        raise CommandFailed("DATABASE_URL is no address of a database.") from None


async def revision_of(database: Database) -> Revision:
    """Return where the tables stand. Makes no file where there is none.

    Raises:
        DATABASE_ERRORS: the database does not answer.
    """
    if database.is_sqlite and not _has_file(database):
        return Revision("", is_behind=True)
    current = await migrations.current_revision(database)
    try:
        await migrations.require_current(database)
    except SchemaBehind:
        return Revision(current or "", is_behind=True)
    return Revision(current or "", is_behind=False)


def make_file(database: Database) -> None:
    """Make the file of an embedded database, readable by its owner only, where there is none.

    Raises:
        OSError: it cannot be made. Said here and not by the driver, whose thread may outlive a
            failed opening and print a traceback of its own.
    """
    if database.is_sqlite:
        Path(database.url.database or "").touch(mode=0o600)


def _has_file(database: Database) -> bool:
    path = Path(database.url.database or "")
    if not path.exists():
        return False
    with path.open("r+b"):  # for the same reason as above
        return path.stat().st_size > 0


def sentence_about(error: Exception, database: Database) -> str:
    """Return what went wrong with a database, in one line and without its password."""
    cause = error.__cause__ or error
    text = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
    if database.url.password:
        text = text.replace(str(database.url.password), "***")
    where = database.url.render_as_string(hide_password=True).partition("?")[0]
    return printable(f"{where}: {text or type(cause).__name__}"[:MAX_SENTENCE_CHARS])
