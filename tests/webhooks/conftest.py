"""Webhooks on both databases, and an address that is told things."""

from collections.abc import AsyncIterator

import pytest

from ocr_grpc.store.database import Database
from tests.webhooks.receiver import Receiver, receiving
from tests.webhooks.support import House


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
def house(database) -> House:
    """On each of the two databases in turn."""
    return House(database)


@pytest.fixture
async def small_house(embedded) -> AsyncIterator[House]:
    """On SQLite alone, for what is the same on both."""
    database = Database(embedded.database_url)
    yield House(database)
    await database.close()
