"""What can be wrong with credentials, accounts, keys, invitations and organizations."""

from ocr_grpc.errors import InvalidOption, OcrError


class Unauthenticated(OcrError):
    """The call has no credentials that are good. Base of the more precise reasons."""

    reason = "UNAUTHENTICATED"
    by_caller = True


class CredentialsMissing(Unauthenticated):
    """The call has no credentials at all."""

    reason = "CREDENTIALS_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "This call needs credentials: `authorization: Bearer …` with an access token or an "
            "API key, or `x-api-key` with an API key."
        )


class TokenInvalid(Unauthenticated):
    """What was sent as Bearer is no token or key of ours, or a token for something else."""

    reason = "TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "What was sent as Bearer is not valid: it is neither an access token of this service "
            "nor an API key. Sign in again, or check the key."
        )


class TokenExpired(Unauthenticated):
    """The access token is too old."""

    reason = "TOKEN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The access token has expired. Get the next one with RefreshToken.")


class SessionRevoked(Unauthenticated):
    """The session was ended: by a logout, a new password, or a stolen refresh token."""

    reason = "SESSION_REVOKED"

    def __init__(self) -> None:
        super().__init__("The session was ended. Sign in again.")


class UserDisabled(Unauthenticated):
    """An administrator locked the user out."""

    reason = "USER_DISABLED"

    def __init__(self) -> None:
        super().__init__("The account is disabled. Ask an administrator.")


class KeyInvalid(Unauthenticated):
    """There is no such API key."""

    reason = "KEY_INVALID"

    def __init__(self) -> None:
        super().__init__("The API key is not valid. Was it copied whole?")


class KeyExpired(Unauthenticated):
    """The time of the key, or of this secret after a rotation, is over."""

    reason = "KEY_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The API key has expired. Rotate it or create another.")


class KeyRevoked(Unauthenticated):
    """The key was revoked."""

    reason = "KEY_REVOKED"

    def __init__(self) -> None:
        super().__init__("The API key was revoked. Create another.")


class KeyDisabled(Unauthenticated):
    """The key is switched off."""

    reason = "KEY_DISABLED"

    def __init__(self) -> None:
        super().__init__("The API key is disabled. Its owner can enable it again.")


class LoginFailed(Unauthenticated):
    """User name or password are wrong; which of them is not told."""

    reason = "LOGIN_FAILED"

    def __init__(self) -> None:
        super().__init__("User name or password are wrong.")


class RefreshTokenInvalid(Unauthenticated):
    """There is no such refresh token, or its session was ended."""

    reason = "REFRESH_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("The refresh token is not valid. Sign in again.")


class RefreshTokenExpired(Unauthenticated):
    """The refresh token is too old."""

    reason = "REFRESH_TOKEN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The refresh token has expired. Sign in again.")


class RefreshTokenReused(Unauthenticated):
    """The refresh token was used before; its session is ended."""

    reason = "REFRESH_TOKEN_REUSED"

    def __init__(self) -> None:
        super().__init__(
            "The refresh token was used before, so the session was ended. Sign in again."
        )


class Denied(OcrError):
    """The caller is known and may not do this. Base of the more precise reasons."""

    reason = "PERMISSION_DENIED"
    by_caller = True


class InsufficientScope(Denied):
    """The API key is not for this."""

    reason = "INSUFFICIENT_SCOPE"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The API key lacks the scope {scope!r}.", scope=scope)


class LooserThanKey(Denied):
    """A key would last longer, or be limited less, than the key that asks for it."""

    reason = "LOOSER_THAN_KEY"

    def __init__(self, field: str) -> None:
        super().__init__(
            f"The API key in use allows no more than it has itself in {field!r}. Sign in, or ask "
            "for less.",
            field=field,
        )


class SessionRequired(Denied):
    """Only a person who is signed in may do this."""

    reason = "SESSION_REQUIRED"

    def __init__(self) -> None:
        super().__init__("API keys may not do this. Sign in and use the access token.")


class RoleRequired(Denied):
    """Only a user of a higher role may do this."""

    reason = "ROLE_REQUIRED"

    def __init__(self, role: str) -> None:
        super().__init__(f"This needs the role {role!r}.", role=role)


class OwnerRequired(Denied):
    """Only owners of the organization may do this."""

    reason = "OWNER_REQUIRED"

    def __init__(self) -> None:
        super().__init__("Only owners of the organization may do this.")


class RegistrationClosed(Denied):
    """Accounts are made by administrators."""

    reason = "REGISTRATION_CLOSED"

    def __init__(self) -> None:
        super().__init__("Nobody can register here. Ask an administrator for an account.")


class InviteRequired(Denied):
    """Registration needs an invitation."""

    reason = "INVITE_REQUIRED"

    def __init__(self) -> None:
        super().__init__("Registration needs the code of an invitation.")


class InviteInvalid(Denied):
    """The invitation is unknown, used, too old, or for another address."""

    reason = "INVITE_INVALID"

    def __init__(self) -> None:
        super().__init__("The invitation is unknown, used, expired, or for another address.")


class NotFound(OcrError):
    """There is no such thing, or it belongs to somebody else. Base of the more precise reasons."""

    reason = "NOT_FOUND"


