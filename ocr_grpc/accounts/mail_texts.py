"""What the mails say."""

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["verify", "reset"]


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail. Into the body go `user_name` and `token`, which hold nothing but plain characters."""

    subject: str
    body: str


TEXTS: dict[Purpose, MailText] = {
    "verify": MailText(
        subject="Confirm your e-mail address",
        body="""\
Hello {user_name},

this token confirms your e-mail address (VerifyEmail, POST /v1/auth/verifyEmail):

{token}

It works once, within 24 hours. If you did not ask for it, ignore this mail.
""",
    ),
    "reset": MailText(
        subject="Set a new password",
        body="""\
Hello {user_name},

this token sets a new password (ResetPassword, POST /v1/auth/resetPassword):

{token}

It works once, within one hour. If you did not ask for it, ignore this mail: nothing has changed.
""",
    ),
}
