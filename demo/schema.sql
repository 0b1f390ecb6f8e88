-- The PLM's five tables as this service meets them, with exactly the indexes that it may count on.
-- The columns after the blank line of each table are the PLM's own business; the service never reads them.

CREATE TABLE IF NOT EXISTS meta_conversion_jobs (
    id varchar PRIMARY KEY,
    task_type varchar(50) NOT NULL,
    payload jsonb NOT NULL,
    status varchar(20),
    attempt_count integer,
    max_attempts integer,
    last_error text,
    dedupe_key varchar(120),
    created_at timestamp,

    priority integer DEFAULT 10,
    worker_id varchar(100),
    started_at timestamp,
    completed_at timestamp
);
CREATE INDEX IF NOT EXISTS ix_meta_conversion_jobs_status ON meta_conversion_jobs (status);
CREATE INDEX IF NOT EXISTS ix_meta_conversion_jobs_dedupe_key ON meta_conversion_jobs (dedupe_key);

CREATE TABLE IF NOT EXISTS meta_workflow_custom_action_runs (
    id varchar PRIMARY KEY,
    rule_id varchar NOT NULL,
    object_id varchar NOT NULL,
    target_object varchar(60) NOT NULL,
    from_state varchar(120),
    to_state varchar(120),
    trigger_phase varchar(30) NOT NULL,
    status varchar(30) NOT NULL,
    attempts integer NOT NULL,
    last_error text,
    result jsonb,
    created_at timestamp NOT NULL,

    updated_at timestamp
);
CREATE INDEX IF NOT EXISTS ix_meta_workflow_custom_action_runs_rule_id
    ON meta_workflow_custom_action_runs (rule_id);
CREATE INDEX IF NOT EXISTS ix_meta_workflow_custom_action_runs_object_id
    ON meta_workflow_custom_action_runs (object_id);

CREATE TABLE IF NOT EXISTS meta_breakage_incidents (
    id varchar PRIMARY KEY,
    description text NOT NULL,
    responsibility varchar(120),
    status varchar(30) NOT NULL,
    severity varchar(30) NOT NULL,
    created_at timestamp NOT NULL,

    product_item_id varchar,
    batch_code varchar(120),
    customer_name varchar(200),
    updated_at timestamp
);
CREATE INDEX IF NOT EXISTS ix_meta_breakage_incidents_status ON meta_breakage_incidents (status);
CREATE INDEX IF NOT EXISTS ix_meta_breakage_incidents_severity ON meta_breakage_incidents (severity);

CREATE TABLE IF NOT EXISTS meta_consumption_plans (
    id varchar PRIMARY KEY,
    state varchar(30) NOT NULL,
    properties jsonb,
    created_at timestamp NOT NULL,

    name varchar(200),
    item_id varchar,
    planned_quantity double precision,
    uom varchar(20)
);
CREATE INDEX IF NOT EXISTS ix_meta_consumption_plans_name ON meta_consumption_plans (name);
CREATE INDEX IF NOT EXISTS ix_meta_consumption_plans_state ON meta_consumption_plans (state);
CREATE INDEX IF NOT EXISTS ix_meta_consumption_plans_item_id ON meta_consumption_plans (item_id);

-- Not read at all: the overlay cache's counters are in Redis.
CREATE TABLE IF NOT EXISTS meta_3d_overlays (
    id varchar PRIMARY KEY,

    document_item_id varchar NOT NULL UNIQUE,
    version_label varchar(120),
    status varchar(30),
    part_refs jsonb,
    properties jsonb,
    created_at timestamp,
    updated_at timestamp
);
