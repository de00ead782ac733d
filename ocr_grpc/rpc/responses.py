"""Turns the events of an extraction into the responses of the streaming RPCs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ocr_grpc.extraction import events
from ocr_grpc.rpc import mapping
from ocr_grpc.v1 import ocr_service_pb2 as pb

Response = TypeVar(
    "Response", pb.StreamExtractResponse, pb.UploadExtractResponse, pb.ResumeExtractResponse
)


@dataclass(frozen=True, slots=True)
class Kept(Generic[Response]):
    """An event that was kept for those who resume, as the response it was kept as."""

    event: events.Event
    response: Response


def pages_ended(item: "events.Event | Kept[Any]") -> int:
    """Return how many pages ended with an event: one or none."""
    event = item.event if isinstance(item, Kept) else item
    return int(isinstance(event, events.PageFinished))


def event_to_proto(
    kind: Callable[..., Response],
    sequence: int,
    event: events.Event,
    ready_workers_of: Callable[[str], int],
) -> Response:
    """Return one event as a response of a streaming RPC; all of these have the same fields."""
    match event:
        case events.Delta():  # most of all
            response = kind(sequence=sequence)
            mapping.fill_delta(response.delta, event)
            return response
        case events.Started():
            ready_workers = ready_workers_of(event.engine.name) if event.engine else 0
            started = mapping.started_to_proto(event, ready_workers)
            return kind(sequence=sequence, started=started)
        case events.PageStarted():
            return kind(sequence=sequence, page_started=mapping.page_started_to_proto(event))
        case events.PageImage():
            return kind(sequence=sequence, page_image=mapping.page_image_to_proto(event))
        case events.Retract():
            return kind(sequence=sequence, retract=mapping.retract_to_proto(event))
        case events.PageFinished():
            return kind(sequence=sequence, page_finished=mapping.page_finished_to_proto(event))
        case events.Finished():
            return kind(sequence=sequence, finished=mapping.finished_to_proto(event))
        case events.Failed():
            return kind(sequence=sequence, failed=mapping.failed_to_proto(event))
