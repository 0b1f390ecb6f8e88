-- Indexes that a DBA may add to the PLM's tables. parallel-ops needs none of them: without any it reads each
-- table whole, as often as DATABASE_SHARE allows, and figures are as old. It creates and names no index; `parallel-ops check` says which reads have none.
--
-- Each makes every write to its table a little dearer, so take those whose figures you need. Run them one by
-- one, outside a transaction, in psql or as `psql -f`; CONCURRENTLY leaves writers alone. Should one be
-- interrupted, drop the invalid index that it leaves behind and run it again.
--
-- The service's statements were explained (ANALYZE, BUFFERS), the quickest of seven runs:
-- 200,000 jobs, 200,000 runs and 50,000 incidents over 100 days, PostgreSQL 18, everything in memory, two
-- shared cores of an AMD EPYC. Milliseconds and 8 kB pages, without -> with. On a disk it is the pages
-- that count. `python -m benchmarks.optional_indexes` measures again.
--
-- What no index helps: all days at once, as they are read while nothing is known. A scan is the best way to.
-- What did not pay, when each window was read by itself: covering indexes on (created_at) INCLUDE (...), three
-- to six times as large for 7 days in 6 to 10 ms instead of 7 to 20; (target_object, created_at), for 2.5
-- instead of 5 ms.

-- Days of jobs; 4.4 MB. Lists of failed jobs gain by it, too, if by less than by their own.
--   the newest two days     37 ms, 6184 pages -> 4.1 ms, 183 pages
--   two older days          32 ms, 6184 pages -> 2.1 ms, 128 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_jobs_created_at
    ON public.meta_conversion_jobs (created_at);

-- Days of runs; 4.4 MB. As with jobs.
--   the newest two days     24 ms, 6058 pages -> 5.9 ms, 163 pages
--   two older days          39 ms, 6058 pages -> 2.2 ms, 119 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_runs_created_at
    ON public.meta_workflow_custom_action_runs (created_at);

-- Days of incidents; 1.1 MB. The table is small: the last one to add.
--   the newest two days    6.2 ms, 1292 pages -> 1.8 ms, 40 pages
--   two older days         4.0 ms, 1292 pages -> 0.7 ms, 28 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_incidents_created_at
    ON public.meta_breakage_incidents (created_at);

-- /doc-sync/failures in every window; 0.7 MB, since it holds failed jobs only.
--   count and first page, 7 days   33 + 35 ms, 6184 + 6184 pages -> 0.3 + 0.2 ms, 37 + 7 pages
--   count and first page, 90 days  40 + 42 ms, 6184 + 6184 pages -> 0.7 + 0.2 ms, 79 + 7 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_jobs_failed
    ON public.meta_conversion_jobs (created_at DESC, (id COLLATE "C") DESC) INCLUDE (task_type)
    WHERE lower(status) = 'failed';

-- /workflow/failures in every window; 0.2 MB, since it holds failed runs only.
--   count and first page, 7 days   44 + 44 ms, 6058 + 6058 pages -> 0.1 + 0.1 ms, 10 + 11 pages
--   count and first page, 90 days  50 + 50 ms, 6058 + 6058 pages -> 0.2 + 0.1 ms, 23 + 11 pages
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_parallel_ops_runs_failed
    ON public.meta_workflow_custom_action_runs (created_at DESC, (id COLLATE "C") DESC)
    WHERE lower(status) = 'failed';
