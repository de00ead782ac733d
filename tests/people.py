"""People and their credentials, for tests that call a server with accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from ocr_grpc.server import Server
from ocr_grpc.v1 import access_pb2, key_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1.admin_service_pb2_grpc import AdminServiceStub
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceStub
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceStub
from ocr_grpc.v1.keys_service_pb2_grpc import KeysServiceStub
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from ocr_grpc.v1.organizations_service_pb2_grpc import OrganizationsServiceStub
from ocr_grpc.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.support import channel_to, running

ADMIN_NAME = "admin"
ADMIN_PASSWORD = "the admin's password"
PASSWORD = "correct horse battery"

Metadata = tuple[tuple[str, str], ...]


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


def api_key(secret: str) -> Metadata:
    return (("x-api-key", secret),)


@dataclass
class House:
    """Stubs for the services of a server with accounts, on one channel."""

    channel: grpc.aio.Channel
    server: Server | None = None

    def __post_init__(self) -> None:
        self.auth = AuthServiceStub(self.channel)
        self.keys = KeysServiceStub(self.channel)
        self.ocr = OcrServiceStub(self.channel)
        self.batches = BatchServiceStub(self.channel)
        self.usage = UsageServiceStub(self.channel)
        self.organizations = OrganizationsServiceStub(self.channel)
        self.admins = AdminServiceStub(self.channel)

    async def login(self, name: str, password: str = PASSWORD) -> auth_pb.LoginResponse:
        return await self.auth.Login(auth_pb.LoginRequest(user_name=name, password=password))

    async def admin(self) -> Metadata:
        return bearer((await self.login(ADMIN_NAME, ADMIN_PASSWORD)).access_token)

    async def register(self, name: str, **fields) -> tuple[str, Metadata]:
        """Make a user and sign in; return the id and the metadata for calls."""
        request = auth_pb.RegisterRequest(user_name=name, password=PASSWORD, **fields)
        user = (await self.auth.Register(request)).user
        return user.user_id, bearer((await self.login(name)).access_token)

    async def create_user(self, name: str, **fields) -> tuple[str, Metadata]:
        """Make a user as the administrator does, with limits for example."""
        request = admin_pb.CreateUserRequest(user={"user_name": name, **fields}, password=PASSWORD)
        user = (await self.admins.CreateUser(request, metadata=await self.admin())).user
        return user.user_id, bearer((await self.login(name)).access_token)

    async def key(
        self, owner: Metadata, *scopes: access_pb2.Scope, **fields
    ) -> tuple[str, Metadata]:
        """Make an API key; return its id and the metadata for calls."""
        key = key_pb2.ApiKey(scopes=scopes, **fields)
        made = await self.keys.CreateKey(keys_pb.CreateKeyRequest(key=key), metadata=owner)
        return made.key.key_id, api_key(made.secret)


@asynccontextmanager
async def house(data_dir: Path, **settings) -> AsyncIterator[House]:
    """Run a server with accounts."""
    values = {"auth_enabled": True, "bootstrap_pass": ADMIN_PASSWORD, "bcrypt_cost": 4}
    values |= {"login_attempts_per_minute": 10**6, "login_attempts_per_address": 10**6}
    values |= {"anonymous_calls_per_minute": 0}
    async with (
        running(data_dir, **values | settings) as server,
        channel_to(server) as channel,
    ):
        yield House(channel, server)
