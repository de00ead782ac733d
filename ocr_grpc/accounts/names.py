"""Checks what people call themselves and their things, and makes it comparable."""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from ocr_grpc.accounts.errors import InvalidEmail, InvalidField, InvalidUserName
from ocr_grpc.store.base import ID_CHARS

MAX_DISPLAY_NAME_CHARS = 128
MAX_EMAIL_CHARS = 254

_USER_NAME = re.compile(r"[A-Za-z0-9._-]{3,64}")
_ID = re.compile(rf"[0-9A-Za-z_-]{{1,{ID_CHARS}}}")


def name_key(text: str) -> str:
    """Return a user name as it is compared: without case."""
    return text.lower()


def email_key(text: str) -> str:
    """Return an e-mail address as it is compared: without case, in NFC."""
    return unicodedata.normalize("NFC", text).lower()


def checked_user_name(text: str) -> str:
    """Return a user name that may be used.

    Raises:
        InvalidUserName: it has the wrong length or characters.
    """
    if not _USER_NAME.fullmatch(text):
        raise InvalidUserName
    return text


def checked_email(text: str) -> str:
    """Return an e-mail address in its usual form, or empty for none. Nobody is asked about it.

    Raises:
        InvalidEmail: it is none.
    """
    if not text:
        return ""
    if len(text) > MAX_EMAIL_CHARS:
        raise InvalidEmail
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise InvalidEmail from None


def checked_display_name(text: str, field: str = "display_name", min_chars: int = 0) -> str:
    """Return a name for people to read.

    Args:
        text: the name.
        field: its path in the request.
        min_chars: 1 if it must not be empty.

    Raises:
        InvalidField: it has the wrong length, or characters that cannot be seen.
    """
    if not min_chars <= len(text) <= MAX_DISPLAY_NAME_CHARS or not text.isprintable():
        raise InvalidField(
            f"It has {min_chars} to {MAX_DISPLAY_NAME_CHARS} printable characters.", field=field
        )
    return text


def possible_id(text: str) -> str:
    """Return an id that a caller gave, or "", which nothing has.

    A database may refuse strings that no id ever is, such as those with a NUL in them.
    """
    return text if _ID.fullmatch(text) else ""
