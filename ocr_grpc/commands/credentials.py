"""Which credential a command uses: a key of the environment, a login, or the machine's own key."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from ocr_grpc.commands.addresses import ServerAddress, is_loopback
from ocr_grpc.commands.calls import Metadata, ask
from ocr_grpc.commands.channels import open_channel
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.sessions import Session, SessionFile
from ocr_grpc.v1 import auth_service_pb2 as pb
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceStub

KEY_VARIABLE = "OCR_API_KEY"

EARLY_SECONDS = 30.0
"""How long before it expires a token is refreshed: a call should not start with a dying one."""

LOCAL_KEY_BYTES = 4096

REFUSED = ("REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_REUSED")
REFUSED_USER = ("USER_DISABLED", "UNAUTHENTICATED", "SESSION_REVOKED")


@dataclass(frozen=True)
class Credential:
    """What a call presents, and where it came from, for people."""

    metadata: Metadata = field(repr=False)
    source: str


class Credentials:
    """The credentials at hand for one server."""

    def __init__(
        self, server: ServerAddress, environ: Mapping[str, str], sessions: SessionFile
    ) -> None:
        self._server = server
        self._environ = environ
        self._sessions = sessions
        self._warned = False

    def find(self) -> Credential | None:
        """Return the credential for the next call, None if there is none. May call the server.

        Raises:
            CommandFailed: a credential is there and no good.
        """
        return self._key_of_environment() or self.login() or self._key_of_machine()

    def login(self) -> Credential | None:
        """Return the credential of the kept login, refreshed if need be. May call the server.

        Raises:
            CommandFailed: the session is over, or the server does not answer.
        """
        session = self._sessions.get(self._server.name)
        if session is None:
            return None
        self.warn_of_plaintext()
        if _is_due(session):
            session = self._refreshed()
        metadata = (("authorization", f"Bearer {session.access_token}"),)
        return Credential(metadata, f"login as {session.user_name}")

    def logged_in(self) -> bool:
        """Return whether a login is kept, good or not."""
        return self._sessions.get(self._server.name) is not None

    def environment_wins(self) -> bool:
        """Return whether a key in the environment goes before a login."""
        return bool(self._environ.get(KEY_VARIABLE, "").strip())

    def keep(self, tokens: pb.LoginResponse) -> None:
        """Keep what a login gave."""
        session = _session(tokens, tokens.user.user_name)
        with self._sessions.locked():
            self._sessions.put(self._server.name, session)

    def forget(self) -> None:
        """Forget the kept login."""
        with self._sessions.locked():
            self._sessions.put(self._server.name, None)

    def warn_of_plaintext(self) -> None:
        """Say once, on stderr, that what is about to be sent can be read on the way, if so."""
        if self._warned or self._server.tls or is_loopback(self._server.target):
            return
        self._warned = True
        typer.echo(
            f"ocr-grpc: warning: credentials go to {self._server.target} unencrypted; "
            "whoever is on the way can read them. An address like https://host:port means TLS.",
            err=True,
        )

    def _refreshed(self) -> Session:
        # Two commands at once must not both spend the token: that would end the session.
        with self._sessions.locked():
            session = self._sessions.get(self._server.name)
            if session is None:
                raise CommandFailed("The login was ended meanwhile. Run `ocr-grpc login`.")
            if not _is_due(session):
                return session
            try:
                with open_channel(self._server) as channel:
                    request = pb.RefreshTokenRequest(refresh_token=session.refresh_token)
                    answer = ask(AuthServiceStub(channel).RefreshToken, request)
            except CommandFailed as failure:
                if failure.reason not in (*REFUSED, *REFUSED_USER):
                    raise
                self._sessions.put(self._server.name, None)
                raise CommandFailed(
                    "The login is over. Run `ocr-grpc login`.", failure.reason
                ) from None
            session = _session(answer, session.user_name)
            self._sessions.put(self._server.name, session)
            return session

    def _key_of_environment(self) -> Credential | None:
        key = self._environ.get(KEY_VARIABLE, "").strip()
        return self._key(key, KEY_VARIABLE) if key else None

    def _key_of_machine(self) -> Credential | None:
        path = self._server.local_key
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                key = file.read(LOCAL_KEY_BYTES).decode(errors="replace").strip()
        except OSError:  # not made yet, or another user's
            return None
        return self._key(key, str(path)) if key else None

    def _key(self, key: str, source: str) -> Credential:
        # gRPC would refuse such metadata too, with the value in its error.
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise CommandFailed(f"{source} holds characters that no API key has.")
        self.warn_of_plaintext()
        return Credential((("x-api-key", key),), f"API key of {source}")


def credentials_for(server: ServerAddress) -> Credentials:
    """Return the credentials that this process's environment and user have for a server."""
    return Credentials(server, os.environ, SessionFile(_config_folder(os.environ)))


def _is_due(session: Session) -> bool:
    return session.expire_time - time.time() < EARLY_SECONDS


def _session(tokens: pb.LoginResponse | pb.RefreshTokenResponse, user_name: str) -> Session:
    expire_time = time.time() + tokens.expires_in
    return Session(tokens.access_token, tokens.refresh_token, expire_time, user_name)


def _config_folder(environ: Mapping[str, str]) -> Path | None:
    given = Path(environ.get("XDG_CONFIG_HOME", ""))
    if given.is_absolute():  # the XDG specification: others are to be ignored
        return given / "ocr-grpc"
    try:
        return Path.home() / ".config" / "ocr-grpc"
    except RuntimeError:
        return None
