"""The settings about how long what is kept; part of `settings.py`.

Others that say so stand where what they are about is: `USAGE_RETENTION_DAYS`,
`UPLOAD_RETENTION_HOURS`, `BATCH_RETENTION_HOURS` and `RESUMABLE_SECONDS`.
"""

from pydantic import Field
from pydantic_settings import BaseSettings

MAX_DAYS = 36_500
MAX_HOURS = 24 * 3650


class RetentionSettings(BaseSettings):
    """How long what is kept that is of no use for ever. See docs/privacy.md."""

    retention_interval_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds between two rounds of the job that removes what is over. The alert "
        "OcrRetentionLate counts on one within the hour.",
    )
    document_retention_hours: int = Field(
        default=0,
        ge=0,
        le=MAX_HOURS,
        description="Hours that the documents of a batch stay once it has ended. 0: nothing needs "
        "them then. Uploads can be used for UPLOAD_RETENTION_HOURS.",
    )
    dead_letter_retention_hours: int = Field(
        default=168,
        ge=0,
        le=MAX_HOURS,
        description="Hours after the end of a batch in which chunks that were given up can be "
        "sent again; their documents stay for that long.",
    )
    request_id_retention_hours: int = Field(
        default=24,
        ge=24,
        le=24 * 365,
        description="Hours that request ids are remembered. Callers are promised a day.",
    )
    audit_retention_days: int = Field(
        default=400, ge=31, le=MAX_DAYS, description="Days that events of the audit log stay."
    )
    address_retention_days: int = Field(
        default=30,
        ge=0,
        le=MAX_DAYS,
        description="Days that the addresses of callers stay in them: long enough to look into an "
        "attack.",
    )
    session_retention_days: int = Field(
        default=8,
        ge=8,
        le=MAX_DAYS,
        description="Days that sessions stay once they ended or expired, with the hashes of their "
        "tokens. Access tokens live for up to 7, and a good one must find its session.",
    )
    key_retention_days: int = Field(
        default=90,
        ge=0,
        le=MAX_DAYS,
        description="Days that API keys stay listed once they were revoked or expired, so that "
        "their names tell what the ledger counts.",
    )
    mail_token_retention_days: int = Field(
        default=0,
        ge=0,
        le=MAX_DAYS,
        description="Days that the hashes of mailed tokens stay once they were used or expired. "
        "Nothing needs them.",
    )
    invite_retention_days: int = Field(
        default=30,
        ge=0,
        le=MAX_DAYS,
        description="Days that invitations stay listed once they were used or expired.",
    )
    delivery_retention_days: int = Field(
        default=7,
        ge=0,
        le=MAX_DAYS,
        description="Days that messages to webhooks stay listed once they were delivered.",
    )
    failed_delivery_retention_days: int = Field(
        default=30,
        ge=2,
        le=MAX_DAYS,
        description="Days that those stay that were not, and can be sent again. They are tried for "
        "a day.",
    )
