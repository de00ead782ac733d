"""Callers, reservations, and a look into the tables through another connection."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy import select

from ocr_grpc.accounts.principal import KeyInUse, Limits, OwnLimits, Principal, QuotaShare, Role
from ocr_grpc.metering.entries import PageUsage, Reservation
from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import QuotaRow, UsageRow

PAGE = PageUsage(1, 2, 3, 4, 5)


def caller(
    user_id="ada", pages=0, organization_id=None, key=None, organization_role=None, **limits
):
    """A principal; `key` are the limits of the API key in use."""
    return Principal(
        user_id=user_id,
        user_name=user_id,
        role=Role.USER,
        limits=Limits(pages_per_month=pages, **limits),
        quota=QuotaShare(organization_id or user_id, pages, shared=bool(organization_id)),
        organization_id=organization_id,
        organization_role=organization_role,
        key=KeyInUse(f"key of {user_id}", frozenset(), OwnLimits(**key)) if key else None,
    )


def asking(principal, count, **fields):
    return Reservation(
        principal, (range(1, count + 1),), method="OcrService/Extract", kind="pdf", **fields
    )


@asynccontextmanager
async def ledger_on(backend, server_id="server", **options):
    database = Database(backend.database_url)
    ledger = Ledger(database, server_id, **options)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()
        await database.close()


async def usage_row(database, usage_id):
    async with database.read() as session:
        return await session.get(UsageRow, usage_id)


async def usage_rows(database):
    async with database.read() as session:
        return list((await session.scalars(select(UsageRow))).all())


async def quota_of(database, owner_id):
    """Pages used and reserved, summed over the months."""
    async with database.read() as session:
        statement = select(QuotaRow).where(QuotaRow.owner_id == owner_id)
        rows = (await session.scalars(statement)).all()
    return sum(row.used_pages for row in rows), sum(row.reserved_pages for row in rows)


async def until(condition, seconds=30):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for says nothing by itself
            await asyncio.sleep(0.02)
