"""Finds out at the start whether a process fits to the others on its database.

One with another place for documents, or another secret, would take chunks and fail at all of them.
So the database holds an id that the place for documents has as well, and something sealed.
"""

import asyncio
from contextlib import AsyncExitStack, suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.base import new_id
from ocr_grpc.store.batches import InstallationRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobsUnavailable, DatabaseUnavailable, SealBroken
from ocr_grpc.store.new_rows import insert_new
from ocr_grpc.store.sealing import Seal
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.until_stopped import cancelled

log = structlog.get_logger()

BLOBS, SECRET = "blobs", "secret"
"""Rows of the table `installation`."""

SAID = "Documents of ocr-grpc lie here: "
CANARY = b"opened"
START_SECONDS = 20.0
"""A store that takes longer does not answer."""

AGAIN_SECONDS = 30.0


async def check_secret(database: Database, seal: Seal) -> None:
    """Compare the secret with that of the process that was here first.

    Raises:
        CannotServe: it is another one.
    """
    async with database.write() as session:
        sealed = await _row(session, SECRET, seal.seal(CANARY).decode())
    try:
        seal.open(sealed.encode())
    except SealBroken:
        if database.is_sqlite:
            # There is no other process that could be right: what was sealed is lost either way.
            log.warning("secret_changed", lost="options, URLs and webhooks that were sealed")
            await _replace(database, SECRET, seal.seal(CANARY).decode())
            return
        raise CannotServe(
            "SECRET_KEY is not the one with which this database was begun (without SECRET_KEY it "
            "is in DATA_DIR): options, URLs and webhooks in it cannot be read. If it was changed "
            f"on purpose, delete the row {SECRET!r} of the table installation."
        ) from None


async def check_blobs(database: Database, blobs: Blobs, stack: AsyncExitStack) -> None:
    """Compare the place for documents with that of the others; a store that is down is no matter.

    Raises:
        CannotServe: it is another place, or none.
    """
    try:
        async with asyncio.timeout(START_SECONDS):
            await _check_blobs(database, blobs)
    except (BlobsUnavailable, TimeoutError):
        # Calls that need no store are answered meanwhile.
        log.warning("blobs_not_checked", place=blobs.name)
        checking = asyncio.create_task(_check_until_answered(database, blobs))
        stack.push_async_callback(cancelled, checking)


async def _check_blobs(database: Database, blobs: Blobs) -> None:
    """Compare, and have the first process make both what is compared."""
    try:
        marker = await blobs.marker()
        found = marker or f"{SAID}{new_id()}\n"
        async with database.write() as session:
            # Others wait here for the first one: a row is only there when the marker is.
            if await insert_new(session, InstallationRow, [{"key": BLOBS, "value": found}]):
                await blobs.mark(found)
                return
            kept = await _row(session, BLOBS, found)
        if not marker:
            marker = await blobs.marker()  # it may have been made meanwhile
        if marker != kept:
            raise CannotServe(
                f"BLOB_URL: {blobs.name} is not where the documents of this database are. All "
                "servers and workers need one place; a folder has to be a shared one. If it was "
                f"changed or emptied on purpose, delete the row {BLOBS!r} of the table "
                "installation."
            )
        await blobs.mark(kept)
    except ValueError as error:
        raise CannotServe(str(error)) from None


async def _check_until_answered(database: Database, blobs: Blobs) -> None:
    while True:
        await asyncio.sleep(AGAIN_SECONDS)
        with suppress(BlobsUnavailable, DatabaseUnavailable):
            try:
                await _check_blobs(database, blobs)
            except CannotServe as error:
                log.error("blobs_are_wrong", error=str(error))
            return


async def _row(session: AsyncSession, key: str, value: str) -> str:
    """Return what is kept under a key, after keeping a value if there is none."""
    await insert_new(session, InstallationRow, [{"key": key, "value": value}])
    return (await session.get_one(InstallationRow, key)).value


async def _replace(database: Database, key: str, value: str) -> None:
    async with database.write() as session:
        (await session.get_one(InstallationRow, key)).value = value
