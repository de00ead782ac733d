"""A batch tells its owner's webhook how it ended, over a real server."""

import json

import pytest

from ocr_grpc.fetching.errors import UrlNotAllowed
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import batch_pb2, webhook_pb2
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import webhooks_service_pb2 as pb
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceStub
from ocr_grpc.v1.webhooks_service_pb2_grpc import WebhooksServiceStub
from ocr_grpc.wiring.batch_services import make_poster
from ocr_grpc.wiring.errors import CannotServe
from tests.support import channel_to, running
from tests.webhooks.receiver import receiving


async def test_a_batch_tells_how_it_and_its_documents_ended(folder):
    settings = {"webhook_private": True, "webhook_hosts": "*:*", "batches_in_serve": True}
    async with receiving() as receiver, running(folder, **settings) as server:
        channel = channel_to(server)
        webhooks, batches = WebhooksServiceStub(channel), BatchServiceStub(channel)
        events = [
            webhook_pb2.WEBHOOK_EVENT_BATCH_FINISHED,
            webhook_pb2.WEBHOOK_EVENT_DOCUMENT_FINISHED,
        ]
        asked = webhook_pb2.Webhook(url=receiver.url(), events=events)
        made = await webhooks.CreateWebhook(pb.CreateWebhookRequest(webhook=asked))
        documents = [
            batch_pb.NewBatchDocument(file_name="a.txt", content=b"Plain text."),
            batch_pb.NewBatchDocument(file_name="b.pdf", content=b"%PDF-1.7 and no more"),
        ]
        begun = await batches.CreateBatch(batch_pb.CreateBatchRequest(documents=documents))
        told = await receiver.has(3)
        await channel.close()
    assert all(each.is_signed_with(made.secret) for each in told)
    by_type = {"batch.finished": [], "document.finished": []}
    for each in told:
        by_type[each.message["type"]].append(each.message["data"])
    [batch] = by_type["batch.finished"]
    assert batch["batch_id"] == begun.batch.batch_id
    assert batch["state"] == batch_pb2.BatchState.Name(batch_pb2.BATCH_STATE_FINISHED)
    assert batch["documents"] == 2
    assert {each["file_name"] for each in by_type["document.finished"]} == {"a.txt", "b.pdf"}
    assert "Plain text" not in json.dumps([each.body for each in told])


async def test_addresses_of_this_network_are_refused_unless_a_setting_allows_them(folder):
    async with receiving() as receiver:
        by_default = make_poster(Settings(_env_file=None, data_dir=folder))
        for url in (receiver.url(), f"https://127.0.0.1:{receiver.port}/", "https://localhost/"):
            with pytest.raises(UrlNotAllowed):
                await by_default.post(url, {}, "{}")
        assert receiver.all == []
    with pytest.raises(CannotServe, match="WEBHOOK_HOSTS"):
        make_poster(Settings(_env_file=None, data_dir=folder, webhook_hosts="ftp://a.example"))
