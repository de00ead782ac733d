"""What must be there before anybody can do anything: an administrator, and a key for the owner."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import or_, select

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.api_keys import ApiKeys
from ocr_grpc.accounts.errors import UserNameTaken
from ocr_grpc.accounts.key_rows import NewKey, scope_names
from ocr_grpc.accounts.names import name_key
from ocr_grpc.accounts.opaque import hash_of, is_key
from ocr_grpc.accounts.principal import Actor, Role, Scope
from ocr_grpc.accounts.secret_files import write_secret
from ocr_grpc.accounts.user_queries import is_acting_admin
from ocr_grpc.accounts.users import NewUser, Users
from ocr_grpc.store.accounts import KeyRow, KeySecretRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database

log = structlog.get_logger()

ADMIN_PASSWORD_FILE = "admin.password"  # noqa: S105 - the name of a file
LOCAL_KEY_FILE = "local.key"
LOCAL_KEY_NAME = "local"
LOCAL_KEYS = 20
"""How many such keys stay alive: a server whose folder is not kept makes one at each start."""

SERVER = Actor()
ALL_SCOPES = frozenset(Scope)


class BootstrapFailed(Exception):
    """Somebody who must be there cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class BootstrapResult:
    """Who administers.

    Attributes:
        created: whether the account was made just now.
        password_path: the file with the password that was made up for it, if one was.
    """

    user_id: str
    created: bool = False
    password_path: Path | None = None


async def ensure_admin(
    users: Users, database: Database, bootstrap_user: str, bootstrap_pass: str, data_dir: Path
) -> BootstrapResult:
    """Make an administrator if there is none who can administer.

    Args:
        users: where it is made.
        database: of the users.
        bootstrap_user: its name.
        bootstrap_pass: its password; empty: one is made up and written to `admin.password`.
        data_dir: the folder for that file.

    Raises:
        BootstrapFailed: that name is somebody else's.
        PasswordTooShort, PasswordTooLong: the password is no good.
    """
    existing = await _some_admin(database, bootstrap_user)
    if existing:
        return BootstrapResult(existing)
    password = bootstrap_pass or secrets.token_urlsafe(18)
    password_hash = await users.hash_new_password(password)
    path = None if bootstrap_pass else data_dir / ADMIN_PASSWORD_FILE
    try:
        async with database.write() as sql:
            row = await users.add(
                sql, NewUser(user_name=bootstrap_user, role=Role.ADMIN), password_hash
            )
            audit.record(sql, SERVER, "user.created", row.user_id, role=row.role)
            if path:
                # Inside, because of several servers that start at once only one gets here, and
                # because an administrator whose password nobody has would be the end of it.
                await asyncio.to_thread(write_secret, path, password)
    except UserNameTaken:
        # Another server was faster; or somebody has that name, and is not raised by a restart.
        existing = await _some_admin(database, bootstrap_user)
        if existing:
            return BootstrapResult(existing)
        raise BootstrapFailed(
            f"There is no administrator, and the user {bootstrap_user!r} is none. "
            "Set BOOTSTRAP_USER to a name that is free."
        ) from None
    log.warning("admin_created", user_name=bootstrap_user, password_file=path and str(path))
    return BootstrapResult(row.user_id, created=True, password_path=path)


async def ensure_local_key(api_keys: ApiKeys, admin_user_id: str, data_dir: Path) -> Path:
    """Return the file with an API key of an administrator, for commands on this machine.

    A key that works is left as it is; else another one is made.
    """
    path = data_dir / LOCAL_KEY_FILE
    if await _works(api_keys.database, await asyncio.to_thread(_read_secret, path)):
        return path
    secret = await api_keys.create_spare(
        admin_user_id, NewKey(LOCAL_KEY_NAME, ALL_SCOPES), LOCAL_KEYS, SERVER
    )
    await asyncio.to_thread(write_secret, path, secret)
    return path


async def ensure_anonymous(users: Users, name: str) -> str:
    """Return the id of the user all calls belong to when nobody has to sign in.

    It is a plain user without a password, so that it can do nothing once people have to.

    Raises:
        BootstrapFailed: that name is somebody's who signs in, or of an administrator.
    """
    user_id = await _nobody_named(users.database, name)
    if user_id:
        await _set_disabled(users, user_id, False)
        return user_id
    try:
        return (await users.create(NewUser(user_name=name), "", SERVER)).user_id
    except UserNameTaken:
        user_id = await _nobody_named(users.database, name)
        if user_id:
            return user_id
        raise


async def retire_anonymous(users: Users, name: str) -> None:
    """Lock the anonymous user out, now that people have to sign in: it may have made keys."""
    with suppress(BootstrapFailed):  # then the name is somebody's who signs in
        user_id = await _nobody_named(users.database, name)
        if user_id:
            await _set_disabled(users, user_id, True)


async def _set_disabled(users: Users, user_id: str, disabled: bool) -> None:
    if (await users.get(user_id)).disabled != disabled:
        await users.update(user_id, {"disabled": disabled}, "", SERVER)


def _read_secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


async def _works(database: Database, secret: str) -> bool:
    """Return whether a secret is one of an administrator's key that may do everything."""
    if not is_key(secret):
        return False
    now = utc_now()
    async with database.read() as sql:
        found = await sql.scalar(
            select(KeyRow.key_id)
            .join(KeySecretRow, KeySecretRow.key_id == KeyRow.key_id)
            .join(UserRow, UserRow.user_id == KeyRow.user_id)
            .where(
                KeySecretRow.secret_hash == hash_of(secret),
                or_(KeySecretRow.expire_time.is_(None), KeySecretRow.expire_time > now),
                or_(KeyRow.expire_time.is_(None), KeyRow.expire_time > now),
                KeyRow.scopes == scope_names(ALL_SCOPES),
                ~KeyRow.disabled,
                KeyRow.revoke_time.is_(None),
                is_acting_admin(),
            )
        )
    return found is not None


async def _some_admin(database: Database, preferred_name: str) -> str | None:
    """Return who administers: the user of that name, or else whoever did so first."""
    async with database.read() as sql:
        return await sql.scalar(
            select(UserRow.user_id)
            .where(is_acting_admin())
            .order_by((UserRow.user_name_key != name_key(preferred_name)), UserRow.create_time)
            .limit(1)
        )


async def _nobody_named(database: Database, name: str) -> str | None:
    """Return the user of a name, who must be nobody in particular; None if there is none.

    Raises:
        BootstrapFailed: everybody would be somebody.
    """
    asking = select(UserRow.user_id, UserRow.role, UserRow.password_hash)
    async with database.read() as sql:
        found = (
            await sql.execute(asking.where(UserRow.user_name_key == name_key(name)))
        ).one_or_none()
    if found is None:
        return None
    if found.role == Role.ADMIN.value or found.password_hash:
        raise BootstrapFailed(
            f"The user {name!r} has a password or is an administrator, and everybody would act as "
            "that user. Set ANON_USERNAME to a name that is free."
        )
    return found.user_id
