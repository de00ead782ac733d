"""The configured database, as commands look at it without a server."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.settings import Settings
from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database, embedded_url
from ocr_grpc.store.errors import SchemaBehind
from ocr_grpc.store.sqlite import has_tables


@dataclass(frozen=True)
class Revision:
    """Where the tables stand.

    Attributes:
        current: the revision of the tables; empty if there are none.
        is_behind: whether this version needs newer ones.
        is_newer: whether a newer version has migrated them.
    """

    current: str
    is_behind: bool
    is_newer: bool = False

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
    if database.path and not has_tables(database.path):
        return Revision("", is_behind=True)
    current = await migrations.current_revision(database)
    try:
        unknown = await migrations.require_current(database)
    except SchemaBehind:
        return Revision(current or "", is_behind=True)
    return Revision(current or "", is_behind=False, is_newer=unknown is not None)
