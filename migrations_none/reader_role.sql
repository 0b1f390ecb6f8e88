-- The role that parallel-ops connects as: it can read the columns of the contract, and nothing else.
--
-- Run it as the owner of the tables or a superuser, in the PLM's database; running it again is harmless
-- and takes back whatever else the role was granted on this database and schema and on what is in it, and every
-- membership in another role. The role has no password yet, so no server that asks for one lets it in. Give it one that no log ever sees, in psql:
--
--     \password parallel_ops_reader
--
-- and, if you like, a limit on its connections; a process of the service holds a handful
-- (PARALLEL_OPS_MAX_DATABASE_QUERIES), so count processes, and some for a restart:
--
--     ALTER ROLE parallel_ops_reader CONNECTION LIMIT 40;
--
-- What cannot be taken from it, because PostgreSQL gives it to every role:
--
-- * It can switch read-only off, and its time limits, for its own session. It still writes to no table, for
--   that takes a grant; but it can run long statements, as many as it has connections.
-- * It can make large objects and temporary tables, and so fill the disk. Where no program of this database
--   needs to (drivers make large objects of what is declared LOB), a superuser takes that from all, the owners
--   of databases and functions excepted:
--
--       REVOKE TEMPORARY ON DATABASE plm FROM PUBLIC;
--       REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
--
-- * It can change its own password, and so lock the service out. Let it in by what is no password (cert, ldap,
--   gss or peer in pg_hba.conf), and that is worth nothing.
-- * It can look at the catalogues: names of tables, columns and roles, and the definitions of views and functions.
--
-- None of the first three is to be had on a hot standby, which takes no writing at all: the service works there.

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

-- What a group may do, its members may.
DO $$
DECLARE
    joined regrole;
BEGIN
    FOR joined IN SELECT roleid FROM pg_auth_members WHERE member = to_regrole('parallel_ops_reader') LOOP
        EXECUTE format('REVOKE %s FROM parallel_ops_reader', joined);
    END LOOP;
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM parallel_ops_reader', current_database());
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM parallel_ops_reader;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM parallel_ops_reader;
REVOKE ALL ON ALL ROUTINES IN SCHEMA public FROM parallel_ops_reader;
REVOKE CREATE ON SCHEMA public FROM parallel_ops_reader;

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
