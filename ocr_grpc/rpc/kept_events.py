"""Events as they are kept for those who resume: the messages that were sent, and what they tell."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction import events
from ocr_grpc.extraction.options import Mode
from ocr_grpc.resumption.continuation import Continuation
from ocr_grpc.resumption.entries import KeptEvent
from ocr_grpc.rpc.responses import Response, event_to_proto
from ocr_grpc.v1 import extraction_pb2, page_pb2, usage_pb2
from ocr_grpc.v1 import ocr_service_pb2 as pb

_OUTCOMES = {
    page_pb2.PAGE_OUTCOME_OK: events.PageOutcome.OK,
    page_pb2.PAGE_OUTCOME_DEGRADED: events.PageOutcome.DEGRADED,
    page_pb2.PAGE_OUTCOME_FAILED: events.PageOutcome.FAILED,
}


def kept_event(
    kind: Callable[..., Response],
    sequence: int,
    event: events.Event,
    ready_workers_of: Callable[[str], int],
) -> tuple[KeptEvent, Response]:
    """Return an event to keep, and the response it leaves as; all of these have the same fields."""
    response = event_to_proto(kind, sequence, event, ready_workers_of)
    kept = KeptEvent(
        sequence,
        getattr(event, "page_number", None),
        response.WhichOneof("event") or "",
        response.SerializeToString(),
        last=isinstance(event, events.Finished | events.Failed),
    )
    return kept, response


def replayed(kept: KeptEvent) -> pb.ResumeExtractResponse:
    """Return an event as the response to whoever resumes."""
    return pb.ResumeExtractResponse.FromString(kept.payload)


def note(continuation: Continuation, kept: KeptEvent) -> None:
    """Have a continuation know of an event that was sent."""
    response = replayed(kept)
    match response.WhichOneof("event"):
        case "page_started":
            continuation.page(response.page_started.page_number).started = True
        case "page_image":
            continuation.page(response.page_image.page_number).pictured = True
        case "delta":
            page = continuation.page(response.delta.page_number)
            page.revisions.add(response.delta.revision)
        case "page_finished":
            continuation.totals.add(_page_that_ended(response.page_finished))
        case _:
            pass


async def continued(
    events_of_rest: AsyncGenerator[events.Event, None], continuation: Continuation
) -> AsyncGenerator[events.Event, None]:
    """Yield what callers get for the events of the pages that were left."""
    async with aclosing(events_of_rest):
        async for event in events_of_rest:
            for each in continuation.events(event):
                yield each


def _page_that_ended(finished: extraction_pb2.PageFinished) -> events.PageFinished:
    """Return as much of the end of a page as sums are made of."""
    return events.PageFinished(
        page_number=finished.page_number,
        outcome=_OUTCOMES[finished.outcome],
        provenance=events.Provenance(Mode.AUTO),
        usage=_usage(finished.usage),
        error=_error(finished.reason, finished.message) if finished.reason else None,
    )


def _usage(usage: usage_pb2.Usage) -> events.Usage:
    return events.Usage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.prompt_chars,
        usage.completion_chars,
        usage.input_bytes,
        usage.pages,
        usage.tokens_estimated,
    )


def _error(reason: str, message: str) -> OcrError:
    """Return an error as it was told, of the class that has its status."""
    found = next((each for each in _errors(OcrError) if each.reason == reason), OcrError)
    if issubclass(found, InvalidOption):
        found = OcrError  # not of pages
    error = found.__new__(found)
    OcrError.__init__(error, message)
    error.reason = reason
    return error


def _errors(kind: type[OcrError]) -> Iterator[type[OcrError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _errors(each)
