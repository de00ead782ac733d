"""Writes the audit log, in the transaction of what it tells about, and reads it."""

from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.principal import Actor
from ocr_grpc.store.accounts import AuditRow


def record(
    session: AsyncSession, actor: Actor, action: str, target_id: str | None, **details: object
) -> None:
    """Add an event to the transaction.

    Args:
        session: the transaction in which the thing itself is done.
        actor: who does it.
        action: what, as noun and participle, such as `key.revoked`.
        target_id: to what: the id of a user, key, organization or invitation.
        details: more about it. Never a secret.
    """
    principal = actor.principal
    session.add(
        AuditRow(
            actor_user_id=principal.user_id if principal else None,
            actor_key_id=principal.key.key_id if principal and principal.key else None,
            action=action,
            target_id=target_id,
            address=actor.address,
            call_id=actor.call_id,
            details={name: str(value) for name, value in details.items()},
        )
    )
