"""Starts what knows people, and sees to it that somebody can administer."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ocr_grpc.accounts import bootstrap
from ocr_grpc.accounts.api_keys import ApiKeys
from ocr_grpc.accounts.audit_log import AuditLog
from ocr_grpc.accounts.authenticator import Authenticator
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import PasswordTooLong, PasswordTooShort
from ocr_grpc.accounts.invites import Invites
from ocr_grpc.accounts.login import Login
from ocr_grpc.accounts.mail import Mailer
from ocr_grpc.accounts.mail_tokens import MailTokens
from ocr_grpc.accounts.memberships import Memberships
from ocr_grpc.accounts.organizations import Organizations
from ocr_grpc.accounts.passwords import PasswordHasher
from ocr_grpc.accounts.principal import Limits, Principal, Role, everybody
from ocr_grpc.accounts.registration import Registration
from ocr_grpc.accounts.sessions import Sessions
from ocr_grpc.accounts.throttle import LoginLimits, LoginThrottle
from ocr_grpc.accounts.tokens import Tokens, load_secret
from ocr_grpc.accounts.users import Users
from ocr_grpc.settings import Settings
from ocr_grpc.store.database import Database
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.wiring.errors import CannotServe

SLOTS_PER_MINUTE = 6
"""Logins are counted in slots of ten seconds."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What knows people."""

    users: Users
    sessions: Sessions
    login: Login
    registration: Registration
    api_keys: ApiKeys
    invites: Invites
    organizations: Organizations
    memberships: Memberships
    mailer: Mailer
    mail_tokens: MailTokens
    audit_log: AuditLog
    authenticator: Authenticator
    changes: Changes
    everybody: Principal | None
    """Who all callers are, if nobody has to sign in."""
    password_path: Path | None
    """Where the first administrator's password is, if one was made up just now."""


async def open_accounts(
    settings: Settings, database: Database, windows: RateWindows, stack: AsyncExitStack
) -> Accounts:
    """Start what knows people, and see to it that there is an administrator.

    Raises:
        CannotServe: there is none, and none can be made.
    """
    hasher = PasswordHasher(settings.bcrypt_cost)
    stack.callback(hasher.close)
    changes = Changes(database)
    stack.push_async_callback(changes.close)
    await changes.start()
    roles = role_limits(settings)
    secret = await asyncio.to_thread(
        load_secret, settings.data_dir, settings.secret_key.get_secret_value()
    )
    tokens = Tokens(
        secret, settings.algorithm, timedelta(minutes=settings.access_token_expire_minutes)
    )
    sessions = Sessions(
        database,
        tokens,
        changes,
        timedelta(days=settings.refresh_token_expire_days),
        timedelta(seconds=settings.refresh_grace_seconds),
    )
    mailer = Mailer(settings.smtp_url.get_secret_value(), settings.mail_from, settings.public_url)
    stack.push_async_callback(mailer.close)
    min_chars = settings.password_min_chars
    users = Users(database, hasher, changes, roles, sessions, min_chars, mailer)
    invites, api_keys = Invites(database, mailer, windows), ApiKeys(database, changes)
    authenticator = Authenticator(database, tokens, changes, roles)
    stack.push_async_callback(authenticator.close)
    login_limits = LoginLimits(
        max(1, settings.login_attempts_per_minute // SLOTS_PER_MINUTE),
        max(1, settings.login_attempts_per_address // SLOTS_PER_MINUTE),
    )
    throttle = LoginThrottle(windows, login_limits)
    try:
        everyone, password_path = await _first_people(settings, users, api_keys)
    except bootstrap.BootstrapFailed as failed:
        raise CannotServe(str(failed)) from None
    except (PasswordTooShort, PasswordTooLong) as wrong:
        raise CannotServe(f"BOOTSTRAP_PASS: {wrong.message}") from None
    return Accounts(
        users,
        sessions,
        Login(database, hasher, sessions, windows, login_limits),
        Registration(users, invites, settings.registration, min_chars, throttle),
        api_keys,
        invites,
        Organizations(database, changes),
        Memberships(database, changes, invites),
        mailer,
        MailTokens(database, mailer, hasher, sessions, changes, windows),
        AuditLog(database),
        authenticator,
        changes,
        everyone,
        password_path,
    )


async def _first_people(
    settings: Settings, users: Users, api_keys: ApiKeys
) -> tuple[Principal | None, Path | None]:
    """See to it that somebody can administer, and that commands on this machine just work."""
    admin = await bootstrap.ensure_admin(
        users,
        users.database,
        settings.bootstrap_user,
        settings.bootstrap_pass.get_secret_value(),
        settings.data_dir,
    )
    if not settings.database_url.get_secret_value():
        await bootstrap.ensure_local_key(api_keys, admin.user_id, settings.data_dir)
    name = settings.anon_username
    if settings.auth_enabled:
        await bootstrap.retire_anonymous(users, name)
        return None, admin.password_path
    user_id = await bootstrap.ensure_anonymous(users, name)
    return everybody(user_id, name), admin.password_path


def role_limits(settings: Settings) -> dict[Role, Limits]:
    """Return the limits of each role."""
    return {
        role: Limits(
            *(
                getattr(settings, f"{role.value}_{name}")
                for name in ("calls_per_minute", "pages_per_month", "concurrent_streams")
            )
        )
        for role in Role
    }
