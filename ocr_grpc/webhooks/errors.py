"""What can be wrong with a webhook. No message repeats a URL's query, or what its host said."""

from ocr_grpc.accounts.errors import NotFound, NotNow
from ocr_grpc.errors import OcrError


class WebhookNotFound(NotFound):
    """There is no such webhook, or it belongs to somebody else."""

    reason = "WEBHOOK_NOT_FOUND"

    def __init__(self, webhook_id: str) -> None:
        super().__init__("There is no such webhook.", webhook_id=webhook_id[:64])


class DeliveryNotFound(NotFound):
    """There is no such message to that webhook, or not any more."""

    reason = "DELIVERY_NOT_FOUND"

    def __init__(self, delivery_id: str) -> None:
        super().__init__(
            "There is no such delivery to this webhook. Those that arrived are kept for 7 days, "
            "others for 30.",
            delivery_id=delivery_id[:64],
        )


class WebhookNotVerified(NotNow):
    """The address did not show that it wants to be told."""

    reason = "WEBHOOK_NOT_VERIFIED"

    def __init__(self, why: str, http_status: int) -> None:
        super().__init__(
            "The address was sent a message `webhook.verification` and must answer with a status "
            f"of 200 to 299 and a body that contains its `challenge`, but: {why}",
            http_status=http_status,
        )


class WebhookDisabled(NotNow):
    """Nothing is sent to a webhook that is switched off."""

    reason = "WEBHOOK_DISABLED"

    def __init__(self) -> None:
        super().__init__("The webhook is switched off. Set `disabled` to false first.")


class TooManyWebhooks(OcrError):
    """The user has as many webhooks as allowed."""

    reason = "TOO_MANY_WEBHOOKS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A user has at most {limit} webhooks. Delete one first.", limit=limit)


class TooManyVerifications(OcrError):
    """An address of this user is being verified, or there were too many of theirs or of all."""

    reason = "TOO_MANY_VERIFICATIONS"

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(
            "An address is being verified, or too many were lately. Try again in "
            f"{retry_after_seconds:.0f} s."
        )
        self.retry_after_seconds = retry_after_seconds
