"""How PgQueuer's own tables are called. They lie in a schema of their own, on PostgreSQL only."""

from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

SCHEMA = "ocr_dispatch"

CHANNEL = Channel("ocr_grpc_chunks")
"""Channels belong to the whole database: others may use PgQueuer in it too."""

# Every name is said here: what is left out is read from the environment, from variables as common
# as CHANNEL or FUNCTION.
NAMES = DBSettings(
    prefix="",
    db_schema=SCHEMA,
    channel=CHANNEL,
    function="queue_changed",
    statistics_table="queue_statistics",
    queue_status_type="queue_status",
    queue_table="queue",
    queue_table_log="queue_log",
    trigger="queue_changed",
    schedules_table="queue_schedules",
    # The log is for nobody: after a crash of the database it may be empty.
    durability=Durability.balanced,
    widen_id=False,
)

BUILDERS = QueryBuilderEnvironment(NAMES), QueryQueueBuilder(NAMES), QuerySchedulerBuilder(NAMES)
"""What queries are made with; they keep what they made."""
