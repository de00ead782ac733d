"""All that signs people in, on a real database, and users to sign in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from ocr_grpc.accounts.authenticator import Authenticator
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.login import Login
from ocr_grpc.accounts.names import email_key, name_key
from ocr_grpc.accounts.opaque import hash_of, key_prefix, make_key
from ocr_grpc.accounts.passwords import PasswordHasher
from ocr_grpc.accounts.principal import Actor, Limits, Principal, QuotaShare, Role
from ocr_grpc.accounts.sessions import Sessions
from ocr_grpc.accounts.throttle import LoginLimits
from ocr_grpc.accounts.tokens import Tokens
from ocr_grpc.store.accounts import AuditRow, KeyRow, KeySecretRow, OrganizationRow, UserRow
from ocr_grpc.store.base import Base
from ocr_grpc.store.database import Database
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.telemetry.metrics import Metrics

SECRET = b"a secret of forty bytes, known to tests."
PASSWORD = "correct horse"
HERE = Actor(address="192.0.2.1", call_id="call-1")
THERE = Actor(address="198.51.100.7")
MANY = LoginLimits(attempts=1_000_000, attempts_per_address=1_000_000)
ROLE_LIMITS = {
    Role.USER: Limits(600, 5_000, 20),
    Role.BUSINESS: Limits(6_000, 100_000, 200),
    Role.ADMIN: Limits(),
}


def tokens_of(
    secret: bytes = SECRET, algorithm: str = "HS256", lifetime: timedelta = timedelta(minutes=30)
) -> Tokens:
    return Tokens(secret, algorithm, lifetime)


@dataclass
class Credentials:
    """What one server has."""

    database: Database
    changes: Changes
    tokens: Tokens
    hasher: PasswordHasher
    sessions: Sessions
    windows: RateWindows
    login: Login
    authenticator: Authenticator

    async def add_user(self, user_name="alice", password=PASSWORD, **columns) -> str:
        columns.setdefault("user_name_key", name_key(user_name))
        row = UserRow(user_name=user_name, **columns)
        row.email_key = email_key(row.email) if row.email else None
        row.password_hash = await self.hasher.hash(password) if password else None
        return (await self.add(row)).user_id

    async def add_key(self, user_id, scopes="ocr", secret_expire_time=None, **columns) -> str:
        secret = make_key()
        row = await self.add(
            KeyRow(user_id=user_id, scopes=scopes, prefix=key_prefix(secret), **columns)
        )
        await self.add(
            KeySecretRow(
                secret_hash=hash_of(secret), key_id=row.key_id, expire_time=secret_expire_time
            )
        )
        return secret

    async def add_organization(self, pages: int) -> str:
        row = await self.add(OrganizationRow(display_name="Acme", pages_per_month=pages))
        return row.organization_id

    async def add(self, row: Base):
        async with self.database.write() as sql:
            sql.add(row)
        return row

    async def change(self, row: type[Base], *where, user_id: str | None = None, **values) -> None:
        """Change rows, and say so if they are somebody's."""
        async with self.database.write() as sql:
            await sql.execute(update(row).where(*where).values(**values))
            if user_id:
                await self.changes.note(sql, user_id)

    async def value(self, column, *where):
        async with self.database.read() as sql:
            return (await sql.execute(select(column).where(*where))).scalar_one()

    async def audited(self) -> list[AuditRow]:
        async with self.database.read() as sql:
            asking = select(AuditRow).order_by(AuditRow.create_time)
            return list((await sql.execute(asking)).scalars())


@asynccontextmanager
async def credentials(
    backend,
    limits: LoginLimits = MANY,
    lifetime: timedelta = timedelta(days=30),
    tokens: Tokens | None = None,
    grace: timedelta = timedelta(0),
) -> AsyncIterator[Credentials]:
    """One server's; several on one backend are replicas."""
    database = Database(backend.database_url)
    changes = Changes(database)
    await changes.start()
    if not changes.healthy:
        heard = asyncio.Event()
        changes.subscribe(lambda _: heard.set())
        await heard.wait()
    tokens = tokens or tokens_of()
    hasher = PasswordHasher(cost=4)
    windows = RateWindows(backend.redis_url, Metrics())
    sessions = Sessions(database, tokens, changes, lifetime, grace)
    login = Login(database, hasher, sessions, windows, limits)
    authenticator = Authenticator(database, tokens, changes, ROLE_LIMITS)
    yield Credentials(database, changes, tokens, hasher, sessions, windows, login, authenticator)
    await authenticator.close()
    hasher.close()
    await windows.close()
    await changes.close()
    await database.close()


def principal(user_id: str, session_id: str | None = None) -> Principal:
    return Principal(
        user_id, "alice", Role.USER, Limits(), QuotaShare(user_id, 0), session_id=session_id
    )
