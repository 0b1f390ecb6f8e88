-- A few of the jobs that have waited since before $1 get done, so that a demo left alone keeps moving.

UPDATE meta_conversion_jobs
SET status = 'completed', attempt_count = 1, completed_at = $1
WHERE id IN (
    SELECT id
    FROM meta_conversion_jobs
    WHERE status IN ('pending', 'processing') AND created_at < $1
    ORDER BY created_at
    LIMIT 2
)
