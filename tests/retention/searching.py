"""Looks for words in everything a server keeps: tables, files, Redis."""

import zlib
from contextlib import suppress
from pathlib import Path

import redis
from sqlalchemy import text

from ocr_grpc.store.database import Database


async def places_with(word: str, database: Database, folder: Path, redis_url: str = "") -> set[str]:
    """Return the tables, files and keys that hold a word, in any case of its letters."""
    wanted = word.lower().encode()
    found = await _tables_with(wanted, database) | _files_with(wanted, folder)
    return found | (_keys_with(wanted, redis_url) if redis_url else set())


def _files_with(wanted: bytes, folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it went meanwhile
            if path.is_file() and wanted in path.read_bytes().lower():
                found.add(str(path.relative_to(folder)))
    return found


async def _tables_with(wanted: bytes, database: Database) -> set[str]:
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if database.is_sqlite
        else "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    found = set()
    async with database.read() as session:
        for name in (await session.scalars(text(asked))).all():
            rows = (await session.execute(text(f"SELECT * FROM {name}"))).all()
            values = (each for row in rows for each in row if each is not None)
            if any(wanted in _bytes_of(each).lower() for each in values):
                found.add(name.removeprefix("public."))
    return found


def _bytes_of(value: object) -> bytes:
    """Return a value as bytes, what it was compressed from before it."""
    if not isinstance(value, bytes):
        return str(value).encode()
    with suppress(zlib.error):
        return zlib.decompress(value) + value
    return value


def _keys_with(wanted: bytes, url: str) -> set[str]:
    with redis.Redis.from_url(url) as client:
        return {
            f"redis {key!r}"
            for key in client.scan_iter()
            if wanted in key.lower() or wanted in (client.dump(key) or b"").lower()
        }
