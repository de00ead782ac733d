"""A backup of the embedded mode: made under load, restored elsewhere, complete."""

import asyncio
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from ocr_grpc.commands.backup import OWN_FILES, backup
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.restore import restore
from ocr_grpc.store.backup_manifest import BackupUnusable
from ocr_grpc.store.backups import make_backup
from ocr_grpc.store.migrations import known_revisions
from ocr_grpc.store.restoring import restore_backup
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from tests.people import ADMIN_PASSWORD, House, bearer
from tests.processes import command, environment, serve
from tests.support import refusal
from tests.upgrade.kept import Kept, archive_of, begin, channel, load, summary_of, watch

OF_USERS = (
    "SELECT sum(used_pages), sum(reserved_pages) FROM quotas "
    "WHERE owner_id IN (SELECT user_id FROM users)"
)
"""Keys have rows of their own there."""

SETTINGS = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD, "BATCHES_IN_SERVE": "true"}


async def backed_up_under_load(home: House, folder: Path, target: Path) -> list[str]:
    calls: list[str] = []
    loading = asyncio.create_task(load(home, calls))
    async with asyncio.timeout(60):
        while len(calls) < 3:
            await asyncio.sleep(0.02)
            assert not loading.done(), loading.result()
    before = len(calls)
    done = await asyncio.to_thread(command, folder, "backup", str(target))
    assert done.returncode == 0, done.stderr
    assert len(calls) > before  # the service was not held up
    assert not loading.done(), loading.result()
    loading.cancel()
    return calls


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Kept]:
    """The folder of a service that is over, its backup, and what is expected of that."""
    folder = tmp_path_factory.mktemp("service")
    target = folder / "backups" / "monday"

    async def make(address: str) -> Kept:
        async with asyncio.timeout(120), channel(address) as opened:
            home = House(opened)
            kept = await begin(home)
            await backed_up_under_load(home, folder, target)
            return kept

    with serve(folder, ENGINE="hang", **SETTINGS) as (_, address):
        kept = asyncio.run(make(address))
    return folder, target, kept


def test_a_backup_is_whole_and_nobody_elses_to_read(made):
    _, target, _ = made
    manifest = json.loads((target / "manifest.json").read_text())
    names = {file["path"] for file in manifest["files"]}
    assert {"ocr.db", "secret.key", "local.key", "blobs/ocr-grpc"} <= names
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == names | {"manifest.json"}
    assert {path.stat().st_mode & 0o077 for path in (target, *target.rglob("*"))} == {0}
    assert [path.name for path in target.parent.iterdir()] == ["monday"]
    with closing(sqlite3.connect(target / "ocr.db")) as database:
        documents = {key for (key,) in database.execute("SELECT file_id FROM files")}
    copied = {Path(name).name for name in names if name.count("/") == 2}
    assert copied <= documents
    assert len(documents - copied) == manifest["missing_documents"]


async def test_everything_is_there_after_a_restore(made, tmp_path):
    _, target, kept = made
    restored = command(tmp_path, "restore", str(target))
    assert restored.returncode == 0, restored.stderr
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    with serve(tmp_path, **SETTINGS) as (_, address):
        async with asyncio.timeout(60), channel(address) as opened:
            home = House(opened)
            assert (await home.login("ann")).user.user_id == kept.user_id
            assert await archive_of(home, kept.key, kept.finished) == kept.archive
            # The batch that was under way goes on, and ends.
            ended = await watch(home, kept.key, kept.running, "finished")
            assert (ended.progress.documents_finished, ended.progress.documents_failed) == (2, 0)
            summary = await summary_of(home, kept.key)
            assert summary.quota.used_pages == kept.summary.quota.used_pages + 1
            assert summary.quota.reserved_pages == 0
            # Sessions are over, also for those who were signed out since then.
            old = home.auth.GetMe(auth_pb.GetMeRequest(), metadata=bearer(kept.access_token))
            assert (await refusal(old))[1] == "SESSION_REVOKED"
    assert '"secret_changed"' not in (tmp_path / "serve.log").read_text()
    # Of calls that were under way too, in whose middle the backup was made.
    with closing(sqlite3.connect(tmp_path / "data" / "ocr.db")) as database:
        used = database.execute(OF_USERS)
        (charged,) = database.execute("SELECT sum(pages) FROM usage").fetchone()
        assert used.fetchone() == (charged, 0)


def test_a_service_that_is_stopped_can_be_backed_up_too(made, tmp_path):
    folder, _, _ = made
    make_backup(folder / "data", tmp_path / "again", OWN_FILES, "1")
    assert restore_backup(tmp_path / "again", tmp_path / "data", known_revisions(), lambda _: None)


def refused(command: Callable[[Path], None], path: Path, folder: Path, **settings: str) -> str:
    """Return why a command does nothing, called as it is by the shell."""
    with (
        mock.patch.dict(os.environ, environment(folder, **settings), clear=True),
        pytest.raises(CommandFailed) as refusal,
    ):
        command(path)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return str(refusal.value)


def damaged(made, folder: Path) -> Path:
    shutil.copytree(made[1], folder / "backup")
    return folder / "backup"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def change(backup: Path, **fields) -> None:
    path = backup / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def a_blob(backup: Path) -> Path:
    return next(path for path in (backup / "blobs").rglob("*/*") if path.is_file())


