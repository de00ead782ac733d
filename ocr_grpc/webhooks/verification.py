"""Asks an address whether it wants to be told, so that nobody aims webhooks at strangers."""

import secrets
from collections.abc import Sequence

from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.webhooks.errors import WebhookNotVerified
from ocr_grpc.webhooks.messages import body_of, headers_of
from ocr_grpc.webhooks.posting import Poster

EVENT_TYPE = "webhook.verification"


async def verify(poster: Poster, url: str, signing: Sequence[str]) -> None:
    """Send a challenge to an address, and see that it comes back.

    Args:
        poster: sends it.
        url: where to.
        signing: the secrets of the webhook.

    Raises:
        InvalidUrl, UrlNotAllowed: the URL may not be asked.
        WebhookNotVerified: the answer is not the right one.
    """
    challenge, now = secrets.token_urlsafe(32), utc_now()
    body = body_of(EVENT_TYPE, now, {"challenge": challenge})
    headers = headers_of(new_id(), body, signing, now)
    answer = await poster.post(url, headers, body, keep_body=True)
    if answer.problem:
        raise WebhookNotVerified(answer.problem, answer.status)
    if challenge.encode() not in answer.body:
        raise WebhookNotVerified("The answer does not contain the challenge.", answer.status)
