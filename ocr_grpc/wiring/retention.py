"""Puts the rules together about how long what stays, and starts the job that enforces them."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

from ocr_grpc.accounts.retention import AccountRetention, account_rules
from ocr_grpc.batches.purge import Purge
from ocr_grpc.batches.sheet import ENDED
from ocr_grpc.batches.sources import Sources
from ocr_grpc.metering.retention import metering_rules
from ocr_grpc.resumption.expiry import Expiry
from ocr_grpc.retention.erasure import Erasure
from ocr_grpc.retention.job import RetentionJob
from ocr_grpc.retention.orphans import Orphans
from ocr_grpc.settings import Settings
from ocr_grpc.store.database import Database
from ocr_grpc.store.retention import Rule
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.telemetry.retention_metrics import RetentionMetrics
from ocr_grpc.webhooks.retention import OldDeliveries
from ocr_grpc.wiring.batches import Kept, open_kept
from ocr_grpc.wiring.compatibility import make_fetcher

ORPHANS_EVERY = timedelta(days=1)


def retention_rules(
    settings: Settings, kept: Kept, expiry: Expiry, orphans: bool = False
) -> Sequence[Rule]:
    """Return all rules, in the order in which they are applied.

    Args:
        settings: how long what stays.
        kept: the database, the documents, and the news.
        expiry: what removes streams that are kept.
        orphans: whether to look for documents that no row leads to, wherever they lie.
    """
    database = kept.database
    usage = _days(settings.usage_retention_days)
    request_ids = _hours(settings.request_id_retention_hours)
    sources = Sources(
        database,
        kept.files,
        kept.seal,
        _hours(settings.document_retention_hours),
        _hours(settings.dead_letter_retention_hours),
    )
    accounts = AccountRetention(
        usage=usage,
        audit=_days(settings.audit_retention_days),
        addresses=_days(settings.address_retention_days),
        sessions=_days(settings.session_retention_days),
        keys=_days(settings.key_retention_days),
        mail_tokens=_days(settings.mail_token_retention_days),
        invites=_days(settings.invite_retention_days),
    )
    rules: list[Rule] = [
        # The deletion of a user first: somebody waits for it.
        Erasure(database),
        Purge(database, kept.news, kept.files, sources, request_ids),
        expiry,
        OldDeliveries(
            database,
            _days(settings.delivery_retention_days),
            _days(settings.failed_delivery_retention_days),
        ),
        *metering_rules(database, usage, request_ids),
        *account_rules(database, accounts),
    ]
    # A bucket may be that of another database as well, such as a copy on which somebody tries
    # something: what no row of this one leads to is not ours to delete unasked.
    is_ours_alone = database.is_sqlite and not settings.blob_url
    if orphans or is_ours_alone:
        every = timedelta(0) if orphans else ORPHANS_EVERY
        rules.append(Orphans(database, kept.blobs, every))
    return rules


async def open_rules(
    settings: Settings, database: Database, stack: AsyncExitStack, orphans: bool
) -> list[Rule]:
    """Return all rules, for a command that applies them once.

    Raises:
        CannotServe: BLOB_URL leads nowhere or elsewhere, or SECRET_KEY is another one.
    """
    kept = await open_kept(settings, database, make_fetcher(settings), stack)
    expiry = Expiry(database, kept.blobs)
    stack.push_async_callback(expiry.close)
    return list(retention_rules(settings, kept, expiry, orphans))


async def open_retention(
    settings: Settings, kept: Kept, expiry: Expiry, metrics: Metrics, stack: AsyncExitStack
) -> RetentionJob:
    """Start the job."""
    job = RetentionJob(
        kept.database,
        retention_rules(settings, kept, expiry),
        RetentionMetrics(metrics.registry),
        settings.retention_interval_seconds,
    )

    def heard(news: str | None) -> None:
        if news is None or news.startswith(ENDED):
            job.wake()

    stack.callback(kept.news.subscribe(heard))
    stack.push_async_callback(job.close)
    job.start()
    return job


def _days(count: int) -> timedelta:
    return timedelta(days=count)


def _hours(count: int) -> timedelta:
    return timedelta(hours=count)
