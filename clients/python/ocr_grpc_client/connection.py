"""The connection of a client: its channel, its credentials, and the stubs of all services."""

import os
from types import TracebackType
from typing import Self

from .calls import GrpcCaller
from .channels import MAX_MESSAGE_BYTES, open_channel
from .credentials import Fixed, Session, Tokens
from .messages import (
    LoginRequest,
    LoginResponse,
    LogoutRequest,
    RefreshTokenRequest,
    RefreshTokenResponse,
    User,
)
from .resuming import RESUME_SECONDS
from .services import (
    AdminServiceStub,
    AuthServiceStub,
    BatchServiceStub,
    CompatibilityServiceStub,
    HealthStub,
    KeysServiceStub,
    OcrServiceStub,
    OrganizationsServiceStub,
    UsageServiceStub,
    WebhooksServiceStub,
)

NOBODY = Fixed()


class Connection:
    """A channel to a service, the stubs on it, and who is calling."""

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        api_key: str = "",
        tokens: Tokens | None = None,
        tls: bool = False,
        ca_file: str | os.PathLike[str] | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        resume_seconds: float = RESUME_SECONDS,
    ) -> None:
        """Prepare to connect; the first call does.

        Args:
            address: `host:port`.
            api_key: what to call with. Or `login` later, or neither.
            tokens: a session to go on with, from `tokens` of another client that is no longer used.
            tls: whether to connect by TLS; the server's certificate is checked against the system's
                authorities.
            ca_file: the authorities to check it against instead, in PEM. Turns TLS on.
            max_message_bytes: the largest message to take.
            resume_seconds: how long to try to go on with a stream after a broken connection,
                without any event.

        Raises:
            ValueError: both a key and tokens were given, the key cannot be one, or the address has
                no port.
        """
        if ":" not in address:
            raise ValueError(f"The address {address!r} has no port; it is host:port.")
        if api_key and tokens:
            raise ValueError("Give an API key or tokens, not both.")
        self._address, self._tls = address, tls or ca_file is not None
        self.resume_seconds = resume_seconds
        self.caller = caller = GrpcCaller(
            lambda: open_channel(address, self._tls, ca_file, max_message_bytes),
            self._session(tokens) if tokens else Fixed(api_key),
        )
        self.auth = AuthServiceStub(caller)
        self.keys = KeysServiceStub(caller)
        self.ocr = OcrServiceStub(caller)
        self.batches = BatchServiceStub(caller)
        self.usage = UsageServiceStub(caller)
        self.organizations = OrganizationsServiceStub(caller)
        self.webhooks = WebhooksServiceStub(caller)
        self.admin = AdminServiceStub(caller)
        self.compatibility = CompatibilityServiceStub(caller)
        self.health = HealthStub(caller)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address!r}, tls={self._tls})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. The session goes on.

        Calls that are under way end with a `RuntimeError`.
        """
        await self._forget_session()
        await self.caller.close()

    async def login(self, user_name: str, password: str, *, timeout: float | None = None) -> User:
        """Sign in; calls from now on are this user's. The session renews itself.

        Raises:
            OcrError: `LOGIN_FAILED`, `USER_DISABLED`, or `LOGIN_THROTTLED` with a retry delay.
        """
        request = LoginRequest(user_name=user_name, password=password)
        path = "/ocr_grpc.v1.AuthService/Login"
        answer = await self.caller.unary_unary(
            path, request, LoginResponse, timeout, credentials=NOBODY
        )
        await self._forget_session()
        self.caller.credentials = self._session(_tokens(answer))
        return answer.user or User()

    async def logout(self, *, everywhere: bool = False, timeout: float | None = None) -> None:
        """End this session, or all sessions of the user. Calls from now on are nobody's."""
        await self.auth.logout(LogoutRequest(everywhere=everywhere), timeout=timeout)
        await self._forget_session()
        self.caller.credentials = NOBODY

    @property
    def tokens(self) -> Tokens | None:
        """The newest tokens of the session, to go on with elsewhere. None without a session."""
        credentials = self.caller.credentials
        return credentials.tokens if isinstance(credentials, Session) else None

    def _session(self, tokens: Tokens) -> Session:
        return Session(tokens, self._refresh)

    async def _refresh(self, refresh_token: str) -> Tokens:
        path = "/ocr_grpc.v1.AuthService/RefreshToken"
        request = RefreshTokenRequest(refresh_token=refresh_token)
        return _tokens(
            await self.caller.unary_unary(path, request, RefreshTokenResponse, credentials=NOBODY)
        )

    async def _forget_session(self) -> None:
        if isinstance(self.caller.credentials, Session):
            await self.caller.credentials.close()


def _tokens(answer: LoginResponse | RefreshTokenResponse) -> Tokens:
    return Tokens(answer.access_token, answer.refresh_token, answer.expires_in)
