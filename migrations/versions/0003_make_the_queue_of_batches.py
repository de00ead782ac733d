"""Make the queue that carries chunks of batches to workers.

On PostgreSQL only: PgQueuer's own tables, in a schema of their own. SQLite has one process, which
keeps its queue in memory. What PgQueuer declares today is what is made. When a later version of it
needs more, a migration of its own runs `schema_ddl.render_converge`, which leaves alone what is
there.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy.util import await_only

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the schema and what is in it."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        # Not above: every command reads all migrations, and PgQueuer takes half a second.
        from pgqueuer.adapters.persistence.schema_ddl import render_install

        from ocr_grpc.batches.queue_names import NAMES

        # By the driver itself, on the connection whose transaction this is: SQLAlchemy prepares
        # what it sends, and only single statements can be prepared.
        connection: Any = bind.connection.driver_connection
        await_only(connection.execute(render_install(NAMES)))


def downgrade() -> None:
    """Take it away again; the chunks themselves are in the tables of batches."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SCHEMA ocr_dispatch CASCADE")
