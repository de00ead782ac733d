"""The servicer of AuthService: parse, call, map."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ocr_grpc.accounts.login import Login
from ocr_grpc.accounts.mail_tokens import MailTokens
from ocr_grpc.accounts.registration import Registration
from ocr_grpc.accounts.sessions import Sessions, TokenPair
from ocr_grpc.accounts.users import Users
from ocr_grpc.rpc.accounts_mapping import changes_of, user_to_proto
from ocr_grpc.rpc.caller import current_actor, current_principal
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.token_form import PasswordGrant, parse_token_form
from ocr_grpc.v1 import auth_service_pb2 as pb
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceServicer

TOKEN_TYPE = "bearer"  # noqa: S105 - the kind of token, by RFC 6749
UPDATABLE = frozenset({"display_name", "email"})

Response = TypeVar("Response", pb.LoginResponse, pb.IssueTokenResponse, pb.RefreshTokenResponse)


@dataclass(frozen=True, slots=True)
class AuthAreas:
    """What AuthService is made of."""

    login: Login
    sessions: Sessions
    mail_tokens: MailTokens
    users: Users
    registration: Registration
    password_min_chars: int


class AuthServicerImpl(AuthServiceServicer):
    """Answers AuthService."""

    def __init__(self, areas: AuthAreas) -> None:
        self._areas = areas

    async def Register(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterRequest, context: Context
    ) -> pb.RegisterResponse:
        """Make an account."""
        user = await self._areas.registration.register(
            request.user_name,
            request.email,
            request.password,
            request.display_name,
            request.invite_code,
            current_actor(),
        )
        return pb.RegisterResponse(user=user_to_proto(user))

    async def Login(  # noqa: N802 - the name in the proto
        self, request: pb.LoginRequest, context: Context
    ) -> pb.LoginResponse:
        """Sign in."""
        signed_in = await self._areas.login.login(
            request.user_name, request.password, current_actor()
        )
        response = _with_tokens(pb.LoginResponse, signed_in.tokens)
        user = await self._areas.users.get(signed_in.user_id)
        response.user.CopyFrom(user_to_proto(user))
        return response

    async def IssueToken(  # noqa: N802 - the name in the proto
        self, request: pb.IssueTokenRequest, context: Context
    ) -> pb.IssueTokenResponse:
        """Sign in, or get the next tokens, by a form."""
        grant = parse_token_form(request.content.content_type, request.content.data)
        if isinstance(grant, PasswordGrant):
            signed_in = await self._areas.login.login(
                grant.user_name, grant.password, current_actor()
            )
            return _with_tokens(pb.IssueTokenResponse, signed_in.tokens)
        tokens = await self._areas.sessions.refresh(grant.refresh_token, current_actor())
        return _with_tokens(pb.IssueTokenResponse, tokens)

    async def RefreshToken(  # noqa: N802 - the name in the proto
        self, request: pb.RefreshTokenRequest, context: Context
    ) -> pb.RefreshTokenResponse:
        """Return the next tokens."""
        tokens = await self._areas.sessions.refresh(request.refresh_token, current_actor())
        return _with_tokens(pb.RefreshTokenResponse, tokens)

    async def Logout(  # noqa: N802 - the name in the proto
        self, request: pb.LogoutRequest, context: Context
    ) -> pb.LogoutResponse:
        """End this session or all of them."""
        await self._areas.sessions.revoke(current_principal(), request.everywhere, current_actor())
        return pb.LogoutResponse()

    async def GetMe(  # noqa: N802 - the name in the proto
        self, request: pb.GetMeRequest, context: Context
    ) -> pb.GetMeResponse:
        """Return the caller."""
        user = await self._areas.users.get(current_principal().user_id)
        return pb.GetMeResponse(user=user_to_proto(user))

    async def UpdateMe(  # noqa: N802 - the name in the proto
        self, request: pb.UpdateMeRequest, context: Context
    ) -> pb.UpdateMeResponse:
        """Change the caller."""
        changes = changes_of(request.user, request.update_mask, UPDATABLE)
        user = await self._areas.users.update_me(current_principal(), changes, current_actor())
        return pb.UpdateMeResponse(user=user_to_proto(user))

    async def ChangePassword(  # noqa: N802 - the name in the proto
        self, request: pb.ChangePasswordRequest, context: Context
    ) -> pb.ChangePasswordResponse:
        """Set a new password with the old one."""
        await self._areas.login.change_password(
            current_principal(),
            request.old_password,
            request.new_password,
            self._areas.password_min_chars,
            current_actor(),
        )
        return pb.ChangePasswordResponse()

    async def RequestEmailVerification(  # noqa: N802 - the name in the proto
        self, request: pb.RequestEmailVerificationRequest, context: Context
    ) -> pb.RequestEmailVerificationResponse:
        """Send a mail that confirms the caller's address."""
        await self._areas.mail_tokens.request_verification(current_principal(), current_actor())
        return pb.RequestEmailVerificationResponse()

    async def VerifyEmail(  # noqa: N802 - the name in the proto
        self, request: pb.VerifyEmailRequest, context: Context
    ) -> pb.VerifyEmailResponse:
        """Confirm an address."""
        await self._areas.mail_tokens.verify_email(request.token, current_actor())
        return pb.VerifyEmailResponse()

    async def RequestPasswordReset(  # noqa: N802 - the name in the proto
        self, request: pb.RequestPasswordResetRequest, context: Context
    ) -> pb.RequestPasswordResetResponse:
        """Send a mail for a new password."""
        await self._areas.mail_tokens.request_password_reset(request.email, current_actor())
        return pb.RequestPasswordResetResponse()

    async def ResetPassword(  # noqa: N802 - the name in the proto
        self, request: pb.ResetPasswordRequest, context: Context
    ) -> pb.ResetPasswordResponse:
        """Set a new password with the token of a mail."""
        await self._areas.mail_tokens.reset_password(
            request.token,
            request.new_password,
            self._areas.password_min_chars,
            current_actor(),
        )
        return pb.ResetPasswordResponse()


def _with_tokens(kind: Callable[..., Response], tokens: TokenPair) -> Response:
    return kind(
        access_token=tokens.access_token,
        token_type=TOKEN_TYPE,
        expires_in=tokens.expires_in,
        refresh_token=tokens.refresh_token,
    )
