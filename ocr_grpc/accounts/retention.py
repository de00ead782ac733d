"""How long credentials that are over, and the audit log, stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, or_

from ocr_grpc.store.accounts import (
    AuditRow,
    InviteRow,
    KeyRow,
    MailTokenRow,
    RefreshTokenRow,
    SessionRow,
    UserRow,
)
from ocr_grpc.store.database import Database
from ocr_grpc.store.retention import OldRows, Rule


@dataclass(frozen=True, slots=True)
class AccountRetention:
    """How long what stays; see the settings of these names."""

    usage: timedelta
    audit: timedelta
    addresses: timedelta
    sessions: timedelta
    keys: timedelta
    mail_tokens: timedelta
    invites: timedelta


def account_rules(database: Database, kept: AccountRetention) -> Sequence[Rule]:
    """Return what goes, in an order in which nothing refers to what is gone."""
    return (*_credentials(database, kept), *_audit(database, kept), _tombstones(database, kept))


def _credentials(database: Database, kept: AccountRetention) -> Sequence[Rule]:
    return (
        OldRows(
            database,
            "sessions",
            (SessionRow.session_id,),
            lambda now: (
                or_(
                    SessionRow.expire_time < now - kept.sessions,
                    SessionRow.revoke_time < now - kept.sessions,
                ),
            ),
        ),
        # Spent ones of sessions that go on.
        OldRows(
            database,
            "refresh_tokens",
            (RefreshTokenRow.token_hash,),
            lambda now: (RefreshTokenRow.expire_time < now - kept.sessions,),
        ),
        OldRows(
            database,
            "mail_tokens",
            (MailTokenRow.token_hash,),
            lambda now: (
                or_(
                    MailTokenRow.expire_time < now - kept.mail_tokens,
                    MailTokenRow.use_time < now - kept.mail_tokens,
                ),
            ),
        ),
        OldRows(
            database,
            "invites",
            (InviteRow.invite_id,),
            lambda now: (
                or_(
                    InviteRow.expire_time < now - kept.invites,
                    InviteRow.use_time < now - kept.invites,
                ),
            ),
        ),
        OldRows(
            database,
            "keys",
            (KeyRow.key_id,),
            lambda now: (
                or_(
                    KeyRow.expire_time < now - kept.keys,
                    KeyRow.revoke_time < now - kept.keys,
                ),
            ),
        ),
    )


def _audit(database: Database, kept: AccountRetention) -> Sequence[Rule]:
    return (
        OldRows(
            database,
            "audit_events",
            (AuditRow.event_id,),
            lambda now: (AuditRow.create_time < now - kept.audit,),
            order=AuditRow.create_time,
        ),
        OldRows(
            database,
            "addresses",
            (AuditRow.event_id,),
            lambda now: (AuditRow.address != "", AuditRow.create_time < now - kept.addresses),
            order=AuditRow.create_time,
            values={"address": ""},
        ),
    )


def _tombstones(database: Database, kept: AccountRetention) -> Rule:
    """Return the rule about rows of deleted users, whom the ledger and the audit log name."""
    longest = max(kept.usage, kept.audit, kept.keys)
    referring = (
        exists().where(SessionRow.user_id == UserRow.user_id),
        exists().where(KeyRow.user_id == UserRow.user_id),
        exists().where(MailTokenRow.user_id == UserRow.user_id),
        exists().where(InviteRow.used_by_user_id == UserRow.user_id),
    )
    return OldRows(
        database,
        "tombstones",
        (UserRow.user_id,),
        # Deleted is what the index finds; erased is later.
        lambda now: (
            UserRow.delete_time < now - longest,
            UserRow.erase_time < now - longest,
            *(~each for each in referring),
        ),
        order=UserRow.delete_time,
    )
