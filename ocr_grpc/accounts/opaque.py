"""Secrets that mean nothing by themselves: API keys, refresh tokens, codes of mails and invites.

They have so much chance in them that a plain SHA-256 is enough to keep them by.
"""

import hashlib
import re
import secrets
import string
import zlib

BASE62 = string.digits + string.ascii_letters
KEY_MARK = "ocr_"
RANDOM_CHARS = 32
CHECKSUM_CHARS = 6
PREFIX_CHARS = 10

_KEY = re.compile(
    rf"{KEY_MARK}(?P<random>[0-9A-Za-z]{{{RANDOM_CHARS}}})"
    rf"(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_CHARS}}})"
)


def make_key() -> str:
    """Return the secret of an API key: a mark, 190 random bits, and a checksum against typos."""
    random = "".join(secrets.choice(BASE62) for _ in range(RANDOM_CHARS))
    return KEY_MARK + random + _checksum(random)


def is_key(secret: str) -> bool:
    """Return whether this could be the secret of a key; false for a mistyped one."""
    match = _KEY.fullmatch(secret)
    return match is not None and _checksum(match["random"]) == match["checksum"]


def key_prefix(secret: str) -> str:
    """Return the part of a key that may be shown, to tell keys apart."""
    return secret[:PREFIX_CHARS]


def make_token() -> str:
    """Return a token of 256 random bits, for sessions, mails and invitations."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Return what is kept of a secret: its SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(random: str) -> str:
    rest, digits = zlib.crc32(random.encode()), ""
    for _ in range(CHECKSUM_CHARS):
        rest, digit = divmod(rest, len(BASE62))
        digits = BASE62[digit] + digits
    return digits
