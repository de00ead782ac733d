"""What must hold of batches: every document once, and the same for all who watch."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks.load.books import Books
from benchmarks.load.findings import Finding
from benchmarks.load.history import Call, History


def broken_rules(history: History, books: Books) -> Iterator[Finding]:
    """Yield what is wrong with the batches of a history."""
    made = [call for call in history.calls.values() if call.kind == "create" and call.batch]
    yield from _made_once(made)
    watches: dict[str, list[Call]] = defaultdict(list)
    for call in history.calls.values():
        if call.kind == "watch" and call.batch:
            watches[call.batch].append(call)
    for batch, create in {call.batch: call for call in made}.items():
        yield from _watched(batch, watches[batch])
        yield from _whole(create, watches[batch], history)
        yield from _stored(create, books)
    for call in history.calls.values():
        if call.kind == "results":
            yield from _fetched(call, books)
        yield from _results(call, history)


def _made_once(made: list[Call]) -> Iterator[Finding]:
    """A request id makes one batch."""
    batches: dict[str, set[str]] = defaultdict(set)
    for call in made:
        batches[call.request_id].add(call.batch)
    for request_id, ids in batches.items():
        if len(ids) > 1:
            yield Finding("made once", request_id, f"made {len(ids)} batches")


def _signs(call: Call) -> list[tuple[object, ...]]:
    names = ("sequence", "event", "number", "page")
    return [tuple(event.get(name) for name in names) for event in call.events]


def _watched(batch: str, watches: list[Call]) -> Iterator[Finding]:
    """All who watch see the same, to one last `finished`; nobody sees less but who left."""
    longest = max((_signs(watch) for watch in watches), key=len, default=[])
    for watch in watches:
        signs = _signs(watch)
        if signs != longest[: len(signs)]:
            yield Finding("watched", batch, f"{watch.name} saw something else than others")
        if not watch.left and (watch.status != "OK" or not signs or signs[-1][1] != "finished"):
            words = f"{watch.name} ended with {watch.status} {watch.reason} after {len(signs)}"
            yield Finding("watched", batch, words)
    if sum(sign[1] == "finished" for sign in longest) > 1:
        yield Finding("watched", batch, "ended more than once")


def _whole(create: Call, watches: list[Call], history: History) -> Iterator[Finding]:
    """Every document begins and ends once, and so does every page."""
    whole = next((w for w in watches if w.events and w.events[-1]["event"] == "finished"), None)
    if whole is None:
        return
    seen = Counter(
        (event["event"], event["number"], event.get("page", 0))
        for event in whole.events
        if event["event"] != "finished"
    )
    wanted = Counter[tuple[str, int, int]]()
    for number, name in enumerate(create.documents, 1):
        known = history.documents[name]
        wanted["document_finished", number, 0] += 1
        if not known.refusal:
            wanted["document_started", number, 0] += 1
            wanted.update(("page_finished", number, page) for page in known.pages)
    if seen != wanted:
        missing, more = wanted - seen, seen - wanted
        yield Finding("whole", create.batch, f"missing {dict(missing)}, too much {dict(more)}")


def _stored(create: Call, books: Books) -> Iterator[Finding]:
    """Each document has its pages once, and was charged for those that were read."""
    pages = {row["document_id"]: row["pages"] for row in books.batch_pages}
    charged = Counter[str]()
    for row in books.usage:
        charged[row["extraction_id"]] += row["pages"]
    rows = [row for row in books.batch_documents if row["batch_id"] == create.batch]
    if len(rows) != len(create.documents):
        yield Finding("stored", create.batch, f"{len(rows)} of {len(create.documents)} documents")
    for row in rows:
        read = row["pages_ok"] + row["pages_degraded"]
        ended = read + row["pages_failed"]
        found = (charged[row["document_id"]], pages.get(row["document_id"], 0))
        if found != (read, ended) or ended != row["page_count"]:
            words = f"document {row['number']}: {ended} pages ended of {row['page_count']}, "
            words += f"{found[1]} stored; {read} read, {found[0]} charged"
            yield Finding("stored", create.batch, words)


def _fetched(call: Call, books: Books) -> Iterator[Finding]:
    """Who asks for the results of a batch that has ended gets those of all that was read."""
    there = {
        row["number"]
        for row in books.batch_documents
        if row["batch_id"] == call.batch
        and row["pages_ok"] + row["pages_degraded"] == row["page_count"] > 0
    }
    if call.status == "OK" and there != set(call.results):
        words = f"got the documents {sorted(call.results)} of {sorted(there)}"
        yield Finding("result", call.batch, f"{call.name} {words}")


def _results(call: Call, history: History) -> Iterator[Finding]:
    """The result of a document is the text that is on its pages."""
    made = next((c for c in history.calls.values() if c.batch == call.batch and c.documents), None)
    for number, text in call.results.items():
        if made is None:
            continue
        known = history.documents[made.documents[number - 1]]
        parts = text.rstrip("\n").split("\f")
        # In the order of the pages: when the document was learned they may have ended in another.
        pages = [known.pages[page] for page in sorted(known.pages)]
        good = len(parts) == len(pages) and all(
            any(part.strip() == text.strip() for text in texts)
            for part, texts in zip(parts, pages, strict=True)
        )
        if not good:
            name = made.documents[number - 1]
            yield Finding("result", call.batch, f"document {number}, {name}, has another text")
