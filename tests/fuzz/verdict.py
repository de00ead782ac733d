"""How a call ended, and whether it may end like that: only as the README says."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.rpc.status import DETAILS_KEY, DOMAIN
from ocr_grpc.v1 import page_pb2

README = Path(__file__).parent.parent.parent / "README.md"
LONGEST_SECONDS = 60.0
NEVER = frozenset(("UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED", "UNIMPLEMENTED"))
LIMITS = frozenset((
    "TOO_MANY_PAGES", "PAGE_TOO_LARGE", "DOCUMENT_TOO_LARGE", "READER_TIMED_OUT",
    "DOCUMENT_TIMED_OUT",
    "ARCHIVE_TOO_MANY_MEMBERS", "ARCHIVE_TOO_LARGE", "ARCHIVE_RATIO_TOO_HIGH", "TOO_MANY_PICTURES",
    "READER_OUT_OF_MEMORY",
))  # fmt: skip
"""Reasons that name the setting which was reached."""


@dataclass
class Ended:
    """How a call ended: code and reason, the reasons of its pages, and what is wrong in that."""

    code: str = "OK"
    reason: str = ""
    pages: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Documented:
    """The reasons that the README promises, by code."""

    def __init__(self) -> None:
        text = README.read_text()
        self._of_calls = {
            (code, reason)
            for code, reasons in re.findall(r"^\| `([A-Z_]+)`[^|]*\| (.*) \|$", text, re.MULTILINE)
            for reason in re.findall(r"`([A-Z_]+)`", reasons)
        }
        self._anywhere = set(re.findall(r"`([A-Z][A-Z_]+)`", text))

    def judge(self, ended: Ended) -> None:
        """Add to the problems what is wrong with the code and the reasons."""
        if ended.code in NEVER:
            ended.problems.append(f"ended as {ended.code}")
        elif ended.code != "OK" and (ended.code, ended.reason) not in self._of_calls:
            ended.problems.append(
                f"{ended.code} {ended.reason or 'without a reason'} is undocumented"
            )
        for reason in ended.pages:
            if reason not in self._anywhere:
                ended.problems.append(f"{reason or 'no reason'} of a page is undocumented")
        if ended.seconds > LONGEST_SECONDS:
            ended.problems.append(f"took {ended.seconds:.0f} s")


def failed(error: grpc.aio.AioRpcError, ended: Ended) -> None:
    """Note how a call failed, and whether its details are as they should be."""
    ended.code = error.code().name
    packed = dict(error.trailing_metadata() or ()).get(DETAILS_KEY)
    if packed is None:
        ended.problems.append(f"{ended.code} has no details: {error.details()}")
        return
    status = status_pb2.Status.FromString(packed)
    ended.reason = _judged(status, ended)
    if (status.code, status.message) != (error.code().value[0], error.details()):
        ended.problems.append("the details are of another status")


def _judged(status: status_pb2.Status, ended: Ended) -> str:
    """Return the reason of a status, after a look at its details."""
    info = error_details_pb2.ErrorInfo()
    if not any(detail.Unpack(info) for detail in status.details):
        ended.problems.append("no ErrorInfo")
        return ""
    if info.domain != DOMAIN or not info.reason or not status.message:
        ended.problems.append("an ErrorInfo without domain, reason or sentence")
    if info.reason in LIMITS and not info.metadata.get("setting"):
        ended.problems.append(f"{info.reason} names no setting")
    return info.reason


def events_end_well(events: Sequence[Any], ended: Ended) -> None:
    """Check the rules of `extraction.proto` on what a stream brought."""
    if [event.sequence for event in events] != list(range(1, len(events) + 1)):
        ended.problems.append("a gap in the sequence")
    kinds = [event.WhichOneof("event") for event in events]
    last = "finished" if ended.code == "OK" else "failed"
    if kinds[-1:] != [last] or kinds.count("finished") + kinds.count("failed") != 1:
        ended.problems.append(f"the last event is not {last} but {kinds[-1:]}")
    elif last == "failed" and events[-1].failed.reason != ended.reason:
        ended.problems.append("the last event has another reason than the call")
    texts = _texts(events)
    for event in events:
        if event.HasField("page_finished"):
            page = event.page_finished
            if page.outcome != page_pb2.PAGE_OUTCOME_FAILED and (
                page.text != texts.get(page.page_number, "")
            ):
                ended.problems.append(f"page {page.page_number} is not its deltas")
    pages_end_well((it.page_finished for it in events if it.HasField("page_finished")), ended)


def _texts(events: Sequence[Any]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for event in events:
        if event.HasField("delta"):
            number = event.delta.page_number
            texts[number] = texts.get(number, "") + event.delta.text
        elif event.HasField("retract"):
            number = event.retract.page_number
            texts[number] = texts.get(number, "")[: event.retract.offset]
    return texts


def pages_end_well(pages: Iterator[Any], ended: Ended) -> None:
    """Note the reasons of pages that did not end as OK."""
    for page in pages:
        if page.outcome != page_pb2.PAGE_OUTCOME_OK:
            ended.pages[page.reason] += 1
            if not page.message:
                ended.problems.append(f"{page.reason} of a page without a sentence")
