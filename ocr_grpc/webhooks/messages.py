"""Writes and signs messages as https://www.standardwebhooks.com says."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32
SECRET_MARK = "whsec_"  # noqa: S105 - what secrets begin with


def new_secret() -> str:
    """Return a secret, as its owner is shown it."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(event_type: str, moment: datetime, payload: Mapping[str, object]) -> str:
    """Return the body of a message, JSON.

    Args:
        event_type: what it tells of, such as `batch.finished`.
        moment: when that happened, in UTC.
        payload: more about it.
    """
    timestamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {"type": event_type, "timestamp": timestamp, "data": payload}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def headers_of(
    message_id: str, body: str, signing: Sequence[str], moment: datetime
) -> dict[str, str]:
    """Return the headers of a message.

    Args:
        message_id: the same at every attempt, so that a receiver can tell what it had before.
        body: what is signed.
        signing: the secrets, more than one while they are being rotated.
        moment: of this attempt, in UTC; receivers refuse what is some minutes old.
    """
    signatures = (Webhook(secret).sign(message_id, moment, body) for secret in signing)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