DAMAGES = {
    "ocr.db is not what was written": lambda backup: flip(backup / "ocr.db"),
    "blobs/": lambda backup: flip(a_blob(backup)),
    "is missing": lambda backup: a_blob(backup).unlink(),
    "secret.key is not what was written": lambda backup: flip(backup / "secret.key"),
    "manifest.json is damaged": lambda backup: (backup / "manifest.json").write_text("{"),
    "it is no backup": lambda backup: (backup / "manifest.json").unlink(),
    "does not know": lambda backup: change(backup, revision="9999", version="2.0.0"),
    "which is newer than this one": lambda backup: change(backup, format=2, version="2.0.0"),
    "manifest.json is damaged.": lambda backup: change(
        backup, files=[{"path": "../out", "size_bytes": 1, "sha256": ""}]
    ),
    "manifest.json is damage": lambda backup: change(
        backup, files=[{"path": "a\0b", "size_bytes": 1, "sha256": ""}]
    ),
    "manifest.json is damag": lambda backup: change(backup, revision=["0003"]),
}


@pytest.mark.parametrize("said", DAMAGES)
def test_a_damaged_or_newer_backup_is_refused_and_nothing_is_left(made, tmp_path, said):
    backup = damaged(made, tmp_path)
    DAMAGES[said](backup)
    assert said in refusal_of(backup, tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def refusal_of(backup: Path, data_dir: Path) -> str:
    with pytest.raises(BackupUnusable) as refusal:
        restore_backup(backup, data_dir, known_revisions(), lambda _: None)
    return str(refusal.value)


def test_a_restore_takes_nobodys_place(made, tmp_path):
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with (data_dir / "ocr.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a service does
        assert "A service runs on" in refusal_of(made[1], data_dir)
    assert "is not empty" in refusal_of(made[1], data_dir)
    (data_dir / "ocr.lock").unlink()
    wrong = {"SECRET_KEY": "another secret than the one that was used there"}
    assert "SECRET_KEY is not the one" in refused(restore, made[1], tmp_path, **wrong)
    assert list(data_dir.iterdir()) == []


def restored(backup: Path, data_dir: Path, check: Callable[[Path], None] = lambda _: None) -> None:
    restore_backup(backup, data_dir, known_revisions(), check)
    with closing(sqlite3.connect(data_dir / "ocr.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def fixed(tmp_path, monkeypatch) -> Path:
    """An empty folder that no other can take the place of, as a mounted one."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == tmp_path / "data")
    return tmp_path / "data"


def serve_once(folder: Path) -> str:
    """Return why a service does not start, as something that starts it again and again does."""
    done = command(folder, "serve", "--no-http", **SETTINGS)
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_no_service_begins_in_a_folder_that_is_being_filled(made, fixed):
    said: list[str] = []
    restored(made[1], fixed, lambda _: said.append(serve_once(fixed.parent)))
    assert "Another server uses" in said[0]
    assert not [path for path in fixed.iterdir() if path.name.startswith(".")]


def test_a_restore_in_place_that_fails_can_be_tried_again(made, fixed):
    def fail(_: Path) -> None:
        raise BackupUnusable("no")

    with pytest.raises(BackupUnusable, match="no"):
        restored(made[1], fixed, fail)
    assert list(fixed.iterdir()) == []
    restored(made[1], fixed)


def test_a_service_keeps_its_lock_when_a_restore_in_place_comes_too_late(made, fixed):
    lock = (fixed / "ocr.lock").open("w")
    with lock, mock.patch("ocr_grpc.store.restoring._require_empty"):  # it was, a moment ago
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "A service runs on" in refusal_of(made[1], fixed)
    assert [path.name for path in fixed.iterdir()] == ["ocr.lock"]


def test_folders_may_be_links_and_need_not_be_replaceable(made, tmp_path, monkeypatch):
    for name in ("disk", "fixed"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("disk")
    restored(made[1], tmp_path / "link")
    assert (tmp_path / "disk" / "ocr.db").exists()
    # As under /var/lib, where only root makes folders.
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
    inode = (tmp_path / "fixed").stat().st_ino
    restored(made[1], tmp_path / "fixed")
    assert (tmp_path / "fixed").stat().st_ino == inode
    (tmp_path / "to").symlink_to("new")
    assert make_backup(tmp_path / "fixed", tmp_path / "to", OWN_FILES, "1").files
    assert (tmp_path / "new" / "manifest.json").exists()


def test_a_mounted_folder_is_no_backup(made, fixed):
    with pytest.raises(BackupUnusable, match="Name a new folder in it"):
        make_backup(made[0] / "data", fixed, OWN_FILES, "1")


def test_a_backup_takes_nobodys_place_and_says_what_it_is_not_for(made, tmp_path):
    folder, target, _ = made
    assert "is not an empty folder" in refused(backup, target, folder)
    with pytest.raises(BackupUnusable, match="There is no database"):
        make_backup(tmp_path / "data", tmp_path / "x", OWN_FILES, "1")
    elsewhere = {"DATABASE_URL": "postgresql://ocr:geheim@db/ocr"}
    for each in (backup, restore):
        said = refused(each, tmp_path / "x", folder, **elsewhere)
        assert "pg_dump" in said
        assert "geheim" not in said
