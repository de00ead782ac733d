"""How long the rows of the ledger, of quotas and of request ids stay."""

from collections.abc import Sequence
from datetime import timedelta

from ocr_grpc.metering.months import period_of
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, QuotaRow, RequestIdRow, UsageRow
from ocr_grpc.store.retention import OldRows, Rule


def metering_rules(database: Database, usage: timedelta, request_ids: timedelta) -> Sequence[Rule]:
    """Return what goes.

    Args:
        database: where the rows are.
        usage: how long rows of the ledger stay, and the quotas of whole months before that.
        request_ids: how long request ids are remembered, with the pages paid under them.
    """
    return (
        OldRows(
            database,
            "request_ids",
            (RequestIdRow.user_id, RequestIdRow.request_id),
            lambda now: (RequestIdRow.create_time < now - request_ids,),
            order=RequestIdRow.create_time,
        ),
        OldRows(
            database,
            "usage",
            (UsageRow.usage_id,),
            # Open ones are somebody's work, and are closed first.
            lambda now: (UsageRow.create_time < now - usage, UsageRow.status != OPEN),
            order=UsageRow.create_time,
        ),
        OldRows(
            database,
            "quotas",
            (QuotaRow.owner_id, QuotaRow.period),
            lambda now: (QuotaRow.period < period_of(now - usage),),
            order=QuotaRow.owner_id,
        ),
    )
