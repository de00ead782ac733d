"""The settings about accounts, limits and the database; part of `settings.py`."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

NO_SECRET = SecretStr("")
MIN_SECRET_BYTES = 32
MAX_PORT = 65535
PORT_IS_NONE = (
    "its port must be a number up to 65535; in a password, : / ? # [ ] @ and % are written as "
    "%3A %2F %3F %23 %5B %5D %40 and %25"
)


class AccountSettings(BaseSettings):
    """Who may use the service, how much, and where that is written down."""

    database_url: SecretStr = Field(
        default=NO_SECRET,
        description="postgresql://user:password@host/name. Empty: SQLite under DATA_DIR.",
    )
    redis_url: SecretStr = Field(
        default=NO_SECRET,
        description="redis://host:6379/0 for limits that hold over all servers. Empty: in memory.",
    )

    auth_enabled: bool = Field(
        default=True,
        description="false opens everything to whoever reaches the port, as ANON_USERNAME.",
    )
    anon_username: str = Field(
        default="anonymous",
        pattern=r"^[A-Za-z0-9._-]{3,64}$",
        description="The user all calls belong to when AUTH_ENABLED is false.",
    )
    secret_key: SecretStr = Field(
        default=NO_SECRET,
        description="Signs access tokens, 32 bytes or more. Empty: one is made under DATA_DIR.",
    )
    algorithm: Literal["HS256", "HS384", "HS512"] = Field(
        default="HS256", description="How access tokens are signed; no other is believed."
    )
    access_token_expire_minutes: int = Field(
        default=30, ge=1, le=10_080, description="Minutes an access token lives."
    )
    refresh_token_expire_days: int = Field(
        default=30, ge=1, le=365, description="Days a session lives without being refreshed."
    )
    refresh_grace_seconds: float = Field(
        default=10,
        ge=0,
        le=300,
        description="Seconds in which the refresh token spent last may come again, for whoever did "
        "not get the answer. 0: never.",
    )
    bootstrap_user: str = Field(
        default="admin",
        pattern=r"^[A-Za-z0-9._-]{3,64}$",
        description="The first administrator, made when there is none.",
    )
    bootstrap_pass: SecretStr = Field(
        default=NO_SECRET,
        description="Its password. Empty: one is made and put under DATA_DIR.",
    )
    registration: Literal["open", "invite", "closed"] = Field(
        default="open", description="Who may make an account: anyone, the invited, or nobody."
    )
    password_min_chars: int = Field(
        default=8, ge=8, le=128, description="Least characters of a new password."
    )
    bcrypt_cost: int = Field(
        default=12, ge=4, le=16, description="Cost of a password hash: 12 takes some 0.3 s of CPU."
    )
    login_attempts_per_minute: int = Field(
        default=12,
        ge=6,
        description="Failed logins for one account from one address, counted in slots of 10 s.",
    )
    login_attempts_per_address: int = Field(
        default=120, ge=6, description="Logins from one address, for all accounts, likewise."
    )

    anonymous_calls_per_minute: int = Field(
        default=300,
        ge=0,
        description="Calls without good credentials from one address. 0: no limit.",
    )
    user_calls_per_minute: int = Field(
        default=600, ge=0, description="Calls of a user in a minute. 0: no limit, as below."
    )
    user_pages_per_month: int = Field(
        default=5_000, ge=0, description="Pages of a user in a calendar month (UTC)."
    )
    user_concurrent_streams: int = Field(
        default=20, ge=0, description="Extractions of a user at once, over all servers."
    )
    business_calls_per_minute: int = Field(
        default=6_000, ge=0, description="The same for the role BUSINESS."
    )
    business_pages_per_month: int = Field(
        default=100_000, ge=0, description="The same for the role BUSINESS."
    )
    business_concurrent_streams: int = Field(
        default=200, ge=0, description="The same for the role BUSINESS."
    )
    admin_calls_per_minute: int = Field(default=0, ge=0, description="The same for administrators.")
    admin_pages_per_month: int = Field(default=0, ge=0, description="The same for administrators.")
    admin_concurrent_streams: int = Field(
        default=0, ge=0, description="The same for administrators."
    )
    usage_retention_days: int = Field(
        default=400, ge=32, le=36_500, description="Days the rows of the ledger are kept."
    )

    smtp_url: SecretStr = Field(
        default=NO_SECRET,
        description="smtp://user:password@host:587 or smtps://…:465. Empty: no mail is sent.",
    )
    mail_from: str = Field(default="ocr-grpc@localhost", description="Sender of mails.")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if value and len(value.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"it must have at least {MIN_SECRET_BYTES} bytes")
        return secret

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        value = url.get_secret_value()
        scheme = value.partition(":")[0].partition("+")[0]
        if scheme not in ("", "sqlite", "postgresql", "postgres"):
            raise ValueError("it must begin with postgresql:// or sqlite://")
        if scheme == "sqlite" and not _names_file(value):
            raise ValueError("it must name a file: sqlite:///path")
        if scheme.startswith("postgres") and not _has_database_port(value):
            raise ValueError(PORT_IS_NONE)
        return url

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, url: SecretStr) -> SecretStr:
        if _checked_scheme(url) not in ("", "redis", "rediss", "unix"):
            raise ValueError("it must begin with redis://, rediss:// or unix://")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _known_mail(cls, url: SecretStr) -> SecretStr:
        if _checked_scheme(url) not in ("", "smtp", "smtps"):
            raise ValueError("it must begin with smtp:// or smtps://")
        return url


def _checked_scheme(url: SecretStr) -> str:
    """Return the scheme of an address that has a port or none.

    Raises:
        ValueError: what stands for a port is none. The error of `urlsplit` would quote it, and
            that may be half a password.
    """
    try:
        parts = urlsplit(url.get_secret_value())
        _ = parts.port
    except ValueError:
        raise ValueError(PORT_IS_NONE) from None
    return parts.scheme


def _has_database_port(url: str) -> bool:
    """Return whether SQLAlchemy, which allows more in passwords than `urlsplit`, finds no fault."""
    from sqlalchemy.engine import make_url  # only for those who need it: it takes its time
    from sqlalchemy.exc import ArgumentError

    try:
        return 0 <= (make_url(url).port or 0) <= MAX_PORT
    except (ArgumentError, ValueError):
        return False


def _names_file(url: str) -> bool:
    """Return whether an address of SQLite is one of a file, and not of memory or another URI."""
    path = url.partition("://")[2].partition("?")[0]
    return path.startswith("/") and path not in ("/", "/:memory:") and path[:6] != "/file:"
