"""What a database raises that is out of reach or out of order, and how to say so."""

import asyncpg
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from ocr_grpc.errors import OcrError
from ocr_grpc.store.database import Database

MAX_SENTENCE_CHARS = 300

DATABASE_ERRORS = (
    OcrError,
    SQLAlchemyError,
    asyncpg.PostgresError,  # where SQLAlchemy does not translate it
    CommandError,
    OSError,
    ValueError,
    TypeError,  # the address has an option that the driver does not know
)
"""What opening a database or asking for its revision may raise."""


def sentence_about(error: Exception, database: Database) -> str:
    """Return what went wrong with a database, in one line and without its password."""
    url = database.url
    cause = error.__cause__ or error
    text = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
    for password in (url.password, url.query.get("password")):
        if password:
            text = text.replace(str(password), "***")
    where = url.render_as_string(hide_password=True).partition("?")[0]
    sentence = f"{where}: {text or type(cause).__name__}"[:MAX_SENTENCE_CHARS]
    # Others wrote some of it, and it may be shown at a terminal.
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in sentence)
