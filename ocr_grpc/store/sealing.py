"""Seals what the database must not show: passwords of documents, secrets of webhooks, URLs."""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ocr_grpc.store.errors import SealBroken

PURPOSE = b"ocr_grpc sealed columns"
MARKS = b"ocr_grpc marks"


class Seal:
    """Encrypts small values for the database, with a key derived from `SECRET_KEY`."""

    def __init__(self, secret: bytes) -> None:
        """Derive the key. Every process on one database needs the same secret."""
        key = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._mark_key = HKDF(SHA256(), length=32, salt=None, info=MARKS).derive(secret)

    def seal(self, value: bytes) -> bytes:
        """Return a value that only a process with the secret can read, or make."""
        return self._fernet.encrypt(value)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            SealBroken: with another secret, or it was changed.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealBroken from None

    def mark(self, value: bytes) -> bytes:
        """Return 32 bytes that stand for a value, and tell nothing of it without the secret."""
        return hmac.digest(self._mark_key, value, "sha256")
