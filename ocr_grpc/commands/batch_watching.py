"""The events of a batch, whatever becomes of the connections they come on."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Protocol

import grpc.aio

from ocr_grpc.commands.batch_link import BatchLink, Retries, first_failure
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

ENDED = (batch_pb2.BATCH_STATE_FINISHED, batch_pb2.BATCH_STATE_CANCELLED)

NOT_READ = 3
"""Exit code when something was not read and the rest was, as `ocr-grpc extract` has it."""

AFTER_A_CLEAN_END_SECONDS = 1.0


class Shown(Protocol):
    """Shows batches to whoever waits for them."""

    def event(self, batch_id: str, event: pb.WatchBatchResponse) -> None:
        """Show what an event says."""
        ...


WhenFinished = Callable[[batch_pb2.BatchDocument], Coroutine[Any, Any, None]]
"""What is done with a document that ended."""


async def batch_of(link: BatchLink, batch_id: str, *, at_once: bool = False) -> batch_pb2.Batch:
    """Return a batch as it is now.

    Args:
        link: to the server.
        batch_id: of the batch.
        at_once: whether to fail at once if the server cannot be reached.

    Raises:
        CommandFailed: there is none, or the server does not answer.
    """
    request = pb.GetBatchRequest(batch_id=batch_id)
    if at_once:
        return (await link.ask(link.batches.GetBatch, request, patience_seconds=0)).batch
    return (await link.ask(link.batches.GetBatch, request)).batch


async def events(
    link: BatchLink, batch_id: str, after_sequence: int = 0
) -> AsyncGenerator[pb.WatchBatchResponse, None]:
    """Yield the events of a batch, each once, until it has ended.

    Args:
        link: to the server, or to one of several.
        batch_id: of the batch.
        after_sequence: the last event that is known.

    Raises:
        CommandFailed: the batch is not there, or the server has been away for too long.
    """
    retries = Retries()
    while True:
        request = pb.WatchBatchRequest(batch_id=batch_id, after_sequence=after_sequence)
        call = link.batches.WatchBatch(request, metadata=await link.metadata())
        try:
            async for event in call:
                retries.good()
                after_sequence = event.sequence
                yield event
                if event.HasField("finished"):
                    return
        except grpc.aio.AioRpcError as error:
            await retries.wait(error)
            continue
        finally:
            call.cancel()
        # An end without an error: there was nothing more to send, or the server is ending.
        if (await batch_of(link, batch_id)).state in ENDED:
            return
        await asyncio.sleep(AFTER_A_CLEAN_END_SECONDS)


async def watch(
    link: BatchLink,
    batch_id: str,
    shown: Shown,
    after_sequence: int = 0,
    when_finished: WhenFinished | None = None,
) -> batch_pb2.Batch:
    """Show a batch until it has ended, and return it.

    Args:
        link: to the server.
        batch_id: of the batch.
        shown: hears every event.
        after_sequence: the last event that is known.
        when_finished: is called once for each document that ended, several at a time.

    Raises:
        CommandFailed: as `events` or `when_finished` do.
        BrokenPipeError: nobody takes what `shown` prints any more.
    """
    try:
        async with (
            asyncio.TaskGroup() as group,
            aclosing(events(link, batch_id, after_sequence)) as stream,
        ):
            async for event in stream:
                shown.event(batch_id, event)
                if when_finished and event.HasField("document_finished"):
                    group.create_task(when_finished(event.document_finished))
    except* (CommandFailed, BrokenPipeError) as failures:
        raise first_failure(failures) from None
    return await batch_of(link, batch_id)


def exit_code(batches: Iterable[batch_pb2.Batch]) -> int:
    """Return what the shell is told of batches that ended."""
    worst = 0
    for batch in batches:
        counts = batch.progress
        if batch.state == batch_pb2.BATCH_STATE_CANCELLED:
            return 1
        if counts.documents_failed or counts.documents_cancelled or counts.pages_failed:
            worst = NOT_READ
    return worst
