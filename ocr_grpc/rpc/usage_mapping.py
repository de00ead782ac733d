"""The ledger as messages: pure functions, field by field. Administrators and keys use them too."""

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.metering.entries import PageUsage
from ocr_grpc.metering.usage_queries import Grouping, QuotaState, UsageFilter, UsageSum
from ocr_grpc.rpc.field_values import time_from_proto, time_to_proto
from ocr_grpc.rpc.mapping import kind_to_proto
from ocr_grpc.store.metering import UsageRow
from ocr_grpc.v1 import document_pb2, ledger_pb2, usage_pb2

MAX_INT32 = 2_147_483_647
MAX_INT64 = 9_223_372_036_854_775_807

_GROUPINGS = {
    ledger_pb2.USAGE_GROUPING_UNSPECIFIED: Grouping.NONE,
    ledger_pb2.USAGE_GROUPING_DAY: Grouping.DAY,
    ledger_pb2.USAGE_GROUPING_METHOD: Grouping.METHOD,
    ledger_pb2.USAGE_GROUPING_KEY: Grouping.KEY,
    ledger_pb2.USAGE_GROUPING_KIND: Grouping.KIND,
    ledger_pb2.USAGE_GROUPING_USER: Grouping.USER,
}
KINDS = {kind.value: kind_to_proto(kind) for kind in DocumentKind}
"""Formats as the database has them, and their enum values."""

_KIND_VALUES = {number: value for value, number in KINDS.items()}


def grouping_from_proto(grouping: ledger_pb2.UsageGrouping.ValueType) -> Grouping:
    """Return by what to divide a summary.

    Raises:
        InvalidField: a number that this version does not know.
    """
    if grouping not in _GROUPINGS:
        raise InvalidField(f"{grouping} is no grouping that this server knows.", field="grouping")
    return _GROUPINGS[grouping]


def filter_from_proto(message: ledger_pb2.UsageFilter, field: str = "filter") -> UsageFilter:
    """Return which calls to choose.

    Raises:
        InvalidField: a time, kind or text that can never be right; `field` is the path before it.
    """
    kind = message.kind
    if kind and kind not in _KIND_VALUES:
        raise InvalidField(f"{kind} is no format that this server knows.", field=f"{field}.kind")
    for name in ("method", "key_id", "status"):
        if "\0" in getattr(message, name):
            raise InvalidField("No call has a NUL in it.", field=f"{field}.{name}")
    start, end = (
        time_from_proto(getattr(message, name), f"{field}.{name}")
        if message.HasField(name)
        else None
        for name in ("start_time", "end_time")
    )
    return UsageFilter(
        start_time=start,
        end_time=end,
        method=message.method,
        key_id=message.key_id,
        status=message.status,
        kind=_KIND_VALUES[kind] if kind else "",
    )


def record_to_proto(row: UsageRow) -> ledger_pb2.UsageRecord:
    """Return a call as a message."""
    usage = PageUsage(
        row.prompt_tokens,
        row.completion_tokens,
        row.prompt_chars,
        row.completion_chars,
        row.input_bytes,
    )
    return ledger_pb2.UsageRecord(
        usage_id=row.usage_id,
        create_time=time_to_proto(row.create_time),
        duration_seconds=row.duration_seconds,
        user_id=row.user_id or "",
        organization_id=row.organization_id or "",
        key_id=row.key_id or "",
        method=row.method,
        kind=KINDS.get(row.kind, document_pb2.DOCUMENT_KIND_UNSPECIFIED),
        usage=usage_sum_to_proto(row.pages, usage),
        status=row.status,
        reason=row.reason,
        call_id=row.call_id,
        extraction_id=row.extraction_id,
    )


def group_to_proto(group: UsageSum, grouping: Grouping = Grouping.NONE) -> ledger_pb2.UsageGroup:
    """Return a sum as a message; formats get the names of their enum values."""
    name = group.name
    if grouping is Grouping.KIND and name in KINDS:
        name = document_pb2.DocumentKind.Name(KINDS[name])
    return ledger_pb2.UsageGroup(
        group=name,
        calls=min(group.calls, MAX_INT32),
        failed_calls=min(group.failed_calls, MAX_INT32),
        usage=usage_sum_to_proto(group.pages, group.usage),
        duration_seconds=group.duration_seconds,
    )


def quota_to_proto(quota: QuotaState) -> ledger_pb2.Quota:
    """Return a quota as a message."""
    remaining = MAX_INT32 if quota.remaining is None else quota.remaining
    return ledger_pb2.Quota(
        period=quota.period,
        reset_time=time_to_proto(quota.reset_time),
        limit_pages=min(quota.limit, MAX_INT32),
        used_pages=min(quota.used, MAX_INT32),
        reserved_pages=min(quota.reserved, MAX_INT32),
        remaining_pages=min(remaining, MAX_INT32),
        shared=quota.shared,
    )


def usage_sum_to_proto(pages: int, usage: PageUsage) -> usage_pb2.Usage:
    """Return what many pages consumed as a message; counts too large are given as its most."""
    return usage_pb2.Usage(
        prompt_tokens=min(usage.prompt_tokens, MAX_INT32),
        completion_tokens=min(usage.completion_tokens, MAX_INT32),
        prompt_chars=min(usage.prompt_chars, MAX_INT32),
        completion_chars=min(usage.completion_chars, MAX_INT32),
        input_bytes=min(usage.input_bytes, MAX_INT64),
        pages=min(pages, MAX_INT32),
    )
