"""Keeps passwords, tokens and keys out of what messages print of themselves."""

import copy
from collections.abc import Iterable

import betterproto2

SECRETS = (
    "access_token",
    "code",
    "invite_code",
    "new_password",
    "old_password",
    "password",
    "refresh_token",
    "secret",
    "token",
)
"""What the contract calls its secrets. Fields of these names that are no text are none."""


def hide_secrets(messages: Iterable[type[betterproto2.Message]]) -> None:
    """Have those messages that carry secrets print them as dots."""
    for message in messages:
        if not vars(message).get("__annotations__", {}).keys().isdisjoint(SECRETS):
            setattr(message, "__repr__", _repr)  # noqa: B010 - no method of all messages


def _repr(self: betterproto2.Message) -> str:
    shown = copy.copy(self)
    for name in SECRETS:
        value = getattr(self, name, None)
        if isinstance(value, str) and value:
            setattr(shown, name, "…")
    return betterproto2.Message.__repr__(shown)
