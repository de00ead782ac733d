"""The RPCs of webhooks: what requests say reaches the domain, and what it says comes back."""

from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from ocr_grpc.accounts.errors import FieldNotUpdatable, InvalidField
from ocr_grpc.accounts.principal import Limits, Principal, QuotaShare, Role
from ocr_grpc.rpc.caller import Caller, set_current_caller
from ocr_grpc.rpc.webhooks import WebhooksServicer
from ocr_grpc.store.base import utc_now
from ocr_grpc.v1 import webhook_pb2
from ocr_grpc.v1 import webhooks_service_pb2 as pb
from tests.webhooks.support import House, until


class Calls:
    """Calls the servicer as a user does who is signed in."""

    def __init__(self, house: House, user_id: str) -> None:
        self._servicer = WebhooksServicer(house.webhooks, house.deliveries)
        principal = Principal(user_id, "ada", Role.USER, Limits(), QuotaShare(user_id, 0))
        set_current_caller(Caller("10.0.0.7", "call-1", principal))

    async def __call__(self, method: str, **fields):
        request = getattr(pb, f"{method}Request")(**fields)
        return await getattr(self._servicer, method)(request, None)


async def test_a_webhook_from_its_creation_to_its_end(small_house, receiver):
    house, ada = small_house, await small_house.user()
    call = Calls(house, ada)
    asked = webhook_pb2.Webhook(url=receiver.url(), display_name="mine")
    made = await call("CreateWebhook", webhook=asked)
    webhook = made.webhook
    assert webhook.events == [webhook_pb2.WEBHOOK_EVENT_BATCH_FINISHED]
    assert (webhook.url, webhook.display_name, webhook.disabled) == (receiver.url(), "mine", False)
    assert abs(webhook.create_time.ToDatetime(utc_now().tzinfo) - utc_now()) < timedelta(hours=1)
    both = [webhook_pb2.WEBHOOK_EVENT_BATCH_FINISHED, webhook_pb2.WEBHOOK_EVENT_DOCUMENT_FINISHED]
    changed = await call(
        "UpdateWebhook",
        webhook_id=webhook.webhook_id,
        webhook=webhook_pb2.Webhook(events=both[::-1]),
        update_mask=FieldMask(paths=["events", "display_name"]),
    )
    assert (changed.webhook.events, changed.webhook.display_name) == (both, "")
    assert (await call("GetWebhook", webhook_id=webhook.webhook_id)).webhook == changed.webhook
    assert list((await call("ListWebhooks")).webhooks) == [changed.webhook]
    rotated = await call(
        "RotateWebhookSecret", webhook_id=webhook.webhook_id, overlap_seconds=86_400
    )
    assert rotated.secret != made.secret
    assert rotated.old_secret_expire_time.ToDatetime(utc_now().tzinfo) > utc_now()
    event = await house.audit(webhook.webhook_id)
    assert {(each.actor_user_id, each.address) for each in event} == {(ada, "10.0.0.7")}
    await call("DeleteWebhook", webhook_id=webhook.webhook_id)
    assert not (await call("ListWebhooks")).webhooks


async def test_deliveries_are_listed_by_state_and_sent_again(small_house, receiver):
    house, ada = small_house, await small_house.user()
    call = Calls(house, ada)
    [webhook_id] = await house.keep(ada, receiver.url())
    receiver.answers("/hook", 500)
    await house.tell(ada)
    house.clock.ahead = timedelta(hours=25)

    async def failed() -> list[webhook_pb2.WebhookDelivery]:
        state = webhook_pb2.DELIVERY_STATE_FAILED
        return (await call("ListWebhookDeliveries", webhook_id=webhook_id, state=state)).deliveries

    async with house.sending():
        await until(failed)
    [delivery] = await failed()
    assert delivery.event_type == "batch.finished"
    assert delivery.payload == receiver.messages[0].body
    assert not delivery.HasField("next_attempt_time")
    [attempt] = delivery.attempts
    assert (attempt.http_status, attempt.problem) == (500, "It was answered with the status 500.")
    assert attempt.duration_seconds > 0
    again = await call(
        "ResendWebhookDelivery", webhook_id=webhook_id, delivery_id=delivery.delivery_id
    )
    assert again.delivery.state == webhook_pb2.DELIVERY_STATE_WAITING
    assert again.delivery.HasField("next_attempt_time")
    assert not await failed()


async def test_values_that_this_version_does_not_know_are_refused(small_house, receiver):
    house, ada = small_house, await small_house.user()
    call = Calls(house, ada)
    [webhook_id] = await house.keep(ada, receiver.url())
    for events in ([0], [99]):
        with pytest.raises(InvalidField):
            await call("CreateWebhook", webhook={"url": receiver.url(), "events": events})
    with pytest.raises(InvalidField):
        await call("ListWebhookDeliveries", webhook_id=webhook_id, state=99)
    with pytest.raises(FieldNotUpdatable):
        await call("UpdateWebhook", webhook_id=webhook_id, webhook={"webhook_id": "another"})
    with pytest.raises(InvalidField):
        await call("UpdateWebhook", webhook_id=webhook_id)
    assert receiver.all == []
