"""A connection to a server, for commands about accounts: with the credential at hand."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

import grpc

from ocr_grpc.commands import calls
from ocr_grpc.commands.addresses import find_server
from ocr_grpc.commands.calls import Request, Response
from ocr_grpc.commands.channels import open_channel
from ocr_grpc.commands.credentials import Credential, credentials_for
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.tables import note
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import user_pb2
from ocr_grpc.v1.admin_service_pb2_grpc import AdminServiceStub
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceStub
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceStub
from ocr_grpc.v1.keys_service_pb2_grpc import KeysServiceStub
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from ocr_grpc.v1.usage_service_pb2_grpc import UsageServiceStub

PAGE_SIZE = 500

ID_LIKE = re.compile(r"[0-9a-f]{24}")

ListResponse = TypeVar("ListResponse", bound="Any")


class Connection:
    """A server, and who one is to it. Blocks; close the channel at the end."""

    def __init__(self, channel: grpc.Channel, credential: Credential | None) -> None:
        self._channel = channel
        self.credential = credential

    @cached_property
    def auth(self) -> AuthServiceStub:
        """The service for one's own account."""
        return AuthServiceStub(self._channel)

    @cached_property
    def keys(self) -> KeysServiceStub:
        """The service for one's own keys."""
        return KeysServiceStub(self._channel)

    @cached_property
    def usage(self) -> UsageServiceStub:
        """The service for one's own usage."""
        return UsageServiceStub(self._channel)

    @cached_property
    def ocr(self) -> OcrServiceStub:
        """The service that reads documents."""
        return OcrServiceStub(self._channel)

    @cached_property
    def batches(self) -> BatchServiceStub:
        """The service that reads documents in the background."""
        return BatchServiceStub(self._channel)

    @cached_property
    def admin(self) -> AdminServiceStub:
        """The service for administrators."""
        return AdminServiceStub(self._channel)

    def ask(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        seconds: float = calls.CALL_SECONDS,
    ) -> Response:
        """Return what a method answers within so many seconds.

        Raises:
            CommandFailed: it answered with an error, or not in time.
        """
        metadata = self.credential.metadata if self.credential else ()
        return calls.ask(method, request, metadata, seconds)

    def list(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Any, ListResponse]",
        request: Any,
        field: str,
        limit: int,
    ) -> ListResponse:
        """Return one response with the pages of a list joined, up to `limit` entries.

        Args:
            method: one that lists.
            request: what to list; its page is set here.
            field: the field of the response that has the entries.
            limit: 1 or more.

        Raises:
            CommandFailed: as `ask` does.
        """
        whole: Any = None
        while True:
            have = len(getattr(whole, field)) if whole else 0
            request.page_size = min(PAGE_SIZE, limit - have)
            response: Any = self.ask(method, request)
            if whole is None:
                whole = response
            else:
                getattr(whole, field).extend(getattr(response, field))
                whole.next_page_token = response.next_page_token
            request.page_token = response.next_page_token
            if not request.page_token or len(getattr(whole, field)) >= limit:
                return whole

    def find_user(self, name_or_id: str) -> user_pb2.User:
        """Return the user of a name, in any case, or of an id.

        Raises:
            CommandFailed: there is no such user, or the caller may not look.
        """
        # What looks like an id is one: somebody might have taken another user's id for a name.
        by_id_first = bool(ID_LIKE.fullmatch(name_or_id))
        lookups = (self._user_named, self._user_of_id)
        for look_up in reversed(lookups) if by_id_first else lookups:
            if user := look_up(name_or_id):
                return user
        raise CommandFailed(f"There is no user {name_or_id!r}.", "USER_NOT_FOUND")

    def _user_of_id(self, user_id: str) -> user_pb2.User | None:
        try:
            return self.ask(self.admin.GetUser, admin_pb.GetUserRequest(user_id=user_id)).user
        except CommandFailed as failure:
            if failure.reason != "USER_NOT_FOUND":
                raise
            return None

    def _user_named(self, name: str) -> user_pb2.User | None:
        request = admin_pb.ListUsersRequest(query=name, page_size=PAGE_SIZE)
        while True:
            answer = self.ask(self.admin.ListUsers, request)
            for user in answer.users:
                if user.user_name.lower() == name.lower():
                    return user
            request.page_token = answer.next_page_token
            if not request.page_token:
                return None


@contextmanager
def connected(address: str, *, login_only: bool = False) -> Generator[Connection, None, None]:
    """Yield a connection to a server.

    Args:
        address: of the server; empty for this machine's own.
        login_only: use the kept login and no API key, for what only people may do.

    Raises:
        CommandFailed: a credential is there and no good, or `login_only` and there is none.
    """
    server = find_server(address)
    credentials = credentials_for(server)
    credential = credentials.login() if login_only else credentials.find()
    if login_only and credential is None:
        raise CommandFailed(f"Not logged in to {server.name}. Run `ocr-grpc login`.")
    with open_channel(server) as channel:
        yield Connection(channel, credential)


def note_if_cut(response: Any) -> None:
    """Say so on stderr if a list has more than was asked for."""
    if response.next_page_token:
        note("There is more: a higher --limit shows it.")
