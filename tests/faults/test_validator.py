"""Every rule of the validator, each with a history that breaks it and is caught."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.load.books import Books
from benchmarks.load.history import HISTORY_NAME, History, Recorder
from benchmarks.load.validate import findings, main

Records = list[dict[str, Any]]

TEXTS = {"1": ["one"], "2": ["two"]}


def stream(call: str, **begin: Any) -> Records:
    """Return a call that saw both pages of a document, one in two pieces."""
    words = [
        {"event": "started"},
        {"event": "page_started", "page": 1},
        {"event": "delta", "page": 1, "revision": 1, "text": "on"},
        {"event": "page_started", "page": 2},
        {"event": "delta", "page": 1, "revision": 1, "text": "x"},
        {"event": "retract", "page": 1, "revision": 1, "offset": 2},
        {"event": "delta", "page": 1, "revision": 1, "text": "e"},
        {"event": "page_finished", "page": 1, "revision": 1, "outcome": "OK", "text": "one"},
        {"event": "delta", "page": 2, "revision": 1, "text": "two"},
        {"event": "page_finished", "page": 2, "revision": 1, "outcome": "OK", "text": "two"},
        {"event": "finished"},
    ]
    events = [
        {"what": "event", "call": call, "sequence": number, **each}
        for number, each in enumerate(words, 1)
    ]
    begun = {"what": "begin", "call": call, "kind": "stream", "user": "u", "document": "d"}
    rpc = {"what": "rpc", "call": call, "rpc": f"rpc-{call}"}
    return [begun | begin, rpc, *events, {"what": "end", "call": call, "status": "OK"}]


def cut(call: str, events: int, status: str = "UNAVAILABLE", **begin: Any) -> Records:
    """Return a call whose connection broke after so many events."""
    records = stream(call, **begin)
    return [*records[: 2 + events], {"what": "end", "call": call, "status": status}]


def batch(name: str, watchers: int = 2) -> Records:
    made = {"what": "begin", "call": name, "kind": "create", "user": "u", "request_id": "b"}
    records: Records = [
        made,
        {"what": "rpc", "call": name, "rpc": f"rpc-{name}"},
        {"what": "batch", "call": name, "batch": "B", "documents": ["d", "bad"]},
        {"what": "end", "call": name, "status": "OK"},
    ]
    words = [
        {"event": "document_started", "number": 1},
        {"event": "document_finished", "number": 2},
        {"event": "page_finished", "number": 1, "page": 1},
        {"event": "page_finished", "number": 1, "page": 2},
        {"event": "document_finished", "number": 1},
        {"event": "finished"},
    ]
    for each in range(watchers):
        call = f"{name}w{each}"
        records.append({"what": "begin", "call": call, "kind": "watch", "user": "u"})
        records.append({"what": "batch", "call": call, "batch": "B"})
        for number, word in enumerate(words, 1):
            records.append({"what": "event", "call": call, "sequence": number, **word})
        records.append({"what": "end", "call": call, "status": "OK"})
    results = {"call": f"{name}r", "batch": "B"}
    records += [
        {"what": "begin", **results, "kind": "results", "user": "u"},
        {"what": "batch", **results},
        {"what": "result", **results, "number": 1, "text": "one\ftwo\n"},
        {"what": "end", **results, "status": "OK"},
    ]
    return records


def usage(call_id: str, pages: int, **columns: Any) -> dict[str, Any]:
    row = {"call_id": call_id, "user_id": "u", "key_id": "k", "method": "OcrService/StreamExtract"}
    row |= {"status": "OK", "reason": "", "pages": pages, "pages_reserved": 0}
    return row | {"quota_owner_id": "u", "extraction_id": "e"} | columns


def good() -> tuple[Records, Books]:
    """Return a history of good calls and broken ones, and the books that belong to it."""
    records: Records = [
        {"what": "document", "document": "d", "pages": TEXTS},
        {"what": "document", "document": "bad", "pages": {}, "refusal": "DOCUMENT_UNREADABLE"},
        *stream("a"),
        *cut("b", 9),
        *cut("c", 3, request_id="r"),
        *stream("d", request_id="r"),
        {"what": "begin", "call": "e", "kind": "extract", "user": "u", "document": "d"},
        {"what": "rpc", "call": "e", "rpc": "rpc-e"},
        {"what": "page", "call": "e", "page": 1, "outcome": "OK", "text": "one"},
        {"what": "page", "call": "e", "page": 2, "outcome": "OK", "text": "two"},
        {"what": "end", "call": "e", "status": "OK"},
        *batch("f"),
    ]
    create = {"method": "BatchService/CreateBatch"}
    rows = [
        usage("rpc-a", 2),
        usage("rpc-b", 2, status="LOST"),
        usage("rpc-c", 1, status="LOST"),
        usage("rpc-d", 1),
        usage("rpc-e", 2),
        usage("rpc-f", 0, **create),
        usage("rpc-f", 2, **create, extraction_id="D1"),
        usage("rpc-f", 0, **create, extraction_id="D2"),
    ]
    total = sum(row["pages"] for row in rows)
    quota = {"used_pages": total, "reserved_pages": 0}
    document = {"batch_id": "B", "state": "finished", "reason": "", "pages_degraded": 0}
    first = {"document_id": "D1", "number": 1, "page_count": 2, "pages_ok": 2, "pages_failed": 0}
    second = {"document_id": "D2", "number": 2, "page_count": 0, "pages_ok": 0, "pages_failed": 0}
    books = Books(
        usage=rows,
        quotas=[{"owner_id": owner, **quota} for owner in ("u", "k")],
        request_pages=[
            {"user_id": "u", "request_id": "r", "page_number": number} for number in (1, 2)
        ],
        batch_documents=[document | first, document | second],
        batch_pages=[{"document_id": "D1", "pages": 2}],
    )
    return records, books


def broken(records: Records, books: Books) -> set[str]:
    return {finding.rule for finding in findings(History.of(records), books)}


def test_a_good_history_has_nothing_wrong():
    assert findings(History.of(good()[0]), good()[1]) == []


def of_call(records: Records, call: str, what: str = "event") -> Records:
    return [each for each in records if each["what"] == what and each.get("call") == call]


def one(records: Records, call: str, event: str, **fields: Any) -> dict[str, Any]:
    wanted = {"event": event, **fields}.items()
    return next(each for each in of_call(records, call) if wanted <= each.items())


def numbered_anew(records: Records, call: str) -> None:
    for number, each in enumerate(of_call(records, call), 1):
        each["sequence"] = number


def drop(records: Records, call: str, event: str, **fields: Any) -> None:
    records.remove(one(records, call, event, **fields))
    numbered_anew(records, call)


def again(records: Records, call: str, event: str, after: int = 1, **fields: Any) -> None:
    """Have an event come once more, later."""
    found = one(records, call, event, **fields)
    at = next(place for place, each in enumerate(records) if each is found)
    records.insert(at + after, dict(found))
    numbered_anew(records, call)


def end(records: Records, call: str) -> dict[str, Any]:
    return of_call(records, call, "end")[0]


Change = Callable[[Records], object]

SEEN: list[tuple[str, str, Change]] = [
    ("a gap", "numbered", lambda r: one(r, "a", "finished").update(sequence=12)),
    ("an event twice", "numbered", lambda r: one(r, "a", "delta", page=2).update(sequence=8)),
    ("a number from 0", "numbered", lambda r: one(r, "b", "started").update(sequence=0)),
    ("nothing begun", "in order", lambda r: drop(r, "a", "started")),
    ("a page without a begin", "in order", lambda r: drop(r, "a", "page_started", page=2)),
    ("a page that begins twice", "in order", lambda r: again(r, "a", "page_started", page=2)),
    ("text after the end", "in order", lambda r: again(r, "a", "delta", 3, page=2)),
    ("a page that ends twice", "in order", lambda r: again(r, "a", "page_finished", page=1)),
    ("no last event", "last", lambda r: drop(r, "a", "finished")),
    ("two last events", "last", lambda r: again(r, "a", "finished")),
    ("a page too few", "whole answer", lambda r: drop(r, "a", "page_finished", page=2)),
    ("a page of `Extract` too few", "whole answer", lambda r: r.remove(of_call(r, "e", "page")[1])),
    (
        "an error after `finished`",
        "last",
        lambda r: end(r, "a").update(status="UNAVAILABLE", reason="SHUTTING_DOWN"),
    ),
    (
        "a status that is not that of `failed`",
        "last",
        lambda r: (
            one(r, "a", "finished").update(event="failed", reason="ENGINE_CRASHED"),
            end(r, "a").update(status="INVALID_ARGUMENT", reason="READER_CRASHED"),
        ),
    ),
    ("no end", "ended", lambda r: r.remove(end(r, "a"))),
    ("no begin", "begun", lambda r: r.remove(of_call(r, "a", "begin")[0])),
    (
        "an error of ours",
        "allowed",
        lambda r: end(r, "b").update(status="INTERNAL", reason="INTERNAL"),
    ),
    (
        "a resumable call that was given up",
        "allowed",
        lambda r: of_call(r, "b", "begin")[0].update(kind="resumable"),
    ),
    (
        "a bad document that was read",
        "allowed",
        lambda r: (
            of_call(r, "b", "begin")[0].update(document="bad", kind="extract")
            or end(r, "b").update(status="OK")
        ),
    ),
    ("deltas of another text", "text", lambda r: one(r, "a", "delta", text="e").update(text="f")),
    (
        "another text",
        "text",
        lambda r: [
            one(r, "a", kind, page=2).update(text="too") for kind in ("delta", "page_finished")
        ],
    ),
    ("another answer", "text", lambda r: of_call(r, "e", "page")[0].update(text="other")),
    (
        "a page that failed for no good reason",
        "page failed",
        lambda r: one(r, "a", "page_finished", page=2).update(
            outcome="FAILED", reason="PAGE_UNREADABLE"
        ),
    ),
    ("a watch with a gap", "numbered", lambda r: one(r, "fw0", "finished").update(sequence=9)),
    (
        "watchers who see different things",
        "watched",
        lambda r: one(r, "fw0", "page_finished", page=1).update(page=2),
    ),
    ("a watch that just ends", "watched", lambda r: drop(r, "fw0", "finished")),
    ("a batch that ends twice", "watched", lambda r: again(r, "fw0", "finished")),
    (
        "a document of a batch twice",
        "whole",
        lambda r: [again(r, f"fw{each}", "document_finished", number=1) for each in (0, 1)],
    ),
    (
        "a page of a batch too few",
        "whole",
        lambda r: [drop(r, f"fw{each}", "page_finished", page=2) for each in (0, 1)],
    ),
    (
        "another result",
        "result",
        lambda r: of_call(r, "fr", "result")[0].update(text="one\fother"),
    ),
    ("a result that nobody gets", "result", lambda r: r.remove(of_call(r, "fr", "result")[0])),
    (
        "results that never came",
        "allowed",
        lambda r: end(r, "fr").update(status="UNAVAILABLE"),
    ),
    ("a call that hangs", "ended", lambda r: end(r, "b").update(status="DEADLINE_EXCEEDED")),
    (
        "a request id that makes two batches",
        "made once",
        lambda r: r.extend(
            [
                {"what": "begin", "call": "g", "kind": "create", "request_id": "b"},
                {"what": "batch", "call": "g", "batch": "C", "documents": []},
                {"what": "end", "call": "g", "status": "OK"},
            ]
        ),
    ),
]


@pytest.mark.parametrize(("name", "rule", "change"), SEEN, ids=[name for name, _, _ in SEEN])
def test_what_a_client_must_not_see_is_found(name, rule, change):
    records, books = deepcopy(good())
    change(records)
    assert rule in broken(records, books), name


BOOKS: list[tuple[str, str, Callable[[Books], object]]] = [
    ("a call that is not there", "written once", lambda b: b.usage.pop(0)),
    ("a call twice", "written once", lambda b: b.usage.append(usage("rpc-e", 0))),
    ("a call as an error", "written once", lambda b: b.usage[0].update(status="UNAVAILABLE")),
    ("a page too few", "charged", lambda b: b.usage[0].update(pages=1)),
    ("a page of a cut call not charged", "charged", lambda b: b.usage[1].update(pages=0)),
    ("more than the document has", "charged", lambda b: b.usage[1].update(pages=3)),
    ("a repetition that costs", "paid once", lambda b: b.usage[3].update(pages=2)),
    ("a repetition that costs nothing at all", "paid once", lambda b: b.request_pages.pop()),
    (
        "pages that the document does not have",
        "paid once",
        lambda b: b.request_pages[0].update(page_number=7),
    ),
    ("pages of nobody", "nobody's", lambda b: b.usage.append(usage("who", 1))),
    ("another sum of a user", "sums", lambda b: b.quotas[0].update(used_pages=7)),
    ("another sum of a key", "sums", lambda b: b.quotas[1].update(used_pages=9)),
    ("an open row", "open", lambda b: b.usage[1].update(status="OPEN")),
    ("reserved pages", "open", lambda b: b.quotas[0].update(reserved_pages=1)),
    ("a document too few", "stored", lambda b: b.batch_documents.pop()),
    ("a page stored too few", "stored", lambda b: b.batch_pages[0].update(pages=1)),
    ("a page of a batch charged twice", "stored", lambda b: b.usage[6].update(pages=3)),
    ("a page that never ended", "stored", lambda b: b.batch_documents[0].update(page_count=3)),
]


@pytest.mark.parametrize(("name", "rule", "change"), BOOKS, ids=[name for name, _, _ in BOOKS])
def test_what_the_ledger_must_not_say_is_found(name, rule, change):
    records, books = deepcopy(good())
    change(books)
    assert rule in broken(records, books), name


def test_what_the_caller_ended_may_be_charged_and_unseen():
    records, books = good()
    end(records, "b").update(status="CANCELLED", left="cancelled")
    assert broken(records, books) == set()
    more = replace(books, usage=[usage("rpc-b", 1), *books.usage[1:]])
    assert "written once" in broken(records, more)


def test_a_deadline_of_the_caller_and_a_bound_of_the_service_are_no_hanging():
    records, books = good()
    end(records, "b").update(status="DEADLINE_EXCEEDED", left="deadline")
    assert broken(records, books) == set()
    del end(records, "b")["left"]
    end(records, "b").update(reason="PAGE_TIMED_OUT")
    assert broken(records, books) == set()


def test_pages_may_have_been_learned_in_another_order():
    records, books = good()
    records[0] = records[0] | {"pages": dict(reversed(TEXTS.items()))}
    assert broken(records, books) == set()


def test_a_resumable_call_may_end_by_pages_that_failed_and_not_otherwise():
    records, books = good()
    of_call(records, "b", "begin")[0].update(kind="resumable")
    end(records, "b").update(status="RESOURCE_EXHAUSTED", reason="SPOOL_FULL")
    assert broken(records, books) == {"allowed"}
    failed = {"what": "event", "call": "b", "sequence": 10, "event": "failed"}
    records.append(failed | {"reason": "SPOOL_FULL"})
    assert broken(records, books) == set()


def test_a_history_is_written_line_by_line_and_judged_from_its_folder(
    tmp_path, monkeypatch, capsys
):
    records, books = good()
    recorder = Recorder(tmp_path)
    for record in records:
        fields = {name: value for name, value in record.items() if name != "what"}
        recorder.note(record["what"], **fields)
        # What a client saw is on disk at once, whatever becomes of the client.
        last = (tmp_path / HISTORY_NAME).read_text().splitlines()[-1]
        assert json.loads(last)["what"] == record["what"]
    recorder.close()
    books.keep(tmp_path)
    monkeypatch.setattr("sys.argv", ["validate", str(tmp_path)])
    main()
    assert "finds nothing" in capsys.readouterr().out
    books.quotas[0]["used_pages"] += 1
    books.keep(tmp_path)
    with pytest.raises(SystemExit):
        main()
    assert "MISS sums: u:" in capsys.readouterr().out
