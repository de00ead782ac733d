"""Accounts on both databases."""

from collections.abc import AsyncIterator

import pytest

from tests.accounts.support import Accounts, accounts_on


@pytest.fixture
async def accounts(database) -> AsyncIterator[Accounts]:
    async with accounts_on(database) as made:
        yield made
