"""What tests share. Those that need a service are skipped where there is none."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from ocr_grpc_client import OcrClient
from ocr_grpc_client.messages import (
    ApiKey,
    CreateKeyRequest,
    ListUsageRequest,
    RegisterRequest,
    Scope,
    UsageFilter,
    UsageRecord,
    User,
)
from ocr_grpc_client.policy import RetryPolicy

T = TypeVar("T")

PASSWORD = "correct horse battery"

DOORS = ("OCR_GRPC", "OCR_ENVOY")


def setting(name: str) -> str:
    """Return what `tests.clients.stage` put into the environment."""
    if name not in os.environ:
        pytest.skip("There is no service to call; `make test` runs one.")
    return os.environ[name]


def sample(name: str) -> Path:
    return Path(setting("OCR_SAMPLES"), name)


def expected_pages() -> list[str]:
    """Return the texts of the pages of scan.pdf."""
    return ["\n".join(lines) for lines in json.loads(sample("expected.json").read_text())]


def new_name() -> str:
    return f"user-{secrets.token_hex(8)}"


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """Look again and again until there is something, for half a minute; return it."""
    async with asyncio.timeout(30):
        while not (found := await look()):  # noqa: ASYNC110 - the service has no news of it
            await asyncio.sleep(0.05)
    return found


async def records_of(client: OcrClient, method: str, count: int = 1) -> list[UsageRecord]:
    """Wait until the ledger has the end of so many calls of a method by this caller."""
    request = ListUsageRequest(filter=UsageFilter(method=method))

    async def look() -> list[UsageRecord]:
        records = (await client.usage.list_usage(request)).records
        ended = [record for record in records if record.status != "OPEN"]
        return ended if len(ended) >= count else []

    return await until(look)


@pytest.fixture
def hastily(monkeypatch) -> None:
    """Have clients wait next to nothing where the policy says how long."""
    delays = RetryPolicy.delays
    monkeypatch.setattr(
        RetryPolicy, "delays", lambda policy: (each / 100 for each in delays(policy))
    )


@pytest.fixture(params=DOORS)
def door(request) -> str:
    """An address of the service: its own port, then its Envoy's."""
    return setting(request.param)


@dataclass
class Person:
    """Somebody with an account, signed in."""

    client: OcrClient
    name: str
    user: User

    async def key(self, *scopes: Scope) -> str:
        """Return the secret of a new API key."""
        key = ApiKey(scopes=list(scopes) or [Scope.OCR])
        return (await self.client.keys.create_key(CreateKeyRequest(key=key))).secret


async def join(client: OcrClient, **fields: str) -> Person:
    """Register somebody and sign in."""
    name = new_name()
    await client.auth.register(RegisterRequest(user_name=name, password=PASSWORD, **fields))
    return Person(client, name, await client.login(name, PASSWORD))


@pytest.fixture
async def person(door: str) -> AsyncIterator[Person]:
    """Somebody at each of the doors."""
    async with OcrClient(door) as client:
        yield await join(client)


@pytest.fixture
async def ann() -> AsyncIterator[Person]:
    async with OcrClient(setting("OCR_GRPC")) as client:
        yield await join(client)


@pytest.fixture
async def bob() -> AsyncIterator[Person]:
    async with OcrClient(setting("OCR_GRPC")) as client:
        yield await join(client)


@pytest.fixture
async def admin() -> AsyncIterator[OcrClient]:
    async with OcrClient(setting("OCR_GRPC")) as client:
        await client.login(setting("OCR_ADMIN_NAME"), setting("OCR_ADMIN_PASSWORD"))
        yield client
