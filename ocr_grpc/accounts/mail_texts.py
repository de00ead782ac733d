"""What the mails say."""

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["verify", "reset"]


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail. What goes into the body holds plain characters only, and nobody's advertisements."""

    subject: str
    body: str


TEXTS: dict[Purpose, MailText] = {
    "verify": MailText(
        subject="Confirm your e-mail address",
        body="""\
Hello {user_name},

this token confirms your e-mail address (VerifyEmail, POST /v1/auth/verifyEmail):

{token}
{link}
It works once, within 24 hours. If you did not ask for it, ignore this mail.
""",
    ),
    "reset": MailText(
        subject="Set a new password",
        body="""\
Hello {user_name},

this token sets a new password (ResetPassword, POST /v1/auth/resetPassword):

{token}
{link}
It works once, within one hour. If you did not ask for it, ignore this mail: nothing has changed.
""",
    ),
}

LINK = """
Or open this page:

{url}
"""
"""Where it goes depends on a setting, and without that there is none."""

ADDRESS_CHANGED = MailText(
    subject="The e-mail address of your account was changed",
    body="""\
Hello {user_name},

your account has another e-mail address now, so mails no longer come here. If that was not you, set
a new password (ChangePassword, POST /v1/users/me:changePassword) or ask an administrator at once.
""",
)

INVITED = MailText(
    subject="You are invited",
    body="""\
Hello,

you are invited to use a service that reads documents. The code of the invitation:

{code}
{link}
Give it when you register (`invite_code` of Register, POST /v1/auth/register). With an account, join
the organization with it (AcceptInvite, POST /v1/organizations:acceptInvite). It works once, until
{expire_time} UTC.
""",
)
