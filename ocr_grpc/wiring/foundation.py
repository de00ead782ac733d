"""What everything else of a server stands on: folders, metrics, database, people, what is kept."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from ocr_grpc.certificates import CertificateWatch
from ocr_grpc.documents.spool import Spool
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.settings import Settings
from ocr_grpc.store.database import Database
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring.accounts import Accounts, open_accounts
from ocr_grpc.wiring.batches import Kept, open_kept
from ocr_grpc.wiring.certificates import open_certificates
from ocr_grpc.wiring.database import open_database
from ocr_grpc.wiring.folders import make_spool
from ocr_grpc.wiring.metering import Metering, open_metering


@dataclass(frozen=True, slots=True)
class Foundation:
    """The parts that are there before anything listens."""

    settings: Settings
    spool: Spool
    metrics: Metrics
    certificates: CertificateWatch | None
    database: Database
    metering: Metering
    accounts: Accounts
    kept: Kept


async def open_foundation(
    settings: Settings, fetcher: Fetcher, stack: AsyncExitStack
) -> Foundation:
    """Open the parts; the stack closes them.

    Raises:
        CannotServe: a folder cannot be written, or the database is not what this version needs.
    """
    # Not in a thread: if this start is cancelled meanwhile, nobody would remove the folder.
    spool = make_spool(settings.data_dir, stack, settings.result_cache_bytes > 0)
    metrics = Metrics()
    stack.push_async_callback(metrics.close)
    certificates = await open_certificates(settings, metrics, stack)
    database = await open_database(settings, stack)
    metering = await open_metering(settings, database, metrics, stack)
    accounts = await open_accounts(settings, database, metering.windows, stack)
    kept = await open_kept(settings, database, fetcher, stack)
    return Foundation(settings, spool, metrics, certificates, database, metering, accounts, kept)
