"""The values of cells as people see them, as far as calamine tells. Child only.

It does not tell number formats other than those of dates, so a percentage is shown as a share.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

_DIGITS = 15
"""What Excel computes and shows; more are noise of binary numbers."""
_PLAIN_DIGITS = 21
"""A number that needs more without an exponent is shown with one."""


def text_of(value: Any) -> str:
    """Return the text of a value: a number, a text, a truth value, a date, a time or a duration."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return _number(value)
    if isinstance(value, dt.datetime):
        value = _whole_seconds(value)
        if value.time() == dt.time():
            return value.date().isoformat()
        return value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        return _duration(value)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def used_columns(rows: Iterable[list[Any]]) -> list[int]:
    """Return which columns have a value in any row, in order."""
    used: set[int] = set()
    for row in rows:
        used.update(place for place, value in enumerate(row) if value != "")
    return sorted(used)


def filled_rows(rows: Iterable[list[Any]], columns: list[int]) -> Iterator[list[str]]:
    """Yield the rows that have a value, of these columns, without what is empty at their ends."""
    for row in rows:
        values = map(row.__getitem__, columns)
        texts = [value.strip() if type(value) is str else text_of(value) for value in values]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            yield texts


def _number(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 10**_DIGITS):
        return str(int(value))
    text = f"{value:.{_DIGITS}g}"
    if "e" not in text:
        return text
    plain = format(Decimal(text), "f")
    return plain if len(plain) <= _PLAIN_DIGITS else text.upper()


def _whole_seconds(value: dt.datetime) -> dt.datetime:
    # Dates are fractions of days in the file, so that seconds come out a hair off.
    rounded = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    return rounded if abs(rounded - value) < dt.timedelta(milliseconds=1) else value


def _duration(value: dt.timedelta) -> str:
    seconds = round(abs(value).total_seconds())
    sign = "-" if value < dt.timedelta() else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
