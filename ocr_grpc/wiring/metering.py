"""Starts what counts: limits, streams, ledger."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.metering.rate_limits import RateLimits
from ocr_grpc.metering.servers import ServerLease
from ocr_grpc.metering.streams import Streams
from ocr_grpc.metering.usage_queries import UsageQueries
from ocr_grpc.settings import Settings
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Metering:
    """What counts."""

    windows: RateWindows
    limits: RateLimits
    streams: Streams
    ledger: Ledger
    queries: UsageQueries
    lease: ServerLease
    metrics: Metrics


async def open_metering(
    settings: Settings, database: Database, metrics: Metrics, stack: AsyncExitStack
) -> Metering:
    """Start what counts: limits, ledger, and the lease that keeps open rows ours."""
    server_id = new_id()
    redis_url = settings.redis_url.get_secret_value()
    windows = RateWindows(redis_url, metrics)
    stack.push_async_callback(windows.close)
    streams = Streams(redis_url, server_id, metrics)
    stack.push_async_callback(streams.close)
    await streams.start()
    lease = ServerLease(database, server_id, metrics)
    stack.push_async_callback(lease.close)
    await lease.start()
    ledger = Ledger(database, server_id, metrics)
    stack.push_async_callback(ledger.close)
    await ledger.start()
    limits = RateLimits(windows, settings.anonymous_calls_per_minute)
    return Metering(windows, limits, streams, ledger, UsageQueries(database), lease, metrics)
