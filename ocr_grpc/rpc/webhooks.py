"""The servicer of WebhooksService: parse, call, map."""

from ocr_grpc.rpc.caller import current_actor, current_principal
from ocr_grpc.rpc.field_changes import changes_of
from ocr_grpc.rpc.field_values import time_to_proto
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.webhook_mapping import (
    delivery_to_proto,
    events_from_proto,
    new_webhook_from_proto,
    state_from_proto,
    webhook_to_proto,
)
from ocr_grpc.v1 import webhooks_service_pb2 as pb
from ocr_grpc.v1.webhooks_service_pb2_grpc import WebhooksServiceServicer
from ocr_grpc.webhooks.deliveries import Deliveries
from ocr_grpc.webhooks.webhooks import Webhooks

UPDATABLE = frozenset({"url", "events", "display_name", "disabled"})


class WebhooksServicer(WebhooksServiceServicer):
    """Answers WebhooksService."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries

    async def CreateWebhook(  # noqa: N802 - the name in the proto
        self, request: pb.CreateWebhookRequest, context: Context
    ) -> pb.CreateWebhookResponse:
        """Make a webhook."""
        webhook, secret = await self._webhooks.create(
            current_principal().user_id, new_webhook_from_proto(request.webhook), current_actor()
        )
        return pb.CreateWebhookResponse(webhook=webhook_to_proto(webhook), secret=secret)

    async def ListWebhooks(  # noqa: N802 - the name in the proto
        self, request: pb.ListWebhooksRequest, context: Context
    ) -> pb.ListWebhooksResponse:
        """Return the caller's webhooks."""
        webhooks, token = await self._webhooks.list(
            current_principal().user_id, request.page_size, request.page_token
        )
        return pb.ListWebhooksResponse(
            webhooks=map(webhook_to_proto, webhooks), next_page_token=token
        )

    async def GetWebhook(  # noqa: N802 - the name in the proto
        self, request: pb.GetWebhookRequest, context: Context
    ) -> pb.GetWebhookResponse:
        """Return one webhook."""
        webhook = await self._webhooks.get(current_principal().user_id, request.webhook_id)
        return pb.GetWebhookResponse(webhook=webhook_to_proto(webhook))

    async def UpdateWebhook(  # noqa: N802 - the name in the proto
        self, request: pb.UpdateWebhookRequest, context: Context
    ) -> pb.UpdateWebhookResponse:
        """Change a webhook."""
        changes = changes_of(request.webhook, request.update_mask, UPDATABLE)
        if "events" in changes:
            changes["events"] = events_from_proto(request.webhook.events)
        webhook = await self._webhooks.update(
            current_principal().user_id, request.webhook_id, changes, current_actor()
        )
        return pb.UpdateWebhookResponse(webhook=webhook_to_proto(webhook))

    async def DeleteWebhook(  # noqa: N802 - the name in the proto
        self, request: pb.DeleteWebhookRequest, context: Context
    ) -> pb.DeleteWebhookResponse:
        """Delete a webhook."""
        await self._webhooks.delete(
            current_principal().user_id, request.webhook_id, current_actor()
        )
        return pb.DeleteWebhookResponse()

    async def RotateWebhookSecret(  # noqa: N802 - the name in the proto
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        """Give a webhook a new secret."""
        webhook, secret, old_expire_time = await self._webhooks.rotate(
            current_principal().user_id,
            request.webhook_id,
            request.overlap_seconds,
            current_actor(),
        )
        return pb.RotateWebhookSecretResponse(
            webhook=webhook_to_proto(webhook),
            secret=secret,
            old_secret_expire_time=time_to_proto(old_expire_time),
        )

    async def ListWebhookDeliveries(  # noqa: N802 - the name in the proto
        self, request: pb.ListWebhookDeliveriesRequest, context: Context
    ) -> pb.ListWebhookDeliveriesResponse:
        """Return the messages to a webhook."""
        deliveries, token = await self._deliveries.list(
            current_principal().user_id,
            request.webhook_id,
            state_from_proto(request.state),
            request.page_size,
            request.page_token,
        )
        return pb.ListWebhookDeliveriesResponse(
            deliveries=map(delivery_to_proto, deliveries), next_page_token=token
        )

    async def ResendWebhookDelivery(  # noqa: N802 - the name in the proto
        self, request: pb.ResendWebhookDeliveryRequest, context: Context
    ) -> pb.ResendWebhookDeliveryResponse:
        """Send a message again."""
        delivery = await self._deliveries.resend(
            current_principal().user_id, request.webhook_id, request.delivery_id
        )
        return pb.ResendWebhookDeliveryResponse(delivery=delivery_to_proto(delivery))
