"""The tables come and go, on both databases."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from ocr_grpc.store import migrations, tables
from ocr_grpc.store.errors import SchemaBehind

ROOT = Path(__file__).parent.parent.parent
ALEMBIC = Path(sys.executable).parent / "alembic"


async def test_migrations_make_the_tables_the_program_knows(database):
    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, tables.metadata)

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_migration_can_be_taken_back_and_made_again(database):
    def names(connection):
        return set(inspect(connection).get_table_names()) - {"alembic_version"}

    async with database.engine.connect() as connection:
        before = await connection.run_sync(names)
    await migrations.downgrade(database, "base")
    async with database.engine.connect() as connection:
        assert await connection.run_sync(names) == set()
    await migrations.upgrade(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(names) == before == set(tables.metadata.tables)


async def test_tables_that_are_behind_are_told_with_the_command(database):
    await migrations.require_current(database)
    await migrations.downgrade(database, "base")
    with pytest.raises(SchemaBehind, match="ocr-grpc migrate"):
        await migrations.require_current(database)


def test_plain_alembic_works_from_the_root(tmp_path):
    environment = os.environ | {"DATA_DIR": str(tmp_path)}
    for words in (["upgrade", "head"], ["check"], ["downgrade", "base"]):
        run = subprocess.run([ALEMBIC, *words], cwd=ROOT, env=environment, capture_output=True)
        assert run.returncode == 0, run.stderr.decode()
    assert (tmp_path / "ocr.db").exists()


async def test_migrations_that_run_at_once_wait_for_each_other(database, backend):
    await migrations.downgrade(database, "base")
    environment = os.environ | {"DATABASE_URL": backend.database_url}
    runs = [
        await asyncio.create_subprocess_exec(ALEMBIC, "upgrade", "head", cwd=ROOT, env=environment)
        for _ in range(3)
    ]
    assert [await run.wait() for run in runs] == [0, 0, 0]
    await migrations.require_current(database)
