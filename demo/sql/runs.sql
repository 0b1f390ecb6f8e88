-- Custom action runs of a few slots of time: $1 starts, $2 first and $3 last row numbers, $4 shares
-- that fail, $5 shares that are not finished, $6 the length of every slot.

INSERT INTO meta_workflow_custom_action_runs
    (id, rule_id, object_id, target_object, from_state, to_state, trigger_phase, status, attempts,
     last_error, result, created_at, updated_at)
WITH slots AS (
    SELECT *
    FROM unnest($1::timestamp[], $2::bigint[], $3::bigint[], $4::float8[], $5::float8[])
        AS slot (start, first, last, failing, unfinished)
),
timed AS (
    SELECT
        n,
        start + $6::interval * ((n - first + demo.draw(n, 21)) / (last - first + 1)) AS created_at,
        failing,
        failing + unfinished AS not_completed,
        demo.evenly(n, 0.8191725133961645) AS outcome
    FROM slots CROSS JOIN LATERAL generate_series(first, last) AS n
),
outlined AS MATERIALIZED (
    SELECT
        n,
        created_at,
        CASE
            WHEN outcome < failing THEN 'failed'
            WHEN outcome < not_completed THEN demo.pick(demo.draw(n, 22), '{pending,running}')
            WHEN outcome < not_completed + 0.035 THEN 'warning'
            ELSE 'completed'
        END AS status,
        demo.pick(demo.draw(n, 23), '{ECO,ECO,ECO,ECO,ECO,ECO,ECO,Document,Document,Document,Document,
            Part,Part,Part,BOM,BOM,Drawing,ChangeRequest}') AS target,
        1 + floor(demo.draw(n, 24) * 4)::integer AS step,
        demo.draw(n, 25) AS oddity
    FROM timed
)
SELECT
    demo.identifier('run', n),
    'rule-' || demo.pick(demo.draw(n, 26), '{notify-owner,create-task,emit-event,lock-bom,stamp-pdf,
        push-erp,check-where-used,archive-files}'),
    demo.identifier(target, floor(demo.draw(n, 27) * 40000)::bigint),
    -- Compared exactly by whoever filters, so these are targets of their own.
    CASE WHEN oddity < 0.006 THEN lower(target) WHEN oddity < 0.008 THEN target || ' ' ELSE target END,
    CASE WHEN oddity BETWEEN 0.01 AND 0.03 THEN NULL
        ELSE ('{draft,progress,review,approved}'::text[])[step]
    END,
    CASE WHEN oddity BETWEEN 0.02 AND 0.03 THEN NULL
        ELSE ('{progress,review,approved,released}'::text[])[step]
    END,
    demo.pick(demo.draw(n, 28), '{before,after,after}'),
    CASE WHEN oddity BETWEEN 0.04 AND 0.041 THEN '' ELSE demo.spelled(status, demo.draw(n, 29)) END,
    CASE status WHEN 'failed' THEN 3 WHEN 'warning' THEN 2 WHEN 'pending' THEN 0 ELSE 1 END,
    CASE WHEN status = 'failed' THEN
        demo.pick(demo.draw(n, 30), ARRAY[
            'action timed out after 5 s (attempt 3 of 3)',
            'ERP answered 500: deadlock victim, rerun the transaction',
            'BOM is locked by another change order',
            '通知发送失败：收件人不存在',
            E'ValueError: no mapping for state ''in_review''\n  at rule_engine.transition(order)\n  at worker.run',
            'HTTP 401 Unauthorized: token of svc-workflow has expired'
        ])
    END,
    CASE
        WHEN status IN ('pending', 'running') THEN NULL
        WHEN oddity BETWEEN 0.050 AND 0.060 THEN NULL
        WHEN oddity BETWEEN 0.060 AND 0.064 THEN 'null'
        WHEN oddity BETWEEN 0.064 AND 0.067 THEN '["OK"]'
        WHEN oddity BETWEEN 0.067 AND 0.069 THEN '"OK"'
        WHEN oddity BETWEEN 0.070 AND 0.076 THEN '{"message": "done"}'
        WHEN oddity BETWEEN 0.076 AND 0.078 THEN '{"result_code": null}'
        WHEN oddity BETWEEN 0.078 AND 0.080 THEN '{"result_code": ""}'
        WHEN oddity BETWEEN 0.080 AND 0.082 THEN '{"result_code": 0}'
        WHEN oddity BETWEEN 0.082 AND 0.083 THEN '{"result_code": false}'
        WHEN oddity BETWEEN 0.083 AND 0.088 THEN '{"result_code": 200}'
        WHEN oddity BETWEEN 0.088 AND 0.089 THEN '{"result_code": ["OK", "LATE"]}'
        ELSE jsonb_build_object(
            'result_code',
            CASE status
                WHEN 'failed' THEN demo.pick(demo.draw(n, 31), '{RETRY_EXHAUSTED,RETRY_EXHAUSTED,RETRY_EXHAUSTED,
                    TIMEOUT,TIMEOUT,REMOTE_ERROR,PERMISSION_DENIED,BLOCKED}')
                WHEN 'warning' THEN demo.pick(demo.draw(n, 31), '{WARN,WARN,SKIPPED,PARTIAL}')
                ELSE 'OK'
            END,
            'duration_ms', floor(40 + 900 * demo.draw(n, 32) ^ 3)
        )
    END,
    created_at,
    created_at + interval '3 seconds' * demo.draw(n, 33)
FROM outlined
