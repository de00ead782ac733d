"""What must hold between what clients saw and what the ledger says."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks.load.books import Books, Row
from benchmarks.load.findings import Finding
from benchmarks.load.history import Call, History

BATCH_METHOD = "BatchService/CreateBatch"


def broken_rules(history: History, books: Books) -> Iterator[Finding]:
    """Yield where clients and ledger do not say the same."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in books.usage:
        rows[row["call_id"]].append(row)
    reading = [call for call in history.calls.values() if call.document]
    for call in reading:
        yield from _written_once(call, rows)
        if not call.request_id:
            yield from _charged(call, history, rows)
    yield from _paid_once(reading, history, books, rows)
    yield from _nobodys(history, books)
    yield from _sums(books)
    yield from _open(books)


def _written_once(call: Call, rows: dict[str, list[Row]]) -> Iterator[Finding]:
    """A call that ended well is in the ledger once, as a call that ended well."""
    if call.status != "OK" or not call.rpcs:
        return
    last = [row for row in rows[call.rpcs[-1]] if not row["method"].startswith(BATCH_METHOD)]
    good = [row for row in last if row["status"] == "OK"]
    # Closed by others: its server died, or could not write, between the last event and this.
    lost = [row for row in last if row["status"] == "LOST"]
    if len(good) != 1 and not (not good and lost):
        found = [f"{row['status']} {row['pages']}" for row in last]
        yield Finding("written once", call.name, f"{call.rpcs[-1]} has the rows {found}")


def _pages(call: Call, rows: dict[str, list[Row]]) -> int:
    return sum(row["pages"] for rpc in call.rpcs for row in rows[rpc])


def _charged(call: Call, history: History, rows: dict[str, list[Row]]) -> Iterator[Finding]:
    """Pages seen <= pages charged <= pages of the document; equal if the call ended well."""
    charged, seen = _pages(call, rows), len(call.charged_pages)
    most = len(history.documents[call.document].pages)
    good = charged == seen if call.status == "OK" else seen <= charged <= most
    if not good:
        words = f"{call.kind} {call.status}: {seen} pages seen, {charged} charged, of {most}"
        yield Finding("charged", call.name, words)


def _paid_once(
    reading: list[Call], history: History, books: Books, rows: dict[str, list[Row]]
) -> Iterator[Finding]:
    """All calls of one request id together pay for each page once."""
    requests: dict[str, list[Call]] = defaultdict(list)
    for call in reading:
        if call.request_id:
            requests[call.request_id].append(call)
    paid: dict[str, set[int]] = defaultdict(set)
    for row in books.request_pages:
        paid[row["request_id"]].add(row["page_number"])
    for request_id, calls in requests.items():
        charged = sum(_pages(call, rows) for call in calls)
        seen = set[int]().union(*(call.charged_pages for call in calls))
        pages = set(history.documents[calls[0].document].pages)
        if charged != len(paid[request_id]):
            words = f"{charged} pages in the ledger, {len(paid[request_id])} under the request id"
            yield Finding("paid once", request_id, words)
        if not seen <= paid[request_id] <= pages:
            words = f"seen {sorted(seen)}, paid {sorted(paid[request_id])}, of {len(pages)}"
            yield Finding("paid once", request_id, words)


def _nobodys(history: History, books: Books) -> Iterator[Finding]:
    """Nothing is charged for a call that nobody made."""
    made = {rpc for call in history.calls.values() for rpc in call.rpcs}
    for row in books.usage:
        if row["pages"] and row["call_id"] not in made:
            yield Finding("nobody's", row["call_id"], f"{row['pages']} pages of {row['method']}")


def _sums(books: Books) -> Iterator[Finding]:
    """Quotas, of users and of keys, are the sums of the rows of the ledger."""
    sums = Counter[str]()
    for row in books.usage:
        for owner in {row["quota_owner_id"], row["key_id"]} - {None}:
            sums[owner] += row["pages"]
    used = Counter[str]()
    for row in books.quotas:
        used[row["owner_id"]] += row["used_pages"]
    for owner in sorted(sums.keys() | used.keys()):
        if sums[owner] != used[owner]:
            words = f"{sums[owner]} pages in the ledger, {used[owner]} in the quota"
            yield Finding("sums", owner, words)


def _open(books: Books) -> Iterator[Finding]:
    """Nothing stays open or reserved."""
    for row in books.usage:
        if row["status"] == "OPEN" or row["pages_reserved"]:
            yield Finding("open", row["call_id"], f"{row['status']}, {row['pages_reserved']} kept")
    for row in books.quotas:
        if row["reserved_pages"]:
            yield Finding("open", row["owner_id"], f"{row['reserved_pages']} pages reserved")
