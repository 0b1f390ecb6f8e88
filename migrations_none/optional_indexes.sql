-- Indexes that a DBA may add to the PLM's tables. parallel-ops needs none of them: without any it reads each
-- table whole, as often as DATABASE_SHARE allows, and figures are as old. It creates and names no index; `parallel-ops check` says which reads have none.
--
-- Each makes every write to its table a little dearer, so take those whose figures you need. Run them one by
-- one, outside a transaction, in psql or as `psql -f`; CONCURRENTLY leaves writers alone. Should one be
-- interrupted, drop the invalid index that it leaves behind and run it again.
--
-- The figures are of the statements that the service had before it read tables by the day. They were explained (ANALYZE, BUFFERS), the quickest of seven runs:
-- 200,000 jobs, 200,000 runs and 50,000 incidents over 100 days, PostgreSQL 18, everything in memory, two
-- shared cores of an AMD EPYC. Milliseconds and 8 kB pages, without -> with. On a disk it is the pages
-- that count. `python -m benchmarks.optional_indexes` measures again.
--
-- What no index helps: the sections of 90 days. They read most of the table, and a scan is the best way to.
-- What did not pay: covering indexes on (created_at) INCLUDE (...), three to six times as large for 7 days
-- in 6 to 10 ms instead of 7 to 20; (target_object, created_at), for 2.5 instead of 5 ms.

-- Jobs of short windows, with or without a site; 4.4 MB.
--   summary and trends, 1 day    37 ms, 6329 pages -> 1.1 ms, 116 pages
--   summary and trends, 7 days   39 ms, 6329 pages -> 9.1 ms, 660 pages
--   the same, one site, 7 days   52 ms, 6329 pages -> 12 ms, 660 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_jobs_created_at
    ON public.meta_conversion_jobs (created_at);

-- Runs of short windows, with or without a target object; 4.4 MB.
--   summary and trends, 1 day    29 ms, 6104 pages -> 3.1 ms, 103 pages
--   summary and trends, 7 days   57 ms, 6104 pages -> 10 ms, 517 pages
--   the same, one target, 7 days 50 ms, 6104 pages -> 3.7 ms, 517 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_runs_created_at
    ON public.meta_workflow_custom_action_runs (created_at);

-- Incidents of short windows; 1.1 MB. The table is small: the last one to add.
--   summary and trends, 1 day    6.5 ms, 1286 pages -> 0.8 ms, 25 pages
--   summary and trends, 7 days   16 ms, 1286 pages -> 4.6 ms, 116 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_incidents_created_at
    ON public.meta_breakage_incidents (created_at);

-- /doc-sync/failures in every window; 1.8 MB, since it holds failed jobs only.
--   count and first page, 7 days   42 + 43 ms, 6329 + 6329 pages -> 0.6 + 0.1 ms, 40 + 6 pages
--   count and first page, 90 days  46 + 58 ms, 6329 + 6329 pages -> 2.3 + 0.1 ms, 200 + 6 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_jobs_failed
    ON public.meta_conversion_jobs (created_at DESC, (id COLLATE "C") DESC) INCLUDE (task_type)
    WHERE lower(status) = 'failed';

-- /workflow/failures in every window; 0.6 MB, since it holds failed runs only.
--   count and first page, 7 days   45 + 45 ms, 6104 + 6104 pages -> 0.1 + 0.1 ms, 12 + 10 pages
--   count and first page, 90 days  52 + 55 ms, 6104 + 6104 pages -> 0.8 + 0.1 ms, 71 + 10 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_runs_failed
    ON public.meta_workflow_custom_action_runs (created_at DESC, (id COLLATE "C") DESC)
    WHERE lower(status) = 'failed';
