"""What must hold of the events of one document, whatever breaks while it is read."""

from collections import Counter
from collections.abc import Iterator

from benchmarks.load.findings import Finding
from benchmarks.load.history import Call, History

LAST = ("finished", "failed")

OUTSIDE = {"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "BROKEN"}
"""What faults and limits may end a call with. `BROKEN`: without a status, as HTTP can."""

CRASHED = {
    "ENGINE_CRASHED",
    "ENGINE_UNAVAILABLE",
    "PAGE_TIMED_OUT",
    "READER_CRASHED",
    "READER_TIMED_OUT",
    "READER_UNAVAILABLE",
    "SPOOL_FULL",
    "WORKER_CRASHED",
}
"""Why a page, or all of a document, may fail though it can be read: it was what was broken."""


def broken_rules(history: History) -> Iterator[Finding]:
    """Yield what is wrong with the streams and answers of a history."""
    for call in history.calls.values():
        if call.kind == "":
            yield Finding("begun", call.name, "was seen without its begin")
        elif not call.status:
            yield Finding("ended", call.name, f"a call of the kind {call.kind} never ended")
        for rule in (_numbered, _in_order, _last, _whole, _allowed, _text, _failed_pages):
            yield from rule(call, history)


def _numbered(call: Call, _: History) -> Iterator[Finding]:
    """Events are numbered from 1, without gaps, and none comes twice."""
    found = [event["sequence"] for event in call.events]
    for place, sequence in enumerate(found, 1):
        if sequence != place:
            yield Finding("numbered", call.name, f"event {place} has the number {sequence}")
            return


def _in_order(call: Call, _: History) -> Iterator[Finding]:
    """`started` comes first and once; a page begins once, ends once, and has nothing after."""
    if not call.is_stream:
        return
    begun, ended = set[int](), set[int]()
    for place, event in enumerate(call.events):
        kind, page = event["event"], event.get("page", 0)
        if (kind == "started") != (place == 0) and not (place == 0 and kind == "failed"):
            yield Finding("in order", call.name, f"{kind} is event {place + 1}")
        if not page:
            continue
        if page in ended:
            yield Finding("in order", call.name, f"{kind} of page {page} after its end")
        if kind == "page_started":
            if page in begun:
                yield Finding("in order", call.name, f"page {page} begins twice")
            begun.add(page)
        elif page not in begun and not (
            kind == "page_finished" and event["outcome"] == "FAILED"  # before its size was known
        ):
            yield Finding("in order", call.name, f"{kind} of page {page} before it began")
        if kind == "page_finished":
            ended.add(page)


def _last(call: Call, _: History) -> Iterator[Finding]:
    """One `finished` or `failed` comes, at the end, and says what the status says."""
    if not call.is_stream or not call.status:
        return
    kinds = Counter(event["event"] for event in call.events)
    last = call.events[-1] if call.events else None
    ends = sum(kinds[kind] for kind in LAST)
    if ends > 1 or (ends and last and last["event"] not in LAST):
        yield Finding("last", call.name, f"{ends} last events, and {last and last['event']} last")
    finished = bool(last and last["event"] == "finished")
    # What the connection said after the last event does not make it less true.
    if call.status == "OK" and not finished:
        yield Finding("last", call.name, "ended as OK without `finished`")
    if finished and call.status != "OK" and call.reason:
        yield Finding("last", call.name, f"`finished`, and then {call.status} {call.reason}")
    failed = last if last and last["event"] == "failed" else None
    if failed and call.reason and failed.get("reason") != call.reason:
        words = f"`failed` says {failed.get('reason')}, the status {call.reason}"
        yield Finding("last", call.name, words)


def _whole(call: Call, history: History) -> Iterator[Finding]:
    """A call that ended well has all pages."""
    if call.status == "OK" and call.document in history.documents:
        wanted = set(history.documents[call.document].pages)
        if wanted != set(call.seen_pages):
            words = f"OK with the pages {sorted(call.seen_pages)} of {len(wanted)}"
            yield Finding("whole answer", call.name, words)


def _allowed(call: Call, history: History) -> Iterator[Finding]:
    """A good document fails only by what was broken, and a bad one by what is wrong with it."""
    known = history.documents.get(call.document)
    if not call.status or call.left or call.kind == "watch":
        return
    refused = known is not None and known.refusal != ""
    # Every page of it failed by what was broken, as pages may: that is an end, too.
    over = bool(call.events and call.events[-1]["event"] == "failed") and call.reason in CRASHED
    lasting = call.kind in ("resumable", "create", "results") and not (refused or over)
    if lasting and call.status in OUTSIDE:
        yield Finding("allowed", call.name, f"{call.kind} gave up: {call.status} {call.reason}")
    elif call.status == "DEADLINE_EXCEEDED" and not call.reason:
        # Nobody wanted it to end: the service has bounds of its own, and says which it was.
        yield Finding("ended", call.name, f"a call of the kind {call.kind} just hung")
    if known and known.refusal:
        if call.status == "OK" or (call.status not in OUTSIDE and call.reason != known.refusal):
            words = f"{call.status} {call.reason}, not {known.refusal}"
            yield Finding("allowed", call.name, words)
    elif call.status != "OK" and call.status not in OUTSIDE and call.reason not in CRASHED:
        words = f"{call.kind} of {call.document or 'nothing'}: {call.status} {call.reason}"
        if call.reason or call.status not in ("INTERNAL", "UNKNOWN"):  # those are grpc's own
            yield Finding("allowed", call.name, words)


def _text(call: Call, history: History) -> Iterator[Finding]:
    """The text of a page is what is on it, and its deltas joined."""
    known = history.documents.get(call.document)
    pieces: dict[tuple[int, int], str] = {}
    for event in call.events if call.is_stream else ():
        page = (event.get("page", 0), event.get("revision", 0))
        if event["event"] == "delta":
            pieces[page] = pieces.get(page, "") + event.get("text", "")
        elif event["event"] == "retract":
            pieces[page] = pieces.get(page, "")[: event.get("offset", 0)]
        elif event["event"] != "page_finished" or event["outcome"] == "FAILED":
            continue
        elif pieces.get(page, "") != event.get("text", ""):
            yield Finding("text", call.name, f"page {page[0]}: its deltas make another text")
    for number, (outcome, text) in call.seen_pages.items():
        if outcome != "FAILED" and known and text not in known.pages.get(number, []):
            yield Finding("text", call.name, f"page {number} of {call.document} has another text")


def _failed_pages(call: Call, _: History) -> Iterator[Finding]:
    """A page of a good document fails only by what was broken."""
    for event in call.events:
        failed = event["event"] == "page_finished" and event.get("outcome") == "FAILED"
        if failed and event.get("reason") not in CRASHED:
            words = f"page {event['page']} of {call.document}: {event.get('reason')}"
            yield Finding("page failed", call.name, words)
