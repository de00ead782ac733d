"""What every client saw, written down as it came, and read again for the validator.

`history.jsonl` is only ever appended to, one object a line, and each line is flushed:

| what | fields |
| --- | --- |
| `document` | `document`, `pages`: the texts that each page may have, `refusal`: its reason |
| `begin` | `call`, `kind`, `user`, `document`, `request_id` |
| `rpc` | `call`, `rpc`: the id of one RPC of the call, `x-request-id` on the wire |
| `event` | `call`, `sequence`, `event`, and of its fields those that `seen.py` notes |
| `page` | `call`, `page`, `outcome`, `text`: of an answer that has no events |
| `end` | `call`, `status`, `reason`, `left`: how the client itself left, if it did |
| `batch` | `call`, `batch`, `documents`: that a `CreateBatch` made, or found |
| `result` | `call`, `batch`, `number`, `text`: of a document of a batch |
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

HISTORY_NAME = "history.jsonl"

Record = Mapping[str, Any]


class Recorder:
    """Appends to a history. One for all callers of a process; close it at the end."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / HISTORY_NAME).open("a", buffering=1, encoding="utf-8")
        self._calls = 0

    def new_call(self) -> str:
        """Return the name of a call to come."""
        self._calls += 1
        return f"c{self._calls}"

    def note(self, what: str, **fields: object) -> None:
        """Write something down, with the time in seconds since 1970; empty fields are left out."""
        kept = {name: value for name, value in fields.items() if value not in ("", None)}
        record = {"what": what, "at": round(time.time(), 4), **kept}
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Write nothing any more."""
        self._file.close()


@dataclass
class Call:
    """One call as its client saw it; one that went on elsewhere is still the same.

    Attributes:
        name: in the history.
        kind: such as `extract`, `stream`, `upload`, `rest`, `resumable`, `create` or `watch`.
        user: whose key it was made with.
        document: the name of what was to be read; empty for other calls.
        request_id: of the caller's choice; empty if there was none.
        batch: the batch that is watched, or was made.
        documents: what a batch is made of, in order.
        rpcs: the ids of all RPCs it took.
        events: in the order in which they came.
        pages: of an answer without events: outcome and text by page number.
        status: what it ended with; empty if its end was not seen.
        reason: the stable word of the error.
        left: `cancelled` or `deadline` if the client itself ended it, or wanted it to end.
    """

    name: str
    kind: str = ""
    user: str = ""
    document: str = ""
    request_id: str = ""
    batch: str = ""
    documents: list[str] = field(default_factory=list[str])
    rpcs: list[str] = field(default_factory=list[str])
    events: list[Record] = field(default_factory=list[Record])
    pages: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    results: dict[int, str] = field(default_factory=dict[int, str])
    status: str = ""
    reason: str = ""
    left: str = ""

    @property
    def is_stream(self) -> bool:
        """Whether it is the events of one document."""
        return self.kind in ("stream", "upload", "rest", "resumable", "slow")

    @property
    def seen_pages(self) -> dict[int, tuple[str, str]]:
        """Outcome and text of the pages whose end the client saw."""
        if not self.is_stream:
            return self.pages
        ends = (event for event in self.events if event["event"] == "page_finished")
        return {each["page"]: (each["outcome"], each.get("text", "")) for each in ends}

    @property
    def charged_pages(self) -> set[int]:
        """The pages among them that cost something."""
        return {number for number, (outcome, _) in self.seen_pages.items() if outcome != "FAILED"}


@dataclass(frozen=True)
class Known:
    """A document whose text is known.

    Attributes:
        pages: the texts that each page may have, by its number.
        refusal: the reason with which it is refused; empty if it can be read.
    """

    pages: dict[int, list[str]]
    refusal: str = ""


@dataclass
class History:
    """All that was seen."""

    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    documents: dict[str, Known] = field(default_factory=dict[str, Known])

    @classmethod
    def of(cls, records: Iterable[Record]) -> "History":
        """Return what records say."""
        history = cls()
        for record in records:
            history.add(record)
        return history

    @classmethod
    def read(cls, folder: Path) -> "History":
        """Return what was recorded in a folder."""
        with (folder / HISTORY_NAME).open(encoding="utf-8") as lines:
            return cls.of(cast("Record", json.loads(line)) for line in lines)

    def add(self, record: Record) -> None:
        """Take note of a record."""
        if record["what"] == "document":
            pages = {int(number): texts for number, texts in record["pages"].items()}
            self.documents[record["document"]] = Known(pages, record.get("refusal", ""))
            return
        call = self.calls.setdefault(record["call"], Call(record["call"]))
        match record["what"]:
            case "begin" | "end" | "batch":
                for name in record.keys() & vars(call).keys() - {"pages", "events"}:
                    setattr(call, name, record[name])
            case "rpc":
                call.rpcs.append(record["rpc"])
            case "event":
                call.events.append(record)
            case "page":
                call.pages[record["page"]] = (record["outcome"], record.get("text", ""))
            case "result":
                call.results[record["number"]] = record.get("text", "")
            case what:
                raise ValueError(f"A history has no {what!r}.")
