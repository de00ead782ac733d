"""Users, their webhooks, and senders whose time tests decide about."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.principal import Actor
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.store.accounts import AuditRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.sealing import Seal
from ocr_grpc.store.webhooks import DeliveryRow, WebhookRow
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.webhooks.deliveries import Deliveries, Delivery
from ocr_grpc.webhooks.outbox import Notice, announce
from ocr_grpc.webhooks.posting import Poster
from ocr_grpc.webhooks.sender import Sender
from ocr_grpc.webhooks.webhook_rows import NewWebhook, Webhook
from ocr_grpc.webhooks.webhooks import Webhooks

ACTOR = Actor(address="10.0.0.7", call_id="call-1")
SEAL = Seal(b"k" * 32)
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def poster(hosts: str = "*:*", private: bool = True, **options) -> Poster:
    patient = {"timeout_seconds": 60.0} | options
    return Poster(AllowedHosts.parse(hosts), private, tls=NO_AUTHORITIES, **patient)


class Clock:
    """The time of senders: it stands still but for what a test adds."""

    def __init__(self) -> None:
        self._begin = utc_now()
        self.ahead = timedelta()

    async def __call__(self, _: AsyncSession | None = None) -> datetime:
        return self._begin + self.ahead


class House:
    """Everything about webhooks on one database."""

    def __init__(self, database: Database, sending: Poster | None = None) -> None:
        self.database = database
        self.poster = sending or poster()
        self.clock, self.metrics = Clock(), Metrics()
        self.webhooks = Webhooks(database, SEAL, self.poster)
        self.deliveries = Deliveries(database)

    async def user(self, name: str = "ada") -> str:
        async with self.database.write() as session:
            row = UserRow(user_name=name, user_name_key=name)
            session.add(row)
        return row.user_id

    async def make(self, user_id: str, url: str, *events: str) -> tuple[Webhook, str]:
        return await self.webhooks.create(user_id, NewWebhook(url, events), ACTOR)

    async def keep(self, user_id: str, url: str, count: int = 1) -> list[str]:
        """Put webhooks into the table without asking their addresses."""
        async with self.database.write() as session:
            rows = [
                WebhookRow(
                    user_id=user_id,
                    url=url,
                    events="batch.finished",
                    secret=SEAL.seal(b"whsec_" + b"A" * 44),
                )
                for _ in range(count)
            ]
            session.add_all(rows)
        return [row.webhook_id for row in rows]

    async def tell(
        self, user_id: str, count: int = 1, event_type: str = "batch.finished", **payload: object
    ) -> None:
        now = await self.clock()
        notices = [
            Notice(user_id, event_type, f"batch{number}", payload, now) for number in range(count)
        ]
        async with self.database.write() as session:
            await announce(session, notices)

    async def log(self, user_id: str, webhook_id: str, state: str | None = None) -> list[Delivery]:
        return (await self.deliveries.list(user_id, webhook_id, state))[0]

    async def rows(self) -> list[DeliveryRow]:
        async with self.database.read() as session:
            return list(await session.scalars(select(DeliveryRow)))

    async def change(self, row: type, key: str, **values: object) -> None:
        async with self.database.write() as session:
            found = await session.get_one(row, key)
            for name, value in values.items():
                setattr(found, name, value)

    async def audit(self, target_id: str) -> list[AuditRow]:
        async with self.database.read() as session:
            chosen = select(AuditRow).where(AuditRow.target_id == target_id)
            return list(await session.scalars(chosen.order_by(AuditRow.create_time)))

    @asynccontextmanager
    async def sending(self, database: Database | None = None) -> AsyncIterator[Sender]:
        sender = Sender(
            database or self.database, SEAL, self.poster, self.metrics, self.clock, 0.02, 30.0
        )
        await sender.start()
        try:
            yield sender
        finally:
            await sender.close()

    def attempts(self, outcome: str) -> float:
        name, labels = "ocr_webhook_attempts_total", {"outcome": outcome}
        return self.metrics.registry.get_sample_value(name, labels) or 0


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - rows say nothing by themselves
            await asyncio.sleep(0.02)
