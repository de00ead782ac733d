"""What must be there before anybody can do anything."""

import asyncio
import stat

import pytest
from sqlalchemy import update

from ocr_grpc.accounts.bootstrap import (
    LOCAL_KEYS,
    BootstrapFailed,
    ensure_admin,
    ensure_anonymous,
    ensure_local_key,
)
from ocr_grpc.accounts.errors import PasswordTooShort
from ocr_grpc.accounts.opaque import hash_of
from ocr_grpc.accounts.passwords import PasswordHasher
from ocr_grpc.accounts.principal import Role, Scope
from ocr_grpc.accounts.users import NewUser
from ocr_grpc.store.accounts import KeySecretRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database
from tests.accounts.support import NOBODY, PASSWORD, Accounts, principal


async def start(accounts, data_dir, password="", name="admin"):
    return await ensure_admin(accounts.users, accounts.database, name, password, data_dir)


async def works(accounts, user_id, password):
    async with accounts.database.read() as sql:
        row = await sql.get(UserRow, user_id)
    hasher = PasswordHasher(4, threads=1)
    try:
        return await hasher.verify(password, row.password_hash)
    finally:
        hasher.close()


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_first_start_makes_an_administrator_with_a_password_only_its_owner_can_read(
    accounts, tmp_path
):
    made = await start(accounts, tmp_path / "new")
    assert made.created
    assert made.password_path == tmp_path / "new" / "admin.password"
    assert mode_of(made.password_path) == 0o600
    password = made.password_path.read_text().strip()
    assert len(password) >= 20
    assert await works(accounts, made.user_id, password)
    user = await accounts.users.get(made.user_id)
    assert (user.user_name, user.role) == ("admin", Role.ADMIN)
    [event] = await accounts.events(made.user_id)
    assert (event.action, event.actor_user_id, event.address) == ("user.created", "", "")
    again = await start(accounts, tmp_path / "new")
    assert (again.user_id, again.created) == (made.user_id, False)
    assert made.password_path.read_text().strip() == password
    assert len(list((tmp_path / "new").iterdir())) == 1


async def test_a_password_that_is_set_is_taken_and_written_nowhere(accounts, tmp_path):
    made = await start(accounts, tmp_path / "new", PASSWORD)
    assert made.password_path is None
    assert not (tmp_path / "new").exists()
    assert await works(accounts, made.user_id, PASSWORD)
    # Another one does not replace it: passwords are changed by whoever has them.
    await start(accounts, tmp_path, "something else")
    assert await works(accounts, made.user_id, PASSWORD)


async def test_a_password_that_is_too_short_is_refused(accounts, tmp_path):
    with pytest.raises(PasswordTooShort):
        await start(accounts, tmp_path, "short")


async def test_any_administrator_will_do(accounts, tmp_path):
    await accounts.user("other", Role.ADMIN, disabled=True)
    first = await accounts.user("somebody", Role.ADMIN)
    assert (await start(accounts, tmp_path)).user_id == first.user_id
    named = await accounts.user("Admin", Role.ADMIN)
    assert (await start(accounts, tmp_path)).user_id == named.user_id


