-- One tenant's schema, for the role that parallel-ops connects as: the columns of the contract, and nothing else.
--
-- For a PLM that keeps one schema per tenant. Run reader_role.sql first, which creates the role; then this one for
-- each schema, as the owner of its tables or a superuser. It says nothing of schemas: they are those of the search
-- path, which is one tenant's. Running it again is harmless.
--
--     psql -v ON_ERROR_STOP=1 -c 'SET search_path = yt_t_acme' -f migrations_none/reader_schema.sql plm

DO $$
BEGIN
    IF current_schema() IS NULL OR current_schema() = 'public' THEN
        RAISE EXCEPTION 'SET search_path to a tenant''s schema first';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO parallel_ops_reader', current_schema());
END
$$;

GRANT SELECT (
    id, task_type, payload, status, attempt_count, max_attempts, last_error, dedupe_key, created_at
) ON meta_conversion_jobs TO parallel_ops_reader;

GRANT SELECT (
    id, rule_id, object_id, target_object, from_state, to_state, trigger_phase, status, attempts,
    last_error, result, created_at
) ON meta_workflow_custom_action_runs TO parallel_ops_reader;

GRANT SELECT (
    id, description, responsibility, status, severity, created_at
) ON meta_breakage_incidents TO parallel_ops_reader;

GRANT SELECT (
    id, state, properties, created_at
) ON meta_consumption_plans TO parallel_ops_reader;
