"""`ocr-grpc migrate` and what `ocr-grpc doctor` says of the database."""

import asyncio

import pytest

from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database
from tests.processes import command


def test_the_embedded_database_is_made_and_found_up_to_date(tmp_path):
    newest = migrations.newest_revision()
    behind = command(tmp_path, "migrate", "--check")
    assert behind.returncode == 1
    assert "at revision none" in behind.stderr
    assert "Run: ocr-grpc migrate" in behind.stderr
    assert not (tmp_path / "data").exists()

    made = command(tmp_path, "migrate")
    assert made.returncode == 0
    assert made.stdout == f"The database went from revision none to {newest}.\n"
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert "nothing to do" in command(tmp_path, "migrate").stdout


def test_the_database_of_the_settings_is_brought_up_to_date(production, tmp_path):
    async def empty() -> None:
        database = Database(production.database_url)
        await migrations.downgrade(database, "base")
        await database.close()

    asyncio.run(empty())
    settings = {"DATABASE_URL": production.database_url}
    assert "from revision none to" in command(tmp_path, "migrate", **settings).stdout
    assert command(tmp_path, "migrate", "--check", **settings).returncode == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ocr:geheim@127.0.0.1:1/ocr",
        "postgresql://ocr:geheim@127.0.0.1:port/ocr",
        "postgresql://ocr:geheim@nowhere.invalid/ocr",
        "sqlite:////nowhere/ocr.db",
        "mysql://ocr:geheim@127.0.0.1/ocr",
    ],
)
def test_a_database_out_of_reach_is_said_in_a_line_without_its_password(tmp_path, url):
    failed = command(tmp_path, "migrate", DATABASE_URL=url)
    assert failed.returncode == (2 if url.startswith("mysql") or ":port/" in url else 1)
    assert failed.stdout == ""
    assert failed.stderr.startswith("ocr-grpc: ")
    assert failed.stderr.count("\n") == 1
    assert "geheim" not in failed.stderr


def test_a_database_that_is_not_there_is_said_so(postgresql, tmp_path):
    url = postgresql.format(name="missing").replace("postgres@", "postgres:geheim@")
    failed = command(tmp_path, "migrate", DATABASE_URL=url)
    assert failed.returncode == 1
    assert 'database "missing" does not exist' in failed.stderr
    assert "geheim" not in failed.stderr


def test_the_doctor_looks_at_database_and_redis(production, tmp_path):
    well = command(
        tmp_path, "doctor", DATABASE_URL=production.database_url, REDIS_URL=production.redis_url
    )
    assert well.returncode == 0, well.stdout
    assert f"ok   database: at revision {migrations.newest_revision()}" in well.stdout
    assert "ok   redis: answered in" in well.stdout
    ill = command(
        tmp_path,
        "doctor",
        DATABASE_URL="postgresql://ocr:geheim@127.0.0.1:1/ocr",
        REDIS_URL="redis://:geheim@127.0.0.1:1/0",
    )
    assert ill.returncode == 1
    assert "FAIL database: " in ill.stdout
    assert "FAIL redis: " in ill.stdout
    assert "geheim" not in ill.stdout + ill.stderr
