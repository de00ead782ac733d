"""Access tokens: short-lived JWTs that say which session of which user is calling."""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from ocr_grpc.accounts.errors import TokenExpired, TokenInvalid
from ocr_grpc.accounts.secret_files import write_secret
from ocr_grpc.settings import SettingsError
from ocr_grpc.settings_accounts import MIN_SECRET_BYTES
from ocr_grpc.store.base import ID_CHARS, new_id

MAX_TOKEN_CHARS = 4_096
ISSUER = "ocr_grpc"
KIND = "at+jwt"
CLOCK_SECONDS = 5
"""How much the clocks of two servers may differ: no token is refused for being that young."""

SECRET_FILE = "secret.key"  # noqa: S105 - the name of a file
GENERATED_SECRET_BYTES = 48

_jwt: Any = jwt  # the types of its keys are unknown without an optional package

_TIMES = ("exp", "iat", "nbf")
_IDS = ("sub", "sid", "jti")
_REQUIRED = ["aud", "iss", *_TIMES, *_IDS]
_LAST_SECOND = 253_402_300_799  # of the year 9999
_ID = re.compile(rf"[0-9A-Za-z_-]{{1,{ID_CHARS}}}")
_LONGEST_KEY_BYTES = 64


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good access token says."""

    user_id: str
    session_id: str
    expire_time: datetime


class Tokens:
    """Issues and reads access tokens."""

    def __init__(self, secret: bytes, algorithm: str, lifetime: timedelta) -> None:
        """Choose how tokens are signed.

        Args:
            secret: 32 bytes or more.
            algorithm: `HS256`, `HS384` or `HS512`; no other is believed.
            lifetime: of a token.
        """
        # HMAC fills short keys with zeros itself; done here, the library has no reason to warn.
        self._key = secret.ljust(_LONGEST_KEY_BYTES, b"\0")
        self._algorithm = algorithm
        self._lifetime_seconds = round(lifetime.total_seconds())

    def issue(self, user_id: str, session_id: str) -> tuple[str, int]:
        """Return a token and the seconds until it expires."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(),
            "iat": now,
            "nbf": now,
            "exp": now + self._lifetime_seconds,
        }
        token: str = _jwt.encode(claims, self._key, self._algorithm, headers={"typ": KIND})
        return token, self._lifetime_seconds

    def read(self, token: str, expired_too: bool = False) -> Claims:
        """Return what a token says.

        Args:
            token: as its caller sends it.
            expired_too: whether to return what an expired one said.

        Raises:
            TokenInvalid: it is none of ours, for something else, or not valid yet.
            TokenExpired: it was valid once.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenInvalid
        try:
            decoded: Mapping[str, Any] = _jwt.decode_complete(
                token,
                self._key,
                algorithms=[self._algorithm],
                audience=ISSUER,
                issuer=ISSUER,
                # The times are checked below, because the leeway here would be for all of them.
                options={
                    "require": _REQUIRED,
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise TokenInvalid from None
        if decoded["header"].get("typ") != KIND:
            raise TokenInvalid
        claims = _checked(decoded["payload"])
        if not expired_too and claims.expire_time.timestamp() <= time.time():
            raise TokenExpired
        return claims


def _checked(claims: Mapping[str, Any]) -> Claims:
    """Return the claims if each has the right type and length, and if their time has come."""
    for name in _IDS:
        value = claims[name]
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise TokenInvalid
    for name in _TIMES:
        value = claims[name]
        if type(value) is not int or not 0 < value <= _LAST_SECOND:
            raise TokenInvalid
    if max(claims["iat"], claims["nbf"]) > time.time() + CLOCK_SECONDS:
        raise TokenInvalid
    return Claims(claims["sub"], claims["sid"], datetime.fromtimestamp(claims["exp"], UTC))


def load_secret(data_dir: Path, configured: str) -> bytes:
    """Return the secret that signs access tokens; made and kept, if none is configured. Blocks.

    Args:
        data_dir: where one is kept, in `secret.key`, readable by the owner only.
        configured: the setting. Empty if there is none.

    Raises:
        SettingsError: the file is too short to be a secret.
    """
    if configured:
        return configured.encode()
    path = data_dir / SECRET_FILE
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(GENERATED_SECRET_BYTES), replace=False)
    secret = path.read_bytes().strip()
    if len(secret) < MIN_SECRET_BYTES:
        raise SettingsError(
            f"{path} is damaged: it has less than {MIN_SECRET_BYTES} bytes. Delete it, and a new "
            "one is made; everybody must sign in again."
        )
    return secret
