"""WebhooksService: all of its RPCs, with a receiver that checks signatures."""

import asyncio
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import until
from standardwebhooks import Webhook as Verifier

from ocr_grpc_client import NewBatchDocument, OcrError
from ocr_grpc_client.messages import (
    CreateWebhookRequest,
    DeleteWebhookRequest,
    DeliveryState,
    FieldMask,
    GetWebhookRequest,
    ListWebhookDeliveriesRequest,
    ListWebhooksRequest,
    ResendWebhookDeliveryRequest,
    RotateWebhookSecretRequest,
    UpdateWebhookRequest,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)

Message = tuple[bytes, dict[str, str]]


class Receiver:
    """An address that webhooks may go to."""

    def __init__(self) -> None:
        messages: queue.Queue[Message] = queue.Queue()
        self._messages = messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                challenge = json.loads(body)["data"].get("challenge", "")
                self.send_response(200)
                self.end_headers()
                self.wfile.write(challenge.encode())
                if not challenge:
                    messages.put((body, dict(self.headers)))

            def log_message(self, format: str, *values: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    async def message(self, secret: str) -> dict[str, str]:
        """Wait for a message, check its signature, and return it."""
        body, headers = await asyncio.to_thread(self._messages.get, timeout=60)
        return Verifier(secret).verify(body, headers)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


async def test_a_webhook_is_told_of_a_batch_and_told_again(ann, receiver):
    hooks = ann.client.webhooks
    made = await hooks.create_webhook(
        CreateWebhookRequest(
            webhook=Webhook(url=receiver.url, events=[WebhookEvent.BATCH_FINISHED])
        )
    )
    webhook_id = made.webhook.webhook_id
    batch = await ann.client.create_batch([NewBatchDocument(content=b"Hello", file_name="a.txt")])
    message = await receiver.message(made.secret)
    assert (message["type"], message["data"]["batch_id"]) == ("batch.finished", batch.batch_id)

    request = ListWebhookDeliveriesRequest(webhook_id=webhook_id, state=DeliveryState.DELIVERED)

    async def delivered() -> list[WebhookDelivery]:
        return (await hooks.list_webhook_deliveries(request)).deliveries

    found = await until(delivered)
    assert [each.batch_id for each in found] == [batch.batch_id]

    rotated = await hooks.rotate_webhook_secret(RotateWebhookSecretRequest(webhook_id=webhook_id))
    assert rotated.secret != made.secret
    again = await hooks.resend_webhook_delivery(
        ResendWebhookDeliveryRequest(webhook_id=webhook_id, delivery_id=found[0].delivery_id)
    )
    assert again.delivery.state is DeliveryState.WAITING
    assert await receiver.message(rotated.secret) == message


async def test_a_webhook_is_listed_changed_and_deleted(ann, receiver):
    hooks = ann.client.webhooks
    made = await hooks.create_webhook(CreateWebhookRequest(webhook=Webhook(url=receiver.url)))
    webhook_id = made.webhook.webhook_id
    changed = await hooks.update_webhook(
        UpdateWebhookRequest(
            webhook_id=webhook_id,
            webhook=Webhook(display_name="archive", disabled=True),
            update_mask=FieldMask(paths=["display_name", "disabled"]),
        )
    )
    assert (changed.webhook.display_name, changed.webhook.disabled) == ("archive", True)
    listed = await hooks.list_webhooks(ListWebhooksRequest())
    assert [each.webhook_id for each in listed.webhooks] == [webhook_id]
    shown = await hooks.get_webhook(GetWebhookRequest(webhook_id=webhook_id))
    assert shown.webhook == changed.webhook
    await hooks.delete_webhook(DeleteWebhookRequest(webhook_id=webhook_id))
    with pytest.raises(OcrError) as gone:
        await hooks.get_webhook(GetWebhookRequest(webhook_id=webhook_id))
    assert gone.value.reason == "WEBHOOK_NOT_FOUND"


async def test_an_address_that_does_not_answer_is_refused(ann, receiver):
    receiver.server.RequestHandlerClass = BaseHTTPRequestHandler  # answers 501 to everything
    with pytest.raises(OcrError) as refused:
        await ann.client.webhooks.create_webhook(
            CreateWebhookRequest(webhook=Webhook(url=receiver.url))
        )
    assert refused.value.reason == "WEBHOOK_NOT_VERIFIED"