class UserNotFound(NotFound):
    """There is no such user."""

    reason = "USER_NOT_FOUND"

    def __init__(self, user_id: str) -> None:
        super().__init__("There is no such user.", user_id=user_id[:64])


class KeyNotFound(NotFound):
    """There is no such key, or it belongs to somebody else."""

    reason = "KEY_NOT_FOUND"

    def __init__(self, key_id: str) -> None:
        super().__init__("There is no such API key.", key_id=key_id[:64])


class InviteNotFound(NotFound):
    """There is no such invitation."""

    reason = "INVITE_NOT_FOUND"

    def __init__(self, invite_id: str) -> None:
        super().__init__("There is no such invitation.", invite_id=invite_id[:64])


class OrganizationNotFound(NotFound):
    """There is no such organization, or the caller does not belong to it."""

    reason = "ORGANIZATION_NOT_FOUND"

    def __init__(self, organization_id: str) -> None:
        super().__init__("There is no such organization.", organization_id=organization_id[:64])


class AlreadyExists(OcrError):
    """Something else has that name. Base of the more precise reasons."""

    reason = "ALREADY_EXISTS"


class UserNameTaken(AlreadyExists):
    """Another user has that name."""

    reason = "USER_NAME_TAKEN"

    def __init__(self) -> None:
        super().__init__("The user name is taken. Choose another.")


class EmailTaken(AlreadyExists):
    """Another user has that address."""

    reason = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("Another account has this e-mail address.")


class NotNow(OcrError):
    """Something must change before this can be done. Base of the more precise reasons."""

    reason = "FAILED_PRECONDITION"


class LastAdmin(NotNow):
    """Somebody must be able to administer."""

    reason = "LAST_ADMIN"

    def __init__(self) -> None:
        super().__init__("This is the last administrator. Make another one first.")


class LastOwner(NotNow):
    """An organization has an owner."""

    reason = "LAST_OWNER"

    def __init__(self) -> None:
        super().__init__("This is the last owner of the organization. Make another one first.")


class AlreadyInOrganization(NotNow):
    """A user belongs to one organization at most."""

    reason = "ALREADY_IN_ORGANIZATION"

    def __init__(self) -> None:
        super().__init__("The user belongs to an organization already and must leave it first.")


class KeyIsRevoked(NotNow):
    """A revoked key cannot be changed any more."""

    reason = "KEY_REVOKED"

    def __init__(self) -> None:
        super().__init__("The API key was revoked and cannot be changed. Create another.")


class MailNotConfigured(NotNow):
    """The server cannot send mail."""

    reason = "MAIL_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__("This server sends no mail; SMTP_URL is not set.")


class EmailMissing(NotNow):
    """The user has no address."""

    reason = "EMAIL_MISSING"

    def __init__(self) -> None:
        super().__init__("The account has no e-mail address. Set one first.")


class TooManyKeys(OcrError):
    """The user has as many live keys as allowed."""

    reason = "TOO_MANY_KEYS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A user has at most {limit} API keys. Revoke one first.", limit=limit)


class LoginThrottled(OcrError):
    """Too many failures; whether the password is right was not looked at."""

    reason = "LOGIN_THROTTLED"

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(
            f"Too many failed attempts. Try again in {retry_after_seconds:.0f} s.",
            retry_after_seconds=round(retry_after_seconds, 1),
        )
        self.retry_after_seconds = retry_after_seconds


class MailThrottled(OcrError):
    """Too many mails were asked for."""

    reason = "MAIL_THROTTLED"

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(
            f"Too many mails were asked for. Try again in {retry_after_seconds:.0f} s.",
            retry_after_seconds=round(retry_after_seconds, 1),
        )
        self.retry_after_seconds = retry_after_seconds


class MailTokenInvalid(OcrError):
    """The token of a mail is unknown, used, or too old."""

    reason = "MAIL_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("The token is unknown, used, or expired. Ask for another mail.")


class InvalidUserName(InvalidOption):
    """The user name has the wrong length or characters."""

    reason = "INVALID_USER_NAME"

    def __init__(self) -> None:
        super().__init__(
            "A user name has 3 to 64 letters (a to z), digits, `.`, `_` or `-`.", field="user_name"
        )


class InvalidEmail(InvalidOption):
    """The address is none."""

    reason = "INVALID_EMAIL"

    def __init__(self) -> None:
        super().__init__("That is no e-mail address.", field="email")


class PasswordTooShort(InvalidOption):
    """The password is too short."""

    reason = "PASSWORD_TOO_SHORT"

    def __init__(self, min_chars: int, field: str = "password") -> None:
        super().__init__(
            f"A password has at least {min_chars} characters.", field=field, min_chars=min_chars
        )


class PasswordTooLong(InvalidOption):
    """The password is too long."""

    reason = "PASSWORD_TOO_LONG"

    def __init__(self, max_chars: int, field: str = "password") -> None:
        super().__init__(
            f"A password has at most {max_chars} characters.", field=field, max_chars=max_chars
        )


class FieldNotUpdatable(InvalidOption):
    """The update mask names a field that cannot be changed here."""

    reason = "FIELD_NOT_UPDATABLE"

    def __init__(self, field: str) -> None:
        super().__init__(f"The field {field[:64]!r} cannot be changed here.", field=field[:64])


class InvalidField(InvalidOption):
    """A field has a value that can never be right."""

    reason = "INVALID_FIELD"
