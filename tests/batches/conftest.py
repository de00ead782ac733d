"""What tests of batches share."""

import pytest

from tests.batches.office import Office


@pytest.fixture
async def office(database, tmp_path):
    made = Office(database, tmp_path)
    await made.start()
    yield made
    await made.close()
