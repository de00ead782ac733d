"""Parses the form of the token endpoint of OAuth 2 (RFC 6749, sections 4.3.2 and 6)."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from ocr_grpc.accounts.errors import InvalidField

MAX_FORM_BYTES = 16 * 1024
MAX_FIELDS = 16
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """Somebody signs in."""

    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """Somebody wants the next tokens."""

    refresh_token: str = field(repr=False)


def parse_token_form(content_type: str, form: bytes) -> PasswordGrant | RefreshGrant:
    """Return what a form asks for. Without `grant_type` it is the password grant.

    Args:
        content_type: may be empty.
        form: the body.

    Raises:
        InvalidField: it is too large, no form, names a field twice, lacks one, or has another
            grant type.
    """
    if content_type and content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise InvalidField(f"The body is `{FORM_TYPE}`.", field="content.content_type")
    fields = _fields(form)
    grant_type = fields.get("grant_type", "password")
    if grant_type == "password":
        return PasswordGrant(_required(fields, "username"), _required(fields, "password"))
    if grant_type == "refresh_token":
        return RefreshGrant(_required(fields, "refresh_token"))
    raise InvalidField("The grant type is `password` or `refresh_token`.", field="grant_type")


def _fields(form: bytes) -> dict[str, str]:
    if len(form) > MAX_FORM_BYTES:
        raise InvalidField(f"A form has at most {MAX_FORM_BYTES} bytes.", field="content")
    try:
        values = parse_qs(
            form.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        # Not its text, which repeats what is in the form.
        raise InvalidField("The body is no form in UTF-8.", field="content") from None
    for name, all_values in values.items():
        if len(all_values) > 1:
            raise InvalidField("A field may be there only once.", field=name[:64])
    return {name: value for name, (value,) in values.items()}


def _required(fields: dict[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise InvalidField(f"The form lacks `{name}`.", field=name)
    return value
