"""Usage as the commands print it."""

from collections.abc import Iterable
from enum import Enum

from ocr_grpc.commands.tables import moment, note, print_rows, short_name
from ocr_grpc.v1 import document_pb2, ledger_pb2

RECORD_COLUMNS = (
    "TIME (UTC)",
    "METHOD",
    "STATUS",
    "REASON",
    "KIND",
    "PAGES",
    "SECONDS",
    "KEY",
)

SUMMARY_COLUMNS = ("CALLS", "FAILED", "PAGES", "BYTES", "CHARACTERS", "TOKENS", "SECONDS")


class By(Enum):
    """By what usage is divided."""

    DAY = "day"
    METHOD = "method"
    KEY = "key"
    KIND = "kind"
    USER = "user"


def grouping_of(by: By | None) -> ledger_pb2.UsageGrouping.ValueType:
    """Return the grouping as the contract names it."""
    if by is None:
        return ledger_pb2.USAGE_GROUPING_UNSPECIFIED
    return ledger_pb2.UsageGrouping.Value(f"USAGE_GROUPING_{by.name}")


def print_records(records: Iterable[ledger_pb2.UsageRecord], with_user: bool) -> None:
    """Print calls, a row for each; whose they were only where that is in question."""
    if with_user:
        rows = [(*_record_row(record), record.user_id) for record in records]
        print_rows((*RECORD_COLUMNS, "USER"), rows)
    else:
        print_rows(RECORD_COLUMNS, map(_record_row, records))


def _record_row(record: ledger_pb2.UsageRecord) -> tuple[str, ...]:
    kind = document_pb2.DocumentKind.Name(record.kind) if record.kind else ""
    return (
        moment(record, "create_time"),
        record.method,
        record.status,
        record.reason,
        short_name(kind),
        str(record.usage.pages),
        f"{record.duration_seconds:.2f}",
        record.key_id,
    )


def print_summary(
    total: ledger_pb2.UsageGroup, groups: Iterable[ledger_pb2.UsageGroup], by: By | None
) -> None:
    """Print sums: a row for each group, and one for all of it."""
    if by is None:
        print_rows(SUMMARY_COLUMNS, [_sums(total)])
        return
    rows = [(_group_name(group, by), *_sums(group)) for group in groups]
    print_rows((by.name, *SUMMARY_COLUMNS), [*rows, ("total", *_sums(total))])


def note_quota(quota: ledger_pb2.Quota) -> None:
    """Say on stderr what is left of the month's pages."""
    whose = "of the organization" if quota.shared else "of yours"
    reserved = f", {quota.reserved_pages:,} reserved" if quota.reserved_pages else ""
    if quota.limit_pages:
        left = f"{quota.remaining_pages:,} of {quota.limit_pages:,} left"
    else:
        left = "no limit"
    note(
        f"Pages {whose} in {quota.period}: {quota.used_pages:,} used{reserved}, {left}; "
        f"counted anew from {moment(quota, 'reset_time')} UTC."
    )


def _group_name(group: ledger_pb2.UsageGroup, by: By) -> str:
    name = short_name(group.group) if by is By.KIND else group.group
    return name or "(none)"


def _sums(group: ledger_pb2.UsageGroup) -> tuple[str, ...]:
    usage = group.usage
    return (
        str(group.calls),
        str(group.failed_calls),
        str(usage.pages),
        str(usage.input_bytes),
        str(usage.completion_chars),
        str(usage.prompt_tokens + usage.completion_tokens),
        f"{group.duration_seconds:.1f}",
    )
