"""What `ocr-grpc serve` says when it cannot start, and what does not keep it from starting."""

import asyncio
import fcntl
import shutil
import sqlite3
import subprocess

import asyncpg
import pytest

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.processes import COMMAND, environment, serve
from tests.support import channel_to, running


def failed_start(folder, exit_code: int = 1, **settings: str) -> str:
    """Start a server that cannot; return the one line it says, apart from what it logs."""
    done = subprocess.run(
        [COMMAND, "serve"],
        env=environment(folder, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("ocr-grpc: ")
    return said[0]


def test_a_file_that_is_no_database_is_said_so(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ocr.db").write_bytes(b"no database at all" * 100)
    assert "data/ocr.db: file is not a database" in failed_start(tmp_path)


def test_a_folder_in_place_of_the_database_is_said_so(tmp_path):
    (tmp_path / "data" / "ocr.db").mkdir(parents=True)
    assert "Is a directory" in failed_start(tmp_path)


def test_a_file_that_cannot_be_made_is_said_so(tmp_path):
    url = f"sqlite:///{tmp_path}/nowhere/own.db"
    assert "No such file or directory" in failed_start(tmp_path, DATABASE_URL=url)


def test_a_missing_database_or_role_of_postgresql_is_said_so(postgresql, tmp_path):
    missing = postgresql.format(name="missing").replace("postgres@", "postgres:geheim@")
    assert 'database "missing" does not exist' in failed_start(tmp_path, DATABASE_URL=missing)
    nobody = postgresql.format(name="postgres").replace("postgres@", "nobody:geheim@")
    assert 'role "nobody" does not exist' in failed_start(tmp_path, DATABASE_URL=nobody)


def test_a_database_out_of_reach_or_asked_in_an_unknown_way_is_said_so(tmp_path):
    url = "postgresql://ocr:geheim@127.0.0.1:1/ocr"
    assert "postgresql://ocr:***@127.0.0.1:1/ocr: " in failed_start(tmp_path, DATABASE_URL=url)
    assert "sslmode" in failed_start(tmp_path, DATABASE_URL=f"{url}?sslmode=require")


def test_a_database_that_cannot_be_written_is_said_so(production, tmp_path):
    async def read_only() -> None:
        connection = await asyncpg.connect(production.database_url)
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await connection.close()

    asyncio.run(read_only())
    said = failed_start(tmp_path, DATABASE_URL=production.database_url)
    assert "The database does not answer" in said


def test_a_port_that_is_no_number_is_said_with_its_variable(tmp_path):
    urls = {
        "DATABASE_URL": "postgresql://ocr@host:geheim/ocr",
        "REDIS_URL": "redis://host:geheim/0",
        "SMTP_URL": "smtp://host:geheim",
    }
    for name, url in urls.items():
        assert f"{name}: " in failed_start(tmp_path, exit_code=2, **{name: url})


def test_tables_of_a_newer_release_are_left_alone(tmp_path, sqlite_template):
    (tmp_path / "data").mkdir()
    path = shutil.copy(sqlite_template, tmp_path / "data" / "ocr.db")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    with serve(tmp_path):
        pass
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.close()


@pytest.mark.parametrize("name", ["own.db", "ocr.db"])
def test_any_file_of_sqlite_is_made_and_held_by_one_server(tmp_path, name):
    url = f"sqlite:///{tmp_path}/{name}"
    with serve(tmp_path, DATABASE_URL=url):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        # The second has another DATA_DIR, and reaches the same file another way.
        (tmp_path / "link.db").symlink_to(tmp_path / name)
        other = {"DATA_DIR": str(tmp_path / "other"), "DATABASE_URL": f"sqlite:///{tmp_path}"}
        other["DATABASE_URL"] += "/link.db"
        assert "Another server uses" in failed_start(tmp_path, **other)
    lock = tmp_path / ("ocr.lock" if name == "ocr.db" else "own.db.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def test_a_tesseract_that_does_not_work_is_left_out_and_the_service_starts(tmp_path):
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o700)
    settings = {"tesseract_workers": 1, "tesseract_binary": program}
    async with running(tmp_path, **settings) as server, channel_to(server) as channel:
        found = await OcrServiceStub(channel).GetCapabilities(pb.GetCapabilitiesRequest())
    assert [engine.name for engine in found.engines] == ["null"]
