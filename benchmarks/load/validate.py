"""Says what is wrong with what clients saw, and with the ledger beside it.

    python -m benchmarks.load.validate FOLDER

The folder has `history.jsonl` (benchmarks/load/history.py) and `books.json` (books.py). Nothing but
these is looked at, so that the same folder gives the same findings at any time. Ends with 1 if
there are any.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import rules_batches, rules_ledger, rules_streams
from benchmarks.load.books import Books
from benchmarks.load.findings import Finding
from benchmarks.load.history import History

MOST_SHOWN = 40


def findings(history: History, books: Books) -> list[Finding]:
    """Return all that is wrong, in order."""

    def found() -> Iterator[Finding]:
        yield from rules_streams.broken_rules(history)
        yield from rules_ledger.broken_rules(history, books)
        yield from rules_batches.broken_rules(history, books)

    return sorted(found())


def told(history: History, books: Books, wrong: list[Finding]) -> None:
    """Print what was looked at, and what is wrong with it."""
    calls = history.calls.values()
    ends = Counter((call.kind, call.status or "no end") for call in calls)
    for kind in sorted({kind for kind, _ in ends}):
        counts = ", ".join(
            f"{count} {status}" for (each, status), count in sorted(ends.items()) if each == kind
        )
        print(f"     {kind}: {counts}")
    pages = sum(len(call.charged_pages) for call in calls)
    charged = sum(row["pages"] for row in books.usage)
    events = sum(len(call.events) for call in calls)
    cached = sum(bool(event.get("cached")) for call in calls for event in call.events)
    lost = sum(row["status"] == "LOST" for row in books.usage)
    print(
        f"     {len(calls)} calls, {events} events, {pages} pages seen by calls ({cached} from the "
        f"cache), {charged} charged in all, {lost} rows closed by others"
    )
    for finding in wrong[:MOST_SHOWN]:
        print(f"MISS {finding}")
    if len(wrong) > MOST_SHOWN:
        print(f"MISS and {len(wrong) - MOST_SHOWN} more")
    if not wrong:
        print("ok   the validator finds nothing", flush=True)


def main() -> None:
    """Read a folder and judge it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    history, books = History.read(folder), Books.read(folder)
    wrong = findings(history, books)
    told(history, books, wrong)
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
