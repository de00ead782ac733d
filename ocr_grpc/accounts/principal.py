"""Who is calling, and what that caller may do."""

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a user is to this installation."""

    USER = "user"
    BUSINESS = "business"
    ADMIN = "admin"


WEIGHTS = {Role.USER: 1.0, Role.BUSINESS: 2.0, Role.ADMIN: 2.0}
"""A caller's share of the engines beside other callers."""


class Scope(Enum):
    """What an API key may be used for."""

    OCR = "ocr"
    BATCHES = "batches"
    KEYS = "keys"
    USAGE = "usage"
    ADMIN = "admin"


class OrganizationRole(Enum):
    """What a member may do in an organization."""

    MEMBER = "member"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force for somebody. 0 means no limit."""

    calls_per_minute: int = 0
    pages_per_month: int = 0
    concurrent_streams: int = 0


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """Limits that a user or a key has of its own. None means: as above it; 0 means no limit."""

    calls_per_minute: int | None = None
    pages_per_month: int | None = None
    concurrent_streams: int | None = None

    def over(self, base: Limits) -> Limits:
        """Return these limits, completed by those of the role."""
        return Limits(
            *(
                theirs if own is None else own
                for own, theirs in (
                    (self.calls_per_minute, base.calls_per_minute),
                    (self.pages_per_month, base.pages_per_month),
                    (self.concurrent_streams, base.concurrent_streams),
                )
            )
        )


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """The API key a call came with; its limits count only where they are lower than the user's."""

    key_id: str
    scopes: frozenset[Scope]
    limits: OwnLimits


@dataclass(frozen=True, slots=True)
class QuotaShare:
    """The monthly quota somebody draws on: their own, or the organization's.

    Attributes:
        owner_id: the user or the organization.
        pages: for a calendar month; 0 means no limit.
    """

    owner_id: str
    pages: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose credentials were good. Everything in it was true within the last second.

    Attributes:
        session_id: the login whose access token was used. None with an API key.
        key: the API key that was used. None with an access token.
        limits: the user's, in force.
    """

    user_id: str
    user_name: str
    role: Role
    limits: Limits
    quota: QuotaShare
    organization_id: str | None = None
    organization_role: OrganizationRole | None = None
    session_id: str | None = None
    key: KeyInUse | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the user is an administrator, whatever the key may do."""
        return self.role is Role.ADMIN

    def may(self, scope: Scope) -> bool:
        """Return whether the credentials cover a scope: people may do all, keys what they say."""
        return self.key is None or scope in self.key.scopes


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the audit log. Without a principal: somebody not signed in."""

    principal: Principal | None = None
    address: str = ""
    call_id: str = ""


def everybody(user_id: str, user_name: str) -> Principal:
    """Return who all callers are where nobody has to sign in."""
    return Principal(user_id, user_name, Role.ADMIN, Limits(), QuotaShare(user_id, 0))
