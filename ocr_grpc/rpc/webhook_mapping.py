"""Webhooks and their deliveries as messages: pure functions, field by field."""

from collections.abc import Iterable

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.rpc.field_values import time_to_proto
from ocr_grpc.v1 import webhook_pb2 as pb
from ocr_grpc.webhooks.deliveries import Attempt, Delivery
from ocr_grpc.webhooks.webhook_rows import (
    BATCH_FINISHED,
    DELIVERED,
    DOCUMENT_FINISHED,
    FAILED,
    WAITING,
    NewWebhook,
    Webhook,
)

_EVENTS = {
    pb.WEBHOOK_EVENT_BATCH_FINISHED: BATCH_FINISHED,
    pb.WEBHOOK_EVENT_DOCUMENT_FINISHED: DOCUMENT_FINISHED,
}
_EVENT_VALUES = {name: value for value, name in _EVENTS.items()}

_STATES = {
    pb.DELIVERY_STATE_UNSPECIFIED: None,
    pb.DELIVERY_STATE_WAITING: WAITING,
    pb.DELIVERY_STATE_DELIVERED: DELIVERED,
    pb.DELIVERY_STATE_FAILED: FAILED,
}
_STATE_VALUES = {name: value for value, name in _STATES.items() if name}


def events_from_proto(events: "Iterable[pb.WebhookEvent.ValueType]") -> tuple[str, ...]:
    """Return what a webhook is told, by name.

    Raises:
        InvalidField: one is unspecified, or a number that this version does not know.
    """
    chosen = tuple(events)
    for event in chosen:
        if event not in _EVENTS:
            raise InvalidField(
                f"{event} is no event that this server knows.", field="webhook.events"
            )
    return tuple(_EVENTS[event] for event in chosen)


def new_webhook_from_proto(webhook: pb.Webhook) -> NewWebhook:
    """Return what a new webhook is to be.

    Raises:
        InvalidField: its events.
    """
    return NewWebhook(
        url=webhook.url,
        events=events_from_proto(webhook.events),
        display_name=webhook.display_name,
        disabled=webhook.disabled,
    )


def webhook_to_proto(webhook: Webhook) -> pb.Webhook:
    """Return a webhook as a message."""
    return pb.Webhook(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        events=[_EVENT_VALUES[event] for event in webhook.events],
        display_name=webhook.display_name,
        disabled=webhook.disabled,
        create_time=time_to_proto(webhook.create_time),
    )


def state_from_proto(state: "pb.DeliveryState.ValueType") -> str | None:
    """Return where deliveries stand that are asked for, None for all.

    Raises:
        InvalidField: a number that this version does not know.
    """
    if state not in _STATES:
        raise InvalidField(f"{state} is no state that this server knows.", field="state")
    return _STATES[state]


def delivery_to_proto(delivery: Delivery) -> pb.WebhookDelivery:
    """Return a delivery as a message."""
    return pb.WebhookDelivery(
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.webhook_id,
        event_type=delivery.event_type,
        batch_id=delivery.batch_id,
        state=_STATE_VALUES[delivery.state],
        create_time=time_to_proto(delivery.create_time),
        next_attempt_time=time_to_proto(delivery.next_attempt_time),
        attempts=map(_attempt_to_proto, delivery.attempts),
        payload=delivery.body,
    )


def _attempt_to_proto(attempt: Attempt) -> pb.DeliveryAttempt:
    return pb.DeliveryAttempt(
        create_time=time_to_proto(attempt.create_time),
        http_status=attempt.status,
        problem=attempt.problem,
        duration_seconds=attempt.seconds,
    )