async def test_nobody_becomes_an_administrator_for_having_the_name(accounts, tmp_path):
    squatter = await accounts.user("ADMIN")
    with pytest.raises(BootstrapFailed, match="BOOTSTRAP_USER"):
        await start(accounts, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert (await accounts.users.get(squatter.user_id)).role is Role.USER
    assert (await start(accounts, tmp_path, name="root")).created


async def test_servers_that_start_together_make_one_administrator(accounts, backend, tmp_path):
    databases = [Database(backend.database_url) for _ in range(3)]
    hasher = PasswordHasher(4, threads=1)
    try:
        servers = [Accounts(database, hasher) for database in databases]
        results = await asyncio.gather(*(start(server, tmp_path / "shared") for server in servers))
    finally:
        hasher.close()
        for database in databases:
            await database.close()
    assert [result.created for result in results].count(True) == 1
    assert len({result.user_id for result in results}) == 1
    password = (tmp_path / "shared" / "admin.password").read_text().strip()
    assert await works(accounts, results[0].user_id, password)


async def test_the_owner_of_the_folder_has_a_key_that_may_do_everything(accounts, tmp_path):
    admin = await start(accounts, tmp_path)
    path = await ensure_local_key(accounts.api_keys, admin.user_id, tmp_path)
    assert path == tmp_path / "local.key"
    assert mode_of(path) == 0o600
    [key], _ = await accounts.api_keys.list(admin.user_id)
    assert (key.display_name, key.scopes, key.expire_time) == ("local", frozenset(Scope), None)
    async with accounts.database.read() as sql:
        row = await sql.get(KeySecretRow, hash_of(path.read_text().strip()))
    assert row.key_id == key.key_id
    before = path.read_text()
    await ensure_local_key(accounts.api_keys, admin.user_id, tmp_path)
    assert path.read_text() == before
    assert {file.name for file in tmp_path.iterdir()} >= {"local.key", "admin.password"}
    assert not [file for file in tmp_path.iterdir() if file.name.startswith("local.key.")]


async def test_a_key_that_does_not_work_any_more_is_made_anew(accounts, tmp_path):
    admin = await start(accounts, tmp_path)
    caller = principal(await accounts.users.get(admin.user_id))
    keys, path = accounts.api_keys, tmp_path / "local.key"

    async def newest():
        return (await keys.list(admin.user_id))[0][0].key_id

    async def disabled():
        await keys.update(caller, await newest(), {"disabled": True}, NOBODY)

    async def weaker():
        scopes = {"scopes": frozenset({Scope.OCR})}
        await keys.update(caller, await newest(), scopes, NOBODY)

    async def rotated():
        await keys.rotate(caller, await newest(), 0, NOBODY)

    async def revoked():
        await keys.revoke(admin.user_id, await newest(), NOBODY)

    async def over():
        async with accounts.database.write() as sql:
            await sql.execute(update(KeySecretRow).values(expire_time=utc_now()))

    async def missing():
        path.unlink()

    async def damaged():
        path.write_bytes(b"\xff\0")

    async def empty():
        path.write_text("")

    for spoil in (missing, damaged, empty, disabled, weaker, rotated, revoked, over):
        await ensure_local_key(keys, admin.user_id, tmp_path)
        before = path.read_bytes()
        await spoil()
        await ensure_local_key(keys, admin.user_id, tmp_path)
        assert path.read_bytes() != before, spoil.__name__
        assert mode_of(path) == 0o600


async def test_local_keys_do_not_pile_up(accounts, tmp_path):
    admin = await start(accounts, tmp_path)
    for number in range(LOCAL_KEYS + 3):
        await ensure_local_key(accounts.api_keys, admin.user_id, tmp_path / str(number))
    keys, _ = await accounts.api_keys.list(admin.user_id)
    assert len(keys) == LOCAL_KEYS
    revoked, _ = await accounts.api_keys.list(admin.user_id, show_revoked=True)
    assert {key.key_id for key in revoked[-3:]}.isdisjoint(key.key_id for key in keys)
    assert await accounts.actions(revoked[-1].key_id) == ["key.created", "key.revoked"]


async def test_without_signing_in_calls_belong_to_a_plain_user_without_a_password(accounts):
    user_id, again = await asyncio.gather(
        ensure_anonymous(accounts.users, "anonymous"), ensure_anonymous(accounts.users, "Anonymous")
    )
    assert user_id == again == await ensure_anonymous(accounts.users, "anonymous")
    assert (await accounts.users.get(user_id)).role is Role.USER
    async with accounts.database.read() as sql:
        assert (await sql.get(UserRow, user_id)).password_hash is None


async def test_without_signing_in_nobody_acts_as_somebody(accounts):
    await accounts.user("root", Role.ADMIN)
    await accounts.users.create(NewUser("boss", role=Role.ADMIN), "", NOBODY)
    await accounts.users.create(NewUser("anna"), PASSWORD, NOBODY)
    for name in ("root", "ROOT", "boss", "anna"):
        with pytest.raises(BootstrapFailed, match="ANON_USERNAME"):
            await ensure_anonymous(accounts.users, name)
