"""The PLM's tables, as far as this service reads them."""

from sqlalchemy import Column, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData()

jobs = Table(
    "meta_conversion_jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("task_type", String(50), nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("status", String(20)),
    Column("attempt_count", Integer),
    Column("max_attempts", Integer),
    Column("last_error", Text),
    Column("dedupe_key", String(120)),
    Column("created_at", TIMESTAMP),
)

runs = Table(
    "meta_workflow_custom_action_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("rule_id", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("target_object", String(60), nullable=False),
    Column("from_state", String(120)),
    Column("to_state", String(120)),
    Column("trigger_phase", String(30), nullable=False),
    Column("status", String(30), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("result", JSONB),
    Column("created_at", TIMESTAMP, nullable=False),
)

incidents = Table(
    "meta_breakage_incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("description", Text, nullable=False),
    Column("responsibility", String(120)),
    Column("status", String(30), nullable=False),
    Column("severity", String(30), nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
)

plans = Table(
    "meta_consumption_plans",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String(30), nullable=False),
    Column("properties", JSONB),
    Column("created_at", TIMESTAMP, nullable=False),
)

# What is read of which table, by the names of sections and lists.
TABLE_OF = {
    "doc_sync": jobs.name,
    "doc_sync_failures": jobs.name,
    "doc_sync_errors": jobs.name,
    "workflow_actions": runs.name,
    "workflow_failures": runs.name,
    "workflow_errors": runs.name,
    "breakages": incidents.name,
    "open_breakages": incidents.name,
    "consumption_templates": plans.name,
}
