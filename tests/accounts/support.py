"""Accounts on a real database, for tests of the domain."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from ocr_grpc.accounts.api_keys import ApiKeys
from ocr_grpc.accounts.audit_log import AuditEvent, AuditFilter, AuditLog
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.invites import Invites
from ocr_grpc.accounts.memberships import Memberships
from ocr_grpc.accounts.organizations import Organization, Organizations
from ocr_grpc.accounts.passwords import PasswordHasher
from ocr_grpc.accounts.principal import (
    Actor,
    KeyInUse,
    Limits,
    OwnLimits,
    Principal,
    QuotaShare,
    Role,
    Scope,
)
from ocr_grpc.accounts.registration import Mode, Registration
from ocr_grpc.accounts.sessions import Sessions
from ocr_grpc.accounts.throttle import LoginThrottle
from ocr_grpc.accounts.tokens import Tokens
from ocr_grpc.accounts.users import NewUser, User, Users
from ocr_grpc.store.accounts import SessionRow
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database

PASSWORD = "correct horse battery"
ROLE_LIMITS = {
    Role.USER: Limits(600, 5_000, 20),
    Role.BUSINESS: Limits(6_000, 100_000, 200),
    Role.ADMIN: Limits(),
}
NOBODY = Actor(address="10.0.0.7", call_id="call-1")


class Accounts:
    """Everything about accounts on one database."""

    def __init__(self, database: Database, hasher: PasswordHasher) -> None:
        self.database, self.hasher = database, hasher
        self.changes = Changes(database)
        self._news: asyncio.Queue[str | None] = asyncio.Queue()
        self.changes.subscribe(self._news.put_nowait)
        tokens = Tokens(b"k" * 32, "HS256", timedelta(minutes=30))
        self.sessions = Sessions(database, tokens, self.changes, timedelta(days=30))
        self.users = Users(database, hasher, self.changes, ROLE_LIMITS, self.sessions)
        self.invites = Invites(database)
        self.organizations = Organizations(database, self.changes)
        self.memberships = Memberships(database, self.changes, self.invites)
        self.api_keys = ApiKeys(database, self.changes)
        self.audit_log = AuditLog(database)
        self._numbers = itertools.count(1)

    def registration(self, mode: Mode, throttle: LoginThrottle | None = None) -> Registration:
        return Registration(self.users, self.invites, mode, 8, throttle)

    async def user(self, name: str = "", role: Role = Role.USER, **fields) -> User:
        name = name or f"user{next(self._numbers)}"
        password = PASSWORD if role is Role.ADMIN else ""  # else nobody could administer
        return await self.users.create(NewUser(name, role=role, **fields), password, NOBODY)

    async def organization(self, owner: User, name: str = "Example") -> Organization:
        return await self.organizations.create(name, 0, owner.user_id, NOBODY)

    async def member(self, organization: Organization) -> User:
        """Make a user who joins."""
        user, admin = await self.user(), principal(await self.user(role=Role.ADMIN))
        _, code = await self.memberships.invite(admin, organization.organization_id, "", 0, NOBODY)
        await self.memberships.accept(principal(user), code, NOBODY)
        return await self.users.get(user.user_id)

    async def actions(self, target_id: str) -> list[str]:
        return [event.action for event in await self.events(target_id)]

    async def events(self, target_id: str) -> list[AuditEvent]:
        """What the audit log says about something, the oldest first."""
        events, _ = await self.audit_log.list(AuditFilter(target_id=target_id))
        return events[::-1]

    async def heard_of(self, user_id: str) -> bool:
        """Whether news of a user arrive, as they must on every server."""
        async with asyncio.timeout(30):
            while await self._news.get() != user_id:
                pass
        return True

    async def wait_for_news(self) -> None:
        """Wait until changes are listened to, and forget those before."""
        probe = new_id()
        async with asyncio.timeout(30):
            while self._news.empty():
                async with self.database.write() as sql:
                    await self.changes.note(sql, probe)
                await asyncio.sleep(0.02)
            while not self._news.empty():
                self._news.get_nowait()

    async def live_sessions(self, user_id: str) -> int:
        chosen = select(SessionRow).where(
            SessionRow.user_id == user_id, SessionRow.revoke_time.is_(None)
        )
        async with self.database.read() as sql:
            return len((await sql.scalars(chosen)).all())

    async def sign_in(self, user_id: str) -> None:
        async with self.database.write() as sql:
            await self.sessions.open(sql, user_id)


def principal(user: User, *scopes: Scope) -> Principal:
    """Return a user who calls: signed in, or with a key if there are scopes."""
    signed_in = Principal(
        user_id=user.user_id,
        user_name=user.user_name,
        role=user.role,
        limits=user.effective_limits,
        quota=QuotaShare(user.user_id, user.effective_limits.pages_per_month),
        organization_id=user.organization_id,
        organization_role=user.organization_role,
        session_id="session",
    )
    if not scopes:
        return signed_in
    key = KeyInUse("key", frozenset(scopes), OwnLimits())
    return replace(signed_in, session_id=None, key=key)


async def all_pages(fetch, page_size: int = 50) -> list:
    """Return everything that `fetch(page_size, page_token)` lists, page after page."""
    found, token = [], ""
    while True:
        rows, token, *_ = await fetch(page_size, token)
        found += rows
        if not token:
            return found


@asynccontextmanager
async def accounts_on(database: Database) -> AsyncIterator[Accounts]:
    hasher = PasswordHasher(4, threads=1)
    accounts = Accounts(database, hasher)
    await accounts.changes.start()
    try:
        yield accounts
    finally:
        await accounts.changes.close()
        hasher.close()
