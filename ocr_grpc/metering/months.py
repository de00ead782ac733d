"""Calendar months in UTC: the periods of quotas."""

from datetime import UTC, datetime


def period_of(moment: datetime) -> str:
    """Return the month a moment lies in, such as `2026-11`."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def month_start(moment: datetime) -> datetime:
    """Return when the month of a moment began."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(moment: datetime) -> datetime:
    """Return when the month after that of a moment begins."""
    start = month_start(moment)
    if start.month == 12:
        return start.replace(year=start.year + 1, month=1)
    return start.replace(month=start.month + 1)


def seconds_to_next_month(moment: datetime) -> float:
    """Return how long the month still lasts."""
    return (next_month(moment) - moment).total_seconds()
