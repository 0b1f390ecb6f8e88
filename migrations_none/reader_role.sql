-- The role that parallel-ops connects as: it can read the columns of the contract, and nothing else.
--
-- Run it as the owner of the tables or a superuser, in the PLM's database; running it again is harmless
-- and takes back whatever else the role was granted on tables of this schema. The role has no
-- password yet, so no server that asks for one lets it in. Give it one that no log ever sees, in psql:
--
--     \password parallel_ops_reader
--
-- and, if you like, a limit on its connections; a process of the service holds a handful
-- (PARALLEL_OPS_MAX_DATABASE_QUERIES), so count processes, and some for a restart:
--
--     ALTER ROLE parallel_ops_reader CONNECTION LIMIT 40;
--
-- What every role may do, this one may too: connect, look at the catalogues, make temporary tables. A
-- database that should not allow that says so for all: REVOKE TEMPORARY ON DATABASE ... FROM PUBLIC.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parallel_ops_reader') THEN
        CREATE ROLE parallel_ops_reader;
    END IF;
END
$$;

ALTER ROLE parallel_ops_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

-- A second line of defence: even if it were granted more one day, it would not write.
ALTER ROLE parallel_ops_reader SET default_transaction_read_only = on;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM parallel_ops_reader;

GRANT USAGE ON SCHEMA public TO parallel_ops_reader;

GRANT SELECT (
    id, task_type, payload, status, attempt_count, max_attempts, last_error, dedupe_key, created_at
) ON public.meta_conversion_jobs TO parallel_ops_reader;

GRANT SELECT (
    id, rule_id, object_id, target_object, from_state, to_state, trigger_phase, status, attempts,
    last_error, result, created_at
) ON public.meta_workflow_custom_action_runs TO parallel_ops_reader;

GRANT SELECT (
    id, description, responsibility, status, severity, created_at
) ON public.meta_breakage_incidents TO parallel_ops_reader;

GRANT SELECT (
    id, state, properties, created_at
) ON public.meta_consumption_plans TO parallel_ops_reader;
