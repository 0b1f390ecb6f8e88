-- Rows for benchmarks/duty.py: as many as it likes, in the order of their time, and quicker than the demo's. They
-- are plain where the demo's are ugly, but as wide, and as varied in what the service groups by.
-- Run once, on the PLM's tables. Each function adds the rows with the numbers first_row to last_row, the first of
-- them dated `starts` and each a `step` later.

CREATE SCHEMA duty;

-- One of the choices.
CREATE FUNCTION duty.pick(choices text[]) RETURNS text LANGUAGE sql VOLATILE
RETURN choices[1 + floor(random() * cardinality(choices))::integer];

-- A whole number from 1 up to `most`.
CREATE FUNCTION duty.upto(most integer) RETURNS integer LANGUAGE sql VOLATILE
RETURN 1 + floor(random() * most)::integer;

-- Identifiers follow the time, as those of UUID version 7 do.
CREATE FUNCTION duty.id(number bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex(number), 12, '0') || '70008000000000000000')::uuid::text;

-- One of 25 sites: the first has a fifth of the jobs, the last a fiftieth.
CREATE FUNCTION duty.site() RETURNS text LANGUAGE sql VOLATILE
RETURN 'S-' || lpad((1 + floor(25 * power(random(), 2)))::text, 2, '0');

CREATE FUNCTION duty.status() RETURNS text LANGUAGE sql VOLATILE
RETURN duty.pick('{completed,completed,completed,completed,completed,completed,completed,completed,completed,
    completed,completed,completed,completed,completed,completed,completed,completed,failed,pending,processing}');

-- Three quarters are document syncs.
CREATE FUNCTION duty.jobs(first_row bigint, last_row bigint, starts timestamp, step interval) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO meta_conversion_jobs
        (id, task_type, payload, status, attempt_count, max_attempts, last_error, dedupe_key, created_at, worker_id)
    SELECT
        duty.id(number),
        task_type,
        jsonb_build_object('site_id', site, 'document_id', document, 'revision', 'B'),
        status,
        CASE status WHEN 'pending' THEN 0 WHEN 'failed' THEN duty.upto(3) ELSE 1 END,
        3,
        CASE status WHEN 'failed' THEN 'HTTP 503 Service Unavailable: PUT https://dms.example/api/' || document END,
        task_type || ':' || document || ':B:' || site,
        starts + (number - first_row) * step,
        'worker-' || number % 6
    FROM (
        SELECT
            number,
            duty.pick('{document_sync_push,document_sync_pull,document_sync_metadata,cad_preview}') AS task_type,
            duty.site() AS site,
            duty.status() AS status,
            'DOC-' || lpad(duty.upto(60000)::text, 6, '0') AS document
        FROM generate_series(first_row, last_row) AS number
    ) AS job
$$;

CREATE FUNCTION duty.runs(first_row bigint, last_row bigint, starts timestamp, step interval) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO meta_workflow_custom_action_runs
        (id, rule_id, object_id, target_object, from_state, to_state, trigger_phase, status, attempts, last_error,
         result, created_at, updated_at)
    SELECT
        duty.id(number),
        duty.pick('{rule-notify-owner,rule-create-task,rule-lock-bom,rule-stamp-pdf,rule-push-erp}'),
        duty.id(duty.upto(40000)),
        duty.pick('{ECO,ECO,ECO,ECO,ECR,Document,Document,Document,Part,Part,BOM,Drawing,Change,Project,Supplier,
            Tool,Template,Site}'),
        'review',
        'approved',
        'after',
        status,
        CASE status WHEN 'pending' THEN 0 WHEN 'failed' THEN 3 ELSE 1 END,
        CASE status WHEN 'failed' THEN 'ERP answered 500: deadlock victim, rerun the transaction' END,
        CASE status
            WHEN 'completed' THEN jsonb_build_object(
                'result_code', duty.pick('{OK,OK,OK,OK,OK,OK,WARN,SKIPPED}'), 'duration_ms', duty.upto(900))
            WHEN 'failed' THEN jsonb_build_object(
                'result_code', duty.pick('{RETRY_EXHAUSTED,TIMEOUT,REMOTE_ERROR,BLOCKED}'), 'duration_ms', 5000)
        END,
        dated,
        dated + interval '3 seconds'
    FROM (
        SELECT number, duty.status() AS status, starts + (number - first_row) * step AS dated
        FROM generate_series(first_row, last_row) AS number
    ) AS run
$$;

-- Half of the descriptions are of 2,000 that come again and again, the others come once.
CREATE FUNCTION duty.incidents(first_row bigint, last_row bigint, starts timestamp, step interval) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO meta_breakage_incidents
        (id, description, responsibility, status, severity, created_at, product_item_id, batch_code, customer_name)
    SELECT
        duty.id(number),
        duty.pick('{Crack in the weld,Seal leaks,Bolt sheared off,Paint flakes off}') || ' at station '
            || CASE WHEN random() < 0.5 THEN duty.upto(500)::text ELSE '7, serial number ' || number END,
        duty.pick('{supplier,supplier,production,quality,logistics,NULL}'),
        duty.pick('{closed,closed,closed,resolved,in_progress,open}'),
        duty.pick('{low,medium,medium,high,critical}'),
        starts + (number - first_row) * step,
        duty.id(duty.upto(3000)),
        'LOT-' || duty.upto(4000),
        'Northwind Motors'
    FROM generate_series(first_row, last_row) AS number
$$;

-- Five in a row are versions of one template, and the last of them is the active one.
CREATE FUNCTION duty.plans(first_row bigint, last_row bigint, starts timestamp, step interval) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO meta_consumption_plans
        (id, state, properties, created_at, name, item_id, planned_quantity, uom)
    SELECT
        duty.id(number),
        CASE number % 5 WHEN 0 THEN 'active' ELSE 'archived' END,
        jsonb_build_object('template', jsonb_build_object(
            'key', 'PAINT-' || lpad(((number - 1) / 5)::text, 4, '0'), 'version', 1 + (number - 1) % 5,
            'is_template_version', true, 'is_active', number % 5 = 0)),
        starts + (number - first_row) * step,
        'Plan ' || number,
        duty.id(duty.upto(3000)),
        duty.upto(1000),
        'kg'
    FROM generate_series(first_row, last_row) AS number
$$;

-- Jobs and runs with these numbers come to another end.
CREATE FUNCTION duty.finish(numbers bigint[]) RETURNS void
LANGUAGE sql AS $$
    UPDATE meta_conversion_jobs SET status = duty.pick('{completed,completed,failed}')
    WHERE id = ANY (ARRAY(SELECT duty.id(number) FROM unnest(numbers) AS number));
    UPDATE meta_workflow_custom_action_runs SET status = duty.pick('{completed,completed,failed}')
    WHERE id = ANY (ARRAY(SELECT duty.id(number) FROM unnest(numbers) AS number))
$$;
