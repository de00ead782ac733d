"""Has a server answer the services about batches and webhooks."""

from contextlib import AsyncExitStack

import grpc.aio

from ocr_grpc.batches.results import Results
from ocr_grpc.extraction.extractor import Extractor
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.rpc.batch_results import BatchResults, result_codec
from ocr_grpc.rpc.batches import BatchAreas, BatchServicer
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.rpc.intake import Intake
from ocr_grpc.rpc.webhooks import WebhooksServicer
from ocr_grpc.settings import Settings
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.v1.batch_service_pb2_grpc import add_BatchServiceServicer_to_server
from ocr_grpc.v1.webhooks_service_pb2_grpc import add_WebhooksServiceServicer_to_server
from ocr_grpc.webhooks.deliveries import Deliveries
from ocr_grpc.webhooks.posting import Poster
from ocr_grpc.webhooks.sender import Sender
from ocr_grpc.webhooks.webhooks import Webhooks
from ocr_grpc.wiring.batches import Batches, Kept
from ocr_grpc.wiring.errors import CannotServe


def add_batch_service(
    server: grpc.aio.Server,
    kept: Kept,
    batches: Batches,
    extractor: Extractor,
    intake: Intake,
    limits: OcrLimits,
) -> None:
    """Have the server answer BatchService."""
    areas = BatchAreas(
        batches.creation,
        batches.queries,
        batches.watching,
        batches.ending,
        kept.files,
        BatchResults(Results(kept.database, batches.queries, result_codec()), intake.folder),
        kept.seal,
        limits,
        extractor.admitted,
        intake.admitted,
    )
    add_BatchServiceServicer_to_server(BatchServicer(areas), server)


def make_poster(settings: Settings) -> Poster:
    """Return what posts messages.

    Raises:
        CannotServe: the list of hosts is not one.
    """
    try:
        hosts = AllowedHosts.parse(settings.webhook_hosts)
    except ValueError as error:
        raise CannotServe(f"WEBHOOK_HOSTS: {error}.") from None
    return Poster(hosts, settings.webhook_private)


async def add_webhooks_service(
    server: grpc.aio.Server,
    settings: Settings,
    kept: Kept,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> None:
    """Have the server answer WebhooksService, and send the messages."""
    poster = make_poster(settings)
    sender = Sender(kept.database, kept.seal, poster, metrics)
    stack.push_async_callback(sender.close)
    await sender.start()
    servicer = WebhooksServicer(
        Webhooks(kept.database, kept.seal, poster), Deliveries(kept.database, sender.wake)
    )
    add_WebhooksServiceServicer_to_server(servicer, server)
