"""Turns what comes over the wire into what a history says of it."""

from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.rpc.status import DETAILS_KEY
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import page_pb2

Fields = dict[str, object]


def outcome_name(outcome: page_pb2.PageOutcome.ValueType) -> str:
    """Return `OK`, `DEGRADED` or `FAILED`."""
    return page_pb2.PageOutcome.Name(outcome).removeprefix("PAGE_OUTCOME_")


def of_extraction(event: Any) -> Fields:
    """Return the fields to note of an event of an extraction, whichever message it is."""
    kind = event.WhichOneof("event")
    fields: Fields = {"sequence": event.sequence, "event": kind}
    inner = getattr(event, kind) if kind else None
    match kind:
        case "started":
            fields |= {"extraction": inner.extraction_id}
        case "page_started" | "page_image":
            fields |= {"page": inner.page_number}
        case "delta":
            fields |= {"page": inner.page_number, "revision": inner.revision, "text": inner.text}
        case "retract":
            fields |= {"page": inner.page_number, "revision": inner.revision}
            fields |= {"offset": inner.offset}
        case "page_finished":
            fields |= {"page": inner.page_number, "revision": inner.revision}
            fields |= {"outcome": outcome_name(inner.outcome), "reason": inner.reason}
            fields |= {"cached": inner.provenance.cached or None}
            return fields | {"text": inner.text or None}
        case "failed":
            fields |= {"reason": inner.reason}
        case _:
            pass
    return fields


class BatchSigns:
    """Notes the events of one watch of a batch, whose documents it learns by their number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, event: batch_pb.WatchBatchResponse) -> Fields:
        """Return the fields to note."""
        kind = event.WhichOneof("event")
        fields: Fields = {"sequence": event.sequence, "event": kind}
        match kind:
            case "document_started":
                started = event.document_started
                self._numbers[started.document_id] = started.number
                return fields | {"number": started.number}
            case "page_finished":
                page = event.page_finished
                fields |= {"number": self._numbers.get(page.document_id, 0)}
                fields |= {"page": page.page_number, "reason": page.reason}
                return fields | {"outcome": outcome_name(page.outcome)}
            case "document_finished":
                ended = event.document_finished
                return fields | {"number": ended.number, "reason": ended.reason}
            case _:
                return fields


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the stable word that the service gave, empty if it never spoke."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""
