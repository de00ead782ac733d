"""A database where a test wants only one of the two backends."""

import pytest

from ocr_grpc.store.database import Database


@pytest.fixture
async def database_of():
    opened = []

    def open_database(backend):
        opened.append(Database(backend.database_url))
        return opened[-1]

    yield open_database
    for each in opened:
        await each.close()
