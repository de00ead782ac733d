"""The request ids that a transaction touches: what they stand for, and which pages they paid."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.metering.entries import Reservation
from ocr_grpc.store.metering import RequestIdRow, RequestPageRow
from ocr_grpc.store.new_rows import insert_absent, insert_new

Request: TypeAlias = tuple[str, str]
"""Whose request id, and which."""

Page: TypeAlias = tuple[str, str, int]


class RequestBook:
    """Request ids and their pages, in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._fingerprints: dict[Request, bytes] = {}
        self._paid: dict[Request, set[int]] = defaultdict(set)

    async def note(self, reservations: Iterable[Reservation], now: datetime) -> None:
        """Note what request ids stand for, unless that is known.

        Also for extractions that are open already: theirs may have been forgotten after a day.
        """
        rows = {
            each.request: {
                "user_id": each.request[0],
                "request_id": each.request[1],
                "fingerprint": each.fingerprint,
                "create_time": now,
            }
            for each in reservations
            if each.request
        }
        await insert_absent(self._session, RequestIdRow, [rows[key] for key in sorted(rows)])

    async def read(self, requests: Iterable[Request]) -> None:
        """Read what request ids stand for and which pages they paid."""
        keys = sorted(set(requests))
        if not keys:
            return
        ids = select(RequestIdRow.user_id, RequestIdRow.request_id, RequestIdRow.fingerprint)
        known = ids.where(tuple_(RequestIdRow.user_id, RequestIdRow.request_id).in_(keys))
        for user_id, request_id, fingerprint in await self._session.execute(known):
            self._fingerprints[user_id, request_id] = fingerprint
        pages = select(
            RequestPageRow.user_id, RequestPageRow.request_id, RequestPageRow.page_number
        )
        paid = pages.where(tuple_(RequestPageRow.user_id, RequestPageRow.request_id).in_(keys))
        for user_id, request_id, number in await self._session.execute(paid):
            self._paid[user_id, request_id].add(number)

    def is_other(self, reservation: Reservation) -> bool:
        """Return whether its request id stands for something else."""
        request = reservation.request
        return request is not None and self._fingerprints.get(request) != reservation.fingerprint

    def unpaid_pages(self, reservation: Reservation) -> int:
        """Return how many of the pages asked for are not paid yet."""
        paid = self._paid[reservation.request] if reservation.request else set[int]()
        return reservation.page_count - sum(
            any(number in part for part in reservation.pages) for number in paid
        )

    async def pay(self, pages: Iterable[Page]) -> set[Page]:
        """Mark pages as paid and return those that were not."""
        rows = [
            {"user_id": user_id, "request_id": request_id, "page_number": number}
            for user_id, request_id, number in sorted(set(pages))
        ]
        new = await insert_new(self._session, RequestPageRow, rows)
        return {(user_id, request_id, number) for user_id, request_id, number in new}
