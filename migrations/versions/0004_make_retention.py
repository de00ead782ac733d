"""Make what the retention job needs: its lease, and notes of how far it came.

All of it is new and may be NULL, so the previous release runs on unchanged. Rows that it writes are
as if the job had not seen them yet.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ADDRESSES = sa.text("address <> ''")


def upgrade() -> None:
    """Add what this release needs."""
    op.create_table(
        "job_leases",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("holder_id", sa.String(length=32), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("success_time", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_leases")),
    )
    # Not by `batch_alter_table`, which would copy the whole table on SQLite.
    op.add_column("users", sa.Column("erase_time", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("release_time", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_users_delete_time", "users", ["delete_time"])
    op.create_index(
        "ix_batches_release_time_finish_time", "batches", ["release_time", "finish_time"]
    )
    op.create_index(
        "ix_audit_events_addresses",
        "audit_events",
        ["create_time"],
        sqlite_where=ADDRESSES,
        postgresql_where=ADDRESSES,
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_audit_events_addresses", table_name="audit_events")
    op.drop_index("ix_batches_release_time_finish_time", table_name="batches")
    op.drop_index("ix_users_delete_time", table_name="users")
    op.drop_column("batches", "release_time")
    op.drop_column("users", "erase_time")
    op.drop_table("job_leases")
