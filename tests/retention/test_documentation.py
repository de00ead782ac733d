"""docs/privacy.md tells of everything that is kept, and of nothing else."""

import re
from pathlib import Path

import pytest
from sqlalchemy import JSON, LargeBinary, String

from ocr_grpc.settings import Settings
from ocr_grpc.settings_retention import RetentionSettings
from ocr_grpc.store import result_cache_redis, stream_leases, tables
from ocr_grpc.store.rate_windows import KEY_PREFIX
from tests.people import house

TEXT = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """Return the rest of each row of the table under a heading, by its first cell."""
    [part] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    cells = [line.strip("| ").split(" | ", 1) for line in part.splitlines() if line[:1] == "|"]
    return dict(cells[2:])


def test_every_table_is_there_with_its_end():
    listed = rows("The database")
    assert {name.strip("`") for name in listed} == {*tables.metadata.tables, "alembic_version"}
    for name, rest in listed.items():
        personal, purpose, end = rest.split(" | ")
        assert all((personal, purpose, end)), name


TOLD = {
    "address": "address", "call_id": "call id", "code_hash": "hash", "details": "host",
    "display_name": "display name", "email": "e-mail address", "email_key": "e-mail address",
    "file_name": "file name", "fingerprint": "fingerprint", "old_secret": "secret",
    "options": "options", "password_hash": "hash of the password", "prefix": "first characters",
    "request_id": "id that the caller chose", "result": "text", "secret": "secret",
    "secret_hash": "hash", "sha256": "sha-256", "token_hash": "hash", "url": "url",
    "url_shown": "url", "used_by_user_id": "who used it", "user_name": "user name",
    "user_name_key": "user name", "attempts": "answered",
}  # fmt: skip
"""Columns with something about people in them, and the words that tell of it."""

OURS = {
    "action", "actor_key_id", "actor_user_id", "batch_id", "delivery_id", "document_id",
    "event_id", "event_type", "events", "extraction_id", "file_id", "holder_id",
    "invite_id", "job", "key", "key_id", "kind", "message", "method", "organization_id",
    "organization_role", "outcome", "owner_id", "pages", "payload", "period", "progress",
    "purpose", "quota_owner_id", "reason", "role", "scopes", "server_id", "session_id",
    "state", "status", "target_id", "upload_id", "usage_id", "user_id", "value",
    "webhook_id", "worker_id",
}  # fmt: skip
"""Columns with ids and words of ours; `payload` and `message` are told of in words of their own."""


@pytest.mark.parametrize("table", tables.metadata.tables.values(), ids=lambda table: table.name)
def test_what_people_write_into_a_table_is_told(table):
    told = rows("The database")[f"`{table.name}`"].lower()
    for column in table.columns:
        if not isinstance(column.type, String | LargeBinary | JSON) or column.name in OURS:
            continue
        assert column.name in TOLD, f"{column} is new: tell of it in docs/privacy.md"
        if not column.foreign_keys:
            assert TOLD[column.name] in told, column


def test_every_setting_about_retention_is_there_with_its_default():
    others = ["usage_retention_days", "upload_retention_hours", "batch_retention_hours"]
    for name in (*RetentionSettings.model_fields, *others, "resumable_seconds"):
        default = Settings.model_fields[name].default
        assert f"`{name.upper()}` ({default})" in TEXT, name


def test_every_kind_of_key_in_redis_is_there():
    listed = {key.strip("`…") for key in rows("Memory and Redis")}
    prefixes = {KEY_PREFIX, stream_leases.KEY_PREFIX, result_cache_redis.KEY_PREFIX}
    assert listed == prefixes


async def test_every_file_of_the_embedded_mode_is_there(tmp_path):
    data = tmp_path / "data"
    async with house(data, batches_in_serve=True, bootstrap_pass=""):
        found = {path.name + "/" * path.is_dir() for path in data.iterdir()}
    told = set(re.findall(r"`([^`]+)`", " ".join(rows("Files"))))
    assert found <= told
