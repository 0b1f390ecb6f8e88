-- Consumption plans with the row numbers $1 to $2, made in the 400 days before $3.
-- Five in a row are versions of one template, or, for a fifth of the keys, plans of no template.

INSERT INTO meta_consumption_plans
    (id, state, properties, created_at, name, item_id, planned_quantity, uom)
WITH numbered AS (
    SELECT n, (n - 1) / 5 AS key_number, 1 + (n - 1) % 5 AS version
    FROM generate_series($1::bigint, $2::bigint) AS n
),
outlined AS MATERIALIZED (
    SELECT
        n,
        version,
        demo.evenly(key_number, 0.6180339887498949) AS fate,
        demo.pick(demo.draw(key_number, 61), '{PAINT,ADHESIVE,COOLANT,FASTENER,SOLDER,PACKAGING}')
            || '-' || lpad(key_number::text, 4, '0') AS key,
        key_number,
        demo.draw(n, 62) AS oddity
    FROM numbered
),
judged AS (
    SELECT
        *,
        CASE
            WHEN fate < 0.10 THEN version >= 4  -- two active versions
            WHEN fate < 0.20 THEN false  -- none
            ELSE version = 5
        END AS is_active
    FROM outlined
)
SELECT
    demo.identifier('plan', n),
    CASE WHEN is_active THEN 'active' ELSE demo.pick(demo.draw(n, 63), '{draft,archived,archived,Archived}') END,
    CASE
        WHEN fate >= 0.80 THEN
            demo.pick(demo.draw(n, 64), ARRAY[
                NULL, 'null', '{}', '{"note": "one-off"}', '{"template": null}', '{"template": "PAINT-0001"}',
                '{"template": []}', '["template"]', '{"template": {"key": "draft", "is_template_version": false}}'
            ])::jsonb
        ELSE jsonb_build_object('template', jsonb_build_object(
            'key', CASE
                WHEN oddity < 0.015 THEN to_jsonb(' '::text)
                WHEN oddity < 0.03 THEN 'null'
                WHEN fate BETWEEN 0.30 AND 0.34 THEN to_jsonb(4000 + key_number)
                WHEN oddity < 0.06 THEN to_jsonb(' ' || key || E'\n')
                ELSE to_jsonb(key)
            END,
            'version', version,
            'is_template_version',
                CASE WHEN oddity BETWEEN 0.10 AND 0.14
                    THEN demo.pick(demo.draw(n, 65), ARRAY['false', '0', '""', '[]', '{}', 'null', '0.0'])
                    WHEN oddity BETWEEN 0.14 AND 0.20
                    THEN demo.pick(demo.draw(n, 66), ARRAY['1', '"yes"', '[0]', '{"by": "import"}', '-0.5', '"false"'])
                    ELSE 'true'
                END::jsonb,
            'is_active',
                CASE WHEN is_active
                    THEN demo.pick(demo.draw(n, 67), ARRAY['true', 'true', 'true', 'true', '1', '"yes"'])
                    ELSE demo.pick(demo.draw(n, 68), ARRAY['false', 'false', 'false', 'false', '0', 'null', '""', '[]'])
                END::jsonb
        ))
    END,
    $3::timestamp - interval '400 days' * demo.draw(n, 69),
    'Plan ' || key || ' v' || version,
    demo.identifier('part', floor(demo.draw(n, 70) * 3000)::bigint),
    round((10 + 990 * demo.draw(n, 71))::numeric, 1),
    demo.pick(demo.draw(n, 72), '{kg,l,pcs,pcs}')
FROM judged
