-- Jobs of a few slots of time: $1 starts, $2 first and $3 last row numbers, $4 shares that fail,
-- $5 shares that are not finished, $6 the length of every slot.

INSERT INTO meta_conversion_jobs
    (id, task_type, payload, status, attempt_count, max_attempts, last_error, dedupe_key, created_at,
     worker_id)
WITH slots AS (
    SELECT *
    FROM unnest($1::timestamp[], $2::bigint[], $3::bigint[], $4::float8[], $5::float8[])
        AS slot (start, first, last, failing, unfinished)
),
timed AS (
    SELECT
        n,
        start + $6::interval * ((n - first + demo.draw(n, 1)) / (last - first + 1)) AS created_at,
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
            WHEN outcome < not_completed THEN demo.pick(demo.draw(n, 2), '{pending,pending,processing}')
            WHEN outcome < not_completed + 0.004 THEN 'cancelled'
            ELSE 'completed'
        END AS status,
        -- One in six failures is about to be tried again; the others are dead letters.
        demo.evenly(n, 0.6710436067037893) < 0.16 AS is_retried,
        CASE
            WHEN demo.evenly(n, 0.5497004779019703) < 0.75 THEN
                'document_sync_' || demo.pick(demo.draw(n, 3),
                    '{push,push,push,push,push,pull,pull,pull,pull,metadata,metadata,attachments,permissions}')
            ELSE demo.pick(demo.draw(n, 4), '{cad_preview,cad_preview,cad_preview,cad_geometry,cad_geometry,
                cad_dedup,bom_export,pdf_stamp}')
        END AS task_type,
        demo.pick(demo.draw(n, 5),
            '{SH-01,SH-01,SH-01,SH-01,SH-02,SH-02,SZ-01,SZ-01,BJ-03,CD-01,CD-01,MUC-01,MUC-01,DET-02,PUN-01}') AS site,
        'DOC-' || lpad(floor(demo.draw(n, 6) * 60000)::text, 6, '0') AS document,
        chr(65 + floor(demo.draw(n, 7) * 6)::integer) AS revision,
        CASE WHEN demo.draw(n, 8) < 0.8 THEN 3 ELSE 5 END AS allowed,
        demo.draw(n, 9) AS oddity
    FROM timed
)
SELECT
    demo.identifier('job', n),
    CASE
        -- Names that only look like document syncs, and one that is all prefix.
        WHEN oddity < 0.0020 THEN 'documentXsyncYpush'
        WHEN oddity < 0.0035 THEN 'Document_Sync_Push'
        WHEN oddity < 0.0045 THEN 'document_sync'
        WHEN oddity < 0.0055 THEN 'document_sync_'
        ELSE task_type
    END,
    CASE
        WHEN oddity BETWEEN 0.010 AND 0.018 THEN jsonb_build_object('site_id', 7, 'document_id', document)
        WHEN oddity BETWEEN 0.020 AND 0.024 THEN jsonb_build_object('site_id', 12.50, 'document_id', document)
        WHEN oddity BETWEEN 0.030 AND 0.045
            THEN jsonb_build_object('site_id', E'  ' || site || E' \t', 'document_id', document)
        WHEN oddity BETWEEN 0.050 AND 0.055 THEN jsonb_build_object('site_id', '', 'document_id', document)
        WHEN oddity BETWEEN 0.055 AND 0.060 THEN jsonb_build_object('site_id', '   ', 'document_id', document)
        WHEN oddity BETWEEN 0.060 AND 0.064 THEN jsonb_build_object('site_id', NULL, 'document_id', document)
        WHEN oddity BETWEEN 0.064 AND 0.080 THEN jsonb_build_object('document_id', document)
        WHEN oddity BETWEEN 0.080 AND 0.082 THEN jsonb_build_object('site_id', jsonb_build_object('code', site))
        WHEN oddity BETWEEN 0.082 AND 0.083 THEN '{"site_id": true}'
        WHEN oddity BETWEEN 0.083 AND 0.086 THEN jsonb_build_array(site, document)
        WHEN oddity BETWEEN 0.086 AND 0.087 THEN to_jsonb(site)
        WHEN oddity BETWEEN 0.087 AND 0.088 THEN 'null'
        ELSE jsonb_build_object('site_id', site, 'document_id', document, 'revision', revision)
    END,
    CASE WHEN oddity BETWEEN 0.100 AND 0.103 THEN NULL
        WHEN oddity BETWEEN 0.103 AND 0.104 THEN ''
        ELSE demo.spelled(status, demo.draw(n, 10))
    END,
    CASE
        WHEN oddity BETWEEN 0.110 AND 0.112 THEN NULL
        WHEN status = 'failed' AND is_retried THEN 1
        WHEN status = 'failed' THEN allowed
        WHEN status = 'pending' THEN 0
        WHEN demo.draw(n, 11) < 0.90 THEN 1
        ELSE 2
    END,
    CASE WHEN oddity BETWEEN 0.120 AND 0.122 THEN NULL
        WHEN oddity BETWEEN 0.122 AND 0.123 THEN 0
        ELSE allowed
    END,
    CASE WHEN status = 'failed' AND oddity > 0.005 THEN
        format(
            demo.pick(demo.draw(n, 12), ARRAY[
                'ConnectTimeout: no answer from dms.%1$s.example:443 within 10 s',
                'ConnectTimeout: no answer from dms.%1$s.example:443 within 10 s',
                'HTTP 503 Service Unavailable: PUT https://dms.%1$s.example/api/documents/%2$s',
                'HTTP 503 Service Unavailable: PUT https://dms.%1$s.example/api/documents/%2$s',
                'HTTP 413 Payload Too Large: %2$s/%3$s has 2.1 GiB, the site takes 2.0 GiB',
                'ChecksumMismatch: %2$s/%3$s arrived as %4$s',
                'PermissionError: svc-sync may not write /vault/%1$s/%2$s',
                'Conflict: %2$s revision %3$s is checked out at the site',
                '站点 %1$s 返回错误：文件 %2$s 被占用，请稍后重试',
                '站点 %1$s 磁盘空间不足 | quota exceeded, "soft" limit',
                E'Traceback (most recent call last):\n'
                    '  File "/opt/plm/sync/worker.py", line 212, in push\n'
                    '    reply = await self.site.put(document, body, timeout=self.timeout)\n'
                    '  File "/opt/plm/sync/site.py", line 88, in put\n'
                    '    raise SiteError(reply.status, await reply.text())\n'
                    'plm.sync.SiteError: 502 Bad Gateway from dms.%1$s.example for %2$s',
                E'Site said:\r\n' || repeat('<p>The upstream of dms.%1$s.example closed the connection. </p>', 30)
            ]),
            lower(site), document, revision, md5(document)
        )
    END,
    CASE WHEN oddity < 0.95 THEN task_type || ':' || document || ':' || revision || ':' || site END,
    CASE WHEN demo.draw(n, 13) > 0.0005 THEN created_at END,
    'worker-' || floor(demo.draw(n, 14) * 6)::text
FROM outlined
