"""Processes on one database find out at once whether they share a secret and a place."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import delete

from ocr_grpc.store.batches import InstallationRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.errors import BlobsUnavailable
from ocr_grpc.store.sealing import Seal
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.installation import check_blobs, check_secret


class Down(Blobs):
    """A store that does not answer."""

    async def marker(self) -> str:
        raise BlobsUnavailable


@pytest.fixture
async def stack():
    async with AsyncExitStack() as opened:
        yield opened


async def test_another_secret_is_told(database):
    for _ in range(2):
        await check_secret(database, Seal(b"one"))
    if database.is_sqlite:  # the one process there is cannot be the wrong one
        await check_secret(database, Seal(b"two"))
        return
    with pytest.raises(CannotServe, match=r"^SECRET_KEY "):
        await check_secret(database, Seal(b"two"))


async def test_processes_that_start_together_agree_on_one_place(database, stack, tmp_path):
    here = [Blobs("", tmp_path) for _ in range(5)]
    await asyncio.gather(*(check_blobs(database, blobs, stack) for blobs in here))
    await check_blobs(database, here[0], stack)
    with pytest.raises(CannotServe, match=r"^BLOB_URL: file://.*/other "):
        await check_blobs(database, Blobs(f"file://{tmp_path}/other", tmp_path), stack)


async def test_of_two_places_at_the_first_start_one_is_refused(database, stack, tmp_path):
    places = [Blobs(f"file://{tmp_path}/{name}", tmp_path) for name in ("one", "two")]
    checks = (check_blobs(database, blobs, stack) for blobs in places)
    found = await asyncio.gather(*checks, return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["CannotServe", "NoneType"]


async def test_a_place_that_was_emptied_is_told_until_that_is_said_to_be_right(
    database, stack, tmp_path
):
    blobs = Blobs("", tmp_path)
    await check_blobs(database, blobs, stack)
    (tmp_path / "blobs" / "ocr-grpc").unlink()
    with pytest.raises(CannotServe, match="delete the row 'blobs'"):
        await check_blobs(database, blobs, stack)
    async with database.write() as session:
        await session.execute(delete(InstallationRow).where(InstallationRow.key == "blobs"))
    await check_blobs(database, blobs, stack)


async def test_a_store_that_is_down_keeps_nobody_from_starting(database, stack, tmp_path):
    await check_blobs(database, Down("", tmp_path), stack)
    await check_blobs(database, Blobs("", tmp_path), stack)  # nothing was noted meanwhile
